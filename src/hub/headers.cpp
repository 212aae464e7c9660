// SPDX-License-Identifier: Apache-2.0
#include "hub/headers.hpp"

#include <algorithm>
#include <chrono>

#include "base/ascii.hpp"
#include "net/address.hpp"
#include "net/http_date.hpp"

namespace teetee::hub {
namespace {

/// The text up to `end`, which goes with it; nullopt where it does not come.
std::optional<std::string_view> take_until(std::string_view& text, char end) {
    const size_t at = text.find(end);
    if (at == text.npos) return std::nullopt;
    const auto taken = text.substr(0, at);
    text.remove_prefix(at + 1);
    return taken;
}

}  // namespace

Result<ContentRange> parse_content_range(std::string_view text) {
    const auto malformed =
        fail(ErrorCode::http_malformed,
             "Content-Range: have " + quote_foreign(text) + ", need bytes FIRST-LAST/LENGTH");
    if (!text.starts_with("bytes ")) return malformed;
    text.remove_prefix(6);
    const auto first_text = take_until(text, '-');
    const auto last_text = take_until(text, '/');
    if (!first_text || !last_text) return malformed;
    const auto first = parse_decimal(*first_text);
    const auto last = parse_decimal(*last_text);
    if (!first || !last || *last < *first || *last == UINT64_MAX) return malformed;
    ContentRange out{.range = {*first, *last + 1}};
    if (text == "*") return out;
    out.total = parse_decimal(text);
    if (!out.total || *out.total <= *last) return malformed;
    return out;
}

std::optional<uint64_t> parse_unsatisfied_range(std::string_view text) {
    constexpr std::string_view prefix = "bytes */";
    if (!text.starts_with(prefix)) return std::nullopt;
    return parse_decimal(text.substr(prefix.size()));
}

std::optional<Duration> parse_retry_after(std::string_view text, UnixSeconds now) {
    // Longer than anybody waits, and far from what a Duration can hold.
    constexpr int64_t seconds_max = 365 * 86400;
    if (const auto seconds = parse_decimal(text)) {
        return std::chrono::seconds(std::min<uint64_t>(*seconds, seconds_max));
    }
    const auto date = net::parse_http_date(text);
    if (!date) return std::nullopt;
    return std::chrono::seconds(std::clamp<int64_t>(*date - now, 0, seconds_max));
}

Result<std::string> resolve_location(std::string_view from, std::string_view location) {
    TT_TRY(const auto base, net::parse_url(from));
    const std::string origin = (base.tls ? "https://" : "http://") + net::to_string(base.address);
    std::string to(location.substr(0, location.find('#')));
    if (to.starts_with("//")) {
        to.insert(0, base.tls ? "https:" : "http:");
    } else if (to.starts_with('/')) {
        to.insert(0, origin);
    }
    const auto url = net::parse_url(to);
    if (!url) {
        return fail(ErrorCode::hub_malformed,
                    "Location: have " + quote_foreign(location) + ", need a URL or a path");
    }
    if (base.tls && !url->tls) {
        return fail(ErrorCode::hub_refused, "it leads from https to http, to " +
                                                quote_foreign(net::to_string(url->address)));
    }
    return to;
}

std::string parse_next_link(std::string_view text) {
    while (const auto before = take_until(text, '<')) {
        const auto target = take_until(text, '>');
        if (!target) return {};
        const auto parameters = text.substr(0, text.find('<'));
        if (parameters.find("rel=\"next\"") != parameters.npos ||
            parameters.find("rel=next") != parameters.npos) {
            return std::string(*target);
        }
    }
    return {};
}

Result<std::string> origin_of(std::string_view url) {
    TT_TRY(auto parsed, net::parse_url(url));
    parsed.address.host = to_lower(parsed.address.host);
    return (parsed.tls ? "https://" : "http://") + net::to_string(parsed.address);
}

std::string_view bare_etag(std::string_view etag) {
    if (etag.starts_with("W/")) etag.remove_prefix(2);
    if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
        etag = etag.substr(1, etag.size() - 2);
    }
    return etag;
}

std::string validator_of(const net::HttpHeaders& headers) {
    const auto etag = field(headers, "etag");
    if (!etag.empty() && !etag.starts_with("W/")) return std::string(etag);
    return std::string(field(headers, "last-modified"));
}

}  // namespace teetee::hub
