// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace teetee::net {

/// Names in lower case; several fields of one name are joined with ", " (RFC 9110 section 5.2).
using HttpHeaders = std::map<std::string, std::string, std::less<>>;

struct HttpRequest {
    std::string method;
    /// As sent: path, and behind a '?' the query. Percent-encoding is left as it is.
    std::string target;
    std::string path;
    std::string query;
    HttpHeaders headers;
    std::string body;
    /// The client's address and port.
    std::string remote;
};

struct HttpResponse {
    int status = 200;
    std::string content_type = "application/json";
    HttpHeaders headers;
    std::string body;
    /// In the place of `body`: what many are sent is there once, and is not copied for each.
    std::shared_ptr<const std::string> shared_body{};

    std::string_view content() const { return shared_body == nullptr ? body : *shared_body; }
};

/// What a refusal says, in the shape of OpenAI's API.
struct HttpError {
    int status = 500;
    std::string_view type;
    std::string_view code;
    std::string_view message;
};

/// The body is {"error":{"message","type","code"}}.
HttpResponse build_error_response(const HttpError& error);

/// "Not Found" for 404; "Unknown" for a status that is none of RFC 9110's.
std::string_view http_reason(int status);

}  // namespace teetee::net
