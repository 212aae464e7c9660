// SPDX-License-Identifier: Apache-2.0
#include "net/address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

#include "net/limits.hpp"

namespace teetee::net {
namespace {

Error invalid(std::string_view text, std::string_view need) {
    return fail(ErrorCode::address_invalid,
                "have " + quote_foreign(text) + ", need " + std::string(need));
}

bool consume_prefix(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

bool is_ipv4(const std::string& host) {
    in_addr parsed{};
    return inet_pton(AF_INET, host.c_str(), &parsed) == 1;
}

bool is_ipv6(const std::string& host) {
    in6_addr parsed{};
    return inet_pton(AF_INET6, host.c_str(), &parsed) == 1;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_label(std::string_view label) {
    const auto allowed = [](char c) {
        // Underscores are no host names, but container networks use them.
        return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
               c == '_';
    };
    return !label.empty() && label.size() <= host_label_bytes_max && label.front() != '-' &&
           label.back() != '-' && std::all_of(label.begin(), label.end(), allowed);
}

bool is_name(std::string_view host) {
    if (host.size() > host_bytes_max) return false;
    std::string_view last;
    while (true) {
        const size_t dot = host.find('.');
        last = host.substr(0, dot);
        if (!is_label(last)) return false;
        if (dot == std::string_view::npos) break;
        host.remove_prefix(dot + 1);
    }
    // A numeric last label is an address (RFC 1123 section 2.1), and was no good one.
    return !std::all_of(last.begin(), last.end(), is_digit);
}

Result<uint16_t> parse_port(std::string_view text, std::string_view whole) {
    uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    const bool canonical = text.size() == 1 || !text.starts_with('0');
    if (error != std::errc{} || end != text.data() + text.size() || !canonical) {
        return invalid(whole, "a port from 0 to 65535");
    }
    return port;
}

struct Authority {
    std::string host;
    std::string_view port;
    bool has_port = false;
};

Result<Authority> split_authority(std::string_view text) {
    Authority out;
    const std::string_view whole = text;
    if (consume_prefix(text, "[")) {
        const size_t bracket = text.find(']');
        if (bracket == std::string_view::npos) return invalid(whole, "a closing bracket");
        out.host = text.substr(0, bracket);
        if (!is_ipv6(out.host)) return invalid(whole, "an IPv6 address in brackets");
        text.remove_prefix(bracket + 1);
        if (!text.empty() && text.front() != ':') return invalid(whole, "':' after the bracket");
    } else {
        out.host = text.substr(0, text.find(':'));
        if (!is_ipv4(out.host) && !is_name(out.host)) {
            return invalid(whole, "a host name or an IP address (IPv6 in brackets)");
        }
        text.remove_prefix(out.host.size());
    }
    out.has_port = consume_prefix(text, ":");
    out.port = text;
    return out;
}

}  // namespace

std::string to_string(const Address& address) {
    const bool bracket = address.host.find(':') != std::string::npos;
    return (bracket ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

Result<Address> parse_address(std::string_view text) {
    const std::string_view whole = text;
    if (text.size() > url_bytes_max) return invalid(whole, "a shorter address");
    if (!consume_prefix(text, "tls://")) consume_prefix(text, "https://");
    TT_TRY(Authority authority, split_authority(text));
    if (!authority.has_port) return invalid(whole, "host:port");
    TT_TRY(const uint16_t port, parse_port(authority.port, whole));
    return Address{std::move(authority.host), port};
}

Result<Url> parse_url(std::string_view text) {
    const std::string_view whole = text;
    const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
    if (text.size() > url_bytes_max || !std::all_of(text.begin(), text.end(), visible)) {
        return invalid(whole, "a shorter URL of visible ASCII");
    }
    Url out;
    out.tls = consume_prefix(text, "https://");
    if (!out.tls && !consume_prefix(text, "http://")) return invalid(whole, "http:// or https://");
    text = text.substr(0, text.find('#'));
    const size_t authority_bytes = std::min(text.find_first_of("/?"), text.size());
    TT_TRY(Authority authority, split_authority(text.substr(0, authority_bytes)));
    out.address = {std::move(authority.host), static_cast<uint16_t>(out.tls ? 443 : 80)};
    if (authority.has_port) {
        TT_TRY(out.address.port, parse_port(authority.port, whole));
    }
    out.target = text.substr(authority_bytes);
    if (!out.target.starts_with('/')) out.target.insert(0, "/");
    return out;
}

}  // namespace teetee::net
