// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace teetee::net {

/// Where to listen or what to dial. `host` is a name, an IPv4 or an IPv6 address without brackets.
struct Address {
    std::string host;
    uint16_t port = 0;
    bool operator==(const Address&) const = default;
};

/// "host:port", an IPv6 host in brackets.
std::string to_string(const Address& address);

/// Strict: "host:port", "tls://host:port" or "https://host:port", nothing behind the port. Port 0
/// is read: it means any free port to a listener, and nothing listens there for a dialer.
/// Error: address_invalid.
Result<Address> parse_address(std::string_view text);

/// An http or https URL; the port defaults to 80 or 443, the target to "/".
struct Url {
    bool tls = false;
    Address address;
    /// Path and query as sent in the request line; a fragment is not part of it.
    std::string target;
};

/// Strict: visible ASCII only, no user information. Error: address_invalid.
Result<Url> parse_url(std::string_view text);

}  // namespace teetee::net
