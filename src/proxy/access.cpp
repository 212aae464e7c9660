// SPDX-License-Identifier: Apache-2.0
#include "proxy/access.hpp"

#include <algorithm>

#include "proxy/limits.hpp"

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

/// In a time that says nothing of how much of a key is right.
bool is_same(const Digest& have, const Digest& want) {
    uint8_t difference = 0;
    for (size_t i = 0; i < have.size(); ++i)
        difference = static_cast<uint8_t>(difference | (have[i] ^ want[i]));
    return difference == 0;
}

bool has_key(const AccessRules& rules, const net::HttpHeaders& headers) {
    const Digest have = crypto::sha256(as_bytes(bearer_token(headers)));
    bool found = false;
    for (const Digest& want : rules.key_hashes) found = is_same(have, want) || found;
    return found;
}

}  // namespace

std::string_view bearer_token(const net::HttpHeaders& headers) {
    constexpr std::string_view scheme = "bearer ";
    const std::string_view value = header_at(headers, "authorization");
    if (value.size() <= scheme.size() || lower(value.substr(0, scheme.size())) != scheme) return {};
    return value.substr(scheme.size());
}

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
    if (!rules.key_hashes.empty() && !is_preflight && !has_key(rules, request.headers)) {
        return net::HttpError{401, "authentication_error", "invalid_api_key",
                              "need Authorization: Bearer KEY, with a key of --api-key-file"};
    }
    return std::nullopt;
}

Result<std::vector<Digest>> parse_key_file(std::string_view text) {
    if (text.size() > key_file_bytes_max)
        return fail(ErrorCode::limit_exceeded, "keys: the file is too large");
    std::vector<Digest> out;
    size_t number = 0;
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++number;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty() || line.starts_with('#')) continue;
        const bool is_key = line.size() <= key_bytes_max &&
                            std::ranges::all_of(line, [](char c) { return c > ' ' && c <= '~'; });
        if (!is_key || out.size() == keys_max) {
            return fail(ErrorCode::config_invalid,
                        "keys: line " + std::to_string(number) +
                            ": need a key of visible characters, at most " +
                            std::to_string(key_bytes_max) + " of them, and at most " +
                            std::to_string(keys_max) + " keys");
        }
        out.push_back(crypto::sha256(as_bytes(line)));
    }
    if (out.empty()) return fail(ErrorCode::config_invalid, "keys: there is none in the file");
    return out;
}

}  // namespace teetee::proxy
