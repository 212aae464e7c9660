// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "net/address.hpp"
#include "net/http_message.hpp"

namespace teetee::net {

struct HttpRequestHead {
    std::string method = "GET";
    /// Host, Connection and Content-Length are added.
    HttpHeaders headers{};
    /// nullopt: no body, and no length of one.
    std::optional<size_t> body_bytes{};
    bool keep_alive = false;
};

/// What goes before a request's body. Error: invalid_argument (method or header).
Result<std::string> encode_request_head(const HttpRequestHead& request, const Url& url);

}  // namespace teetee::net
