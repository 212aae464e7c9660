// SPDX-License-Identifier: Apache-2.0
#include "proxy/access.hpp"

#include <algorithm>

namespace teetee::proxy {
namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

std::string_view header_at(const net::HttpHeaders& headers, std::string_view name) {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

/// Without the port; of an IPv6 address without the brackets too.
std::string host_of(std::string_view value) {
    if (value.starts_with('[')) {
        const size_t end = value.find(']');
        return end == std::string_view::npos ? std::string()
                                             : std::string(value.substr(1, end - 1));
    }
    return lower(value.substr(0, value.find(':')));
}

/// Addresses cannot be made to lead elsewhere. No name ends with a number (RFC 3696, section 2).
bool is_address(std::string_view host) {
    if (host.find(':') != std::string_view::npos) return true;
    const auto is_part = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
    return !host.empty() && std::ranges::all_of(host, is_part) && host.back() != '.';
}

bool is_known_host(const AccessRules& rules, std::string_view value) {
    const std::string host = host_of(value);
    return host == "localhost" || is_address(host) || std::ranges::count(rules.hosts, host) > 0;
}

bool has_key(const AccessRules& rules, const net::HttpHeaders& headers) {
    const auto token = net::bearer_token(headers);
    return token && rules.keys->lists(net::hash_of_api_key(*token));
}

}  // namespace

std::optional<net::HttpError> refuse_access(const AccessRules& rules,
                                            const net::HttpRequest& request) {
    if (!is_known_host(rules, header_at(request.headers, "host"))) {
        return net::HttpError{403, "permission_error", "host_unknown",
                              "this name is none of serve-local's: ask it as 127.0.0.1 or "
                              "localhost, or start it with --allow-host NAME"};
    }
    const std::string_view origin = header_at(request.headers, "origin");
    const bool is_page =
        !origin.empty() || header_at(request.headers, "sec-fetch-site") == "cross-site";
    if (is_page && std::ranges::count(rules.origins, origin) == 0) {
        return net::HttpError{403, "permission_error", "origin_unknown",
                              "pages in a browser may not ask, unless serve-local is started with "
                              "--allow-origin ORIGIN"};
    }
    // What a browser asks before a page may bring its key.
    const bool is_preflight = is_page && request.method == "OPTIONS";
    if (rules.keys != nullptr && !is_preflight && !has_key(rules, request.headers)) {
        return net::HttpError{401, "authentication_error", "api_key_invalid",
                              "need Authorization: Bearer KEY, with a key of --api-keys"};
    }
    return std::nullopt;
}

}  // namespace teetee::proxy
