// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <stop_token>

#include "base/world.hpp"
#include "net/http_decoder.hpp"

namespace teetee::net {

/// The server is whoever owns the URL's host name, as browsers judge it: see
/// TlsContext::build_web_client.
struct WebPki {
    /// The roots that count, PEM; empty: the system's.
    std::string ca_file;
};

struct HttpClientRequest {
    std::string method = "GET";
    /// http or https.
    std::string url;
    /// Host, Content-Length and Connection are added.
    HttpHeaders headers{};
    std::string body{};
    Duration connect_time_max = std::chrono::seconds(5);
    /// From the call to its return.
    Duration time_max = std::chrono::seconds(60);
    /// How long it may go without a byte from the server, the connection and TLS included; 0: no
    /// limit but time_max.
    Duration silence_max{};
    size_t response_bytes_max = 16u << 20;
    /// Called once, when status and header are there, before any of the body; false ends the call
    /// with these.
    std::function<bool(int status, const HttpHeaders& headers)> on_head{};
    /// Takes the body as it comes, instead of HttpClientResponse::body; false ends the call with
    /// what has come.
    std::function<bool(std::string_view chunk)> on_body_chunk{};
    // How the server of an https URL is known; https without either is refused, and an http URL
    // with one too.
    /// Called after the TLS handshake, before any byte of the request is sent.
    std::function<Result<void>(ByteView der)> verify_certificate{};
    std::optional<WebPki> web_pki{};
    /// The path of a unix socket to ask instead of the URL's host, which then goes into Host only.
    std::string unix_socket{};
    /// Ends the call early, from any thread.
    std::stop_token stop{};
};

struct HttpClientResponse {
    int status = 0;
    HttpHeaders headers{};
    std::string body{};
};

/// Asks and waits on the calling thread; one connection a call, no redirects. Any status is a
/// success. Errors: address_invalid, invalid_argument (method or header), connect_failed, not_found
/// (unix socket), timed_out, cancelled (stop), tls_failed, channel_unbound (https whose server is
/// known by nothing), that of verify_certificate, connection_closed, http_malformed,
/// body_too_large, limit_exceeded (header).
Result<HttpClientResponse> http_fetch(const HttpClientRequest& request);

}  // namespace teetee::net
