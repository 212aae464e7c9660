// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/world.hpp"
#include "net/header_field.hpp"

// What the header fields of servers say that files are fetched from; pure.
namespace teetee::hub {

struct ByteRange {
    uint64_t begin = 0;
    uint64_t end = 0;  // one behind the last byte
    uint64_t bytes() const { return end - begin; }
    bool operator==(const ByteRange&) const = default;
};

struct ContentRange {
    ByteRange range{};
    /// Of the whole file; nullopt where the server does not say.
    std::optional<uint64_t> total{};
    bool operator==(const ContentRange&) const = default;
};

/// "bytes 0-99/1234" (RFC 9110 section 14.4). Error: http_malformed.
Result<ContentRange> parse_content_range(std::string_view text);
/// The length in "bytes */1234" of a 416.
std::optional<uint64_t> parse_unsatisfied_range(std::string_view text);

/// Retry-After (RFC 9110 section 10.2.3): seconds or a date, as a time from `now`; nullopt for
/// what is neither.
std::optional<Duration> parse_retry_after(std::string_view text, UnixSeconds now);

/// Where a Location leads from a URL. Errors: hub_malformed; hub_refused, from https to http.
Result<std::string> resolve_location(std::string_view from, std::string_view location);

/// The target of rel="next" in a Link field (RFC 8288); "" where there is none.
std::string parse_next_link(std::string_view text);

/// "https://host:port", which two URLs of one server share. Error: address_invalid.
Result<std::string> origin_of(std::string_view url);

/// An ETag without W/ and quotes.
std::string_view bare_etag(std::string_view etag);

/// What says that two answers are parts of one and the same file (RFC 9110 section 8.8): its
/// strong ETag, else its Last-Modified, else "".
std::string validator_of(const net::HttpHeaders& headers);

using net::field;

}  // namespace teetee::hub
