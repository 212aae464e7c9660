// SPDX-License-Identifier: Apache-2.0
#include "proxy/access.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "net/header_field.hpp"

namespace teetee::proxy {
namespace {

/// Without the port; of an IPv6 address without the brackets too.
std::string host_of(std::string_view value) {
    if (value.starts_with('[')) {
        const size_t end = value.find(']');
        return end == std::string_view::npos ? std::string()
                                             : std::string(value.substr(1, end - 1));
    }
    return to_lower(value.substr(0, value.find(':')));
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

bool is_word(std::string_view text, std::string_view others) {
    return !text.empty() && std::ranges::all_of(text, [others](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || others.find(c) != others.npos;
    });
}

bool has_key(const AccessRules& rules, const net::HttpHeaders& headers) {
    const auto token = net::bearer_token(headers);
    return token && rules.keys->lists(net::hash_of_api_key(*token));
}

}  // namespace

Result<std::string> clean_host(std::string_view text) {
    std::string host = to_lower(text);
    if (is_word(host, "-._")) return host;
    return fail(ErrorCode::invalid_argument,
                "have " + quote_foreign(text) +
                    ", need a name alone, without http:// and port, as gate.example");
}

Result<std::string> clean_origin(std::string_view text) {
    std::string origin = to_lower(text);
    const size_t mark = std::min(origin.find("://"), origin.size());
    const auto scheme = std::string_view(origin).substr(0, mark);
    const auto rest = std::string_view(origin).substr(std::min(mark + 3, origin.size()));
    const size_t colon = rest.ends_with(']') ? rest.npos : rest.rfind(':');
    const auto host = rest.substr(0, colon);
    const bool is_v6 = host.size() > 2 && host.front() == '[' && host.back() == ']';
    const bool has_host =
        is_v6 ? is_word(host.substr(1, host.size() - 2), ":.") : is_word(host, "-._");
    const auto port =
        colon == rest.npos ? std::optional<uint64_t>(1) : parse_decimal(rest.substr(colon + 1));
    if (!is_word(scheme, "+-.") || !has_host || !port || *port == 0 || *port > 65535) {
        return fail(ErrorCode::invalid_argument,
                    "have " + quote_foreign(text) +
                        ", need what a browser sends of a page, without a path or / at the end, as "
                        "http://localhost:3000");
    }
    // Browsers leave it out.
    const bool is_usual = (scheme == "http" && *port == 80) || (scheme == "https" && *port == 443);
    if (colon != rest.npos && is_usual) origin.resize(mark + 3 + colon);
    return origin;
}

bool is_listed_page(const AccessRules& rules, const net::HttpRequest& request) {
    return std::ranges::count(rules.origins, to_lower(net::field(request.headers, "origin"))) > 0;
}

std::optional<net::HttpError> refuse_access(const AccessRules& rules,
                                            const net::HttpRequest& request) {
    if (!is_known_host(rules, net::field(request.headers, "host"))) {
        return net::HttpError{403, "permission_error", "host_unknown",
                              "this name is none of serve-local's: ask it as 127.0.0.1 or "
                              "localhost, or start it with --allow-host NAME"};
    }
    const std::string_view origin = net::field(request.headers, "origin");
    const bool is_page =
        !origin.empty() || net::field(request.headers, "sec-fetch-site") == "cross-site";
    if (is_page && !is_listed_page(rules, request)) {
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
