// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/bytes.hpp"
#include "net/http_message.hpp"

namespace teetee::net {

struct HttpLimits {
    /// Start line and fields.
    size_t header_bytes_max = 16u << 10;
    size_t body_bytes_max = 1u << 20;
};

/// Turns the bytes of a connection into requests (RFC 9112), one after the other; pure. Strict
/// where leniency lets two parsers disagree: one Host, no transfer coding but chunked, only
/// targets that begin with '/' (and "*").
class HttpRequestDecoder {
  public:
    enum class State { header, body, complete };

    explicit HttpRequestDecoder(HttpLimits limits);
    ~HttpRequestDecoder();
    HttpRequestDecoder(const HttpRequestDecoder&) = delete;
    HttpRequestDecoder& operator=(const HttpRequestDecoder&) = delete;

    /// Takes all the bytes; those behind a complete request wait for take. The caller bounds them
    /// by feeding nothing for long while a request is complete. Errors: http_malformed,
    /// body_too_large, limit_exceeded (header); the connection is unusable then.
    Result<State> feed(ByteView bytes);

    State state() const;
    /// Bytes that belong to no finished request yet, or wait behind one.
    size_t unread_bytes() const;
    /// From the end of the header on: the client waits for 100 Continue before it sends the body.
    bool expects_continue() const;
    /// The complete request and how its connection goes on; the next feed, which may be empty,
    /// begins the next request.
    struct Taken {
        HttpRequest request;
        bool keep_alive = false;
        /// HTTP/1.0 does not know chunks.
        bool chunks_allowed = false;
    };
    Taken take();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Turns the bytes of a connection into the one response that is waited for; pure.
class HttpResponseDecoder {
  public:
    struct Options {
        HttpLimits limits{};
        /// The answer to HEAD has no body, whatever its length says.
        bool head = false;
    };
    explicit HttpResponseDecoder(Options options);
    ~HttpResponseDecoder();
    HttpResponseDecoder(const HttpResponseDecoder&) = delete;
    HttpResponseDecoder& operator=(const HttpResponseDecoder&) = delete;

    /// Takes all the bytes; interim answers (100 Continue) are skipped. Errors as above.
    Result<void> feed(ByteView bytes);
    /// The peer has closed. Error: http_malformed where the response is not complete by that.
    Result<void> feed_end();

    bool header_complete() const;
    bool complete() const;
    /// The response is complete, nothing is behind it, and the connection goes on.
    bool keeps_alive() const;
    int status() const;
    HttpHeaders headers() const;
    /// The body's bytes since the last call.
    std::string take_body();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace teetee::net
