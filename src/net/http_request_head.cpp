// SPDX-License-Identifier: Apache-2.0
#include "net/http_request_head.hpp"

#include <algorithm>

namespace teetee::net {
namespace {

bool is_token(std::string_view text) {
    // RFC 9110 section 5.6.2.
    const auto allowed = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    };
    return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

bool is_field_value(std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f; });
}

}  // namespace

Result<std::string> encode_request_head(const HttpRequestHead& request, const Url& url) {
    if (!is_token(request.method)) {
        return fail(ErrorCode::invalid_argument,
                    "HTTP method: have " + quote_foreign(request.method));
    }
    const bool standard_port = url.address.port == (url.tls ? 443 : 80);
    std::string host = to_string(url.address);
    if (standard_port) host.resize(host.rfind(':'));
    std::string out = request.method + " " + url.target + " HTTP/1.1\r\nhost: " + host +
                      "\r\nconnection: " + (request.keep_alive ? "keep-alive" : "close") + "\r\n";
    if (request.body_bytes)
        out += "content-length: " + std::to_string(*request.body_bytes) + "\r\n";
    for (const auto& [name, value] : request.headers) {
        if (!is_token(name) || !is_field_value(value)) {
            return fail(ErrorCode::invalid_argument,
                        "HTTP header " + quote_foreign(name) + ": not sendable");
        }
        out.append(name).append(": ").append(value).append("\r\n");
    }
    return out.append("\r\n");
}

}  // namespace teetee::net
