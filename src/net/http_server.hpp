// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/world.hpp"
#include "net/http_decoder.hpp"
#include "net/rate_limit.hpp"
#include "net/stream.hpp"

namespace teetee::net {

struct HttpServerOptions {
    HttpLimits limits{};
    /// From the first byte of a request, or from the accepted connection, to the end of the header.
    Duration header_time_max = std::chrono::seconds(10);
    Duration body_time_max = std::chrono::seconds(30);
    /// Without any progress of what is being sent.
    Duration write_time_max = std::chrono::seconds(30);
    Duration idle_time_max = std::chrono::seconds(60);
    /// Where there is one more, the one that has been longest about its request is ended; where all
    /// are being answered, the new one is refused with 503.
    size_t connections_max = 1024;
    /// Of one streamed answer, accepted by write and not yet by the kernel.
    size_t stream_bytes_max = 4u << 20;
    /// Of the bodies of whole answers of all connections that are not sent yet, but for those that
    /// are shared (HttpResponse::shared_body). Where there would be more, the answer that has been
    /// longest on its way is cut off.
    size_t unsent_bytes_max = 256u << 20;
    /// TlsContext::build_server; without it the server speaks plain HTTP.
    std::optional<TlsContext> tls{};
    /// With TLS: handshakes of one source (Stream::source) in time, and at a time. What is beyond
    /// is closed before any. A proxy in front of many clients is one source.
    Rate handshakes_per_source{.burst = 256, .interval = std::chrono::milliseconds(10)};
    size_t half_open_per_source_max = 64;
};

/// One request's answer: either respond, or begin_stream, write..., finish. Whoever drops it
/// unanswered has answered 500; an unfinished stream ends with the connection. After the client has
/// gone all calls do nothing. On the loop's thread only.
class HttpExchange {
  public:
    virtual ~HttpExchange() = default;

    virtual void respond(HttpResponse response) = 0;

    virtual void begin_stream(int status, std::string_view content_type,
                              const HttpHeaders& headers) = 0;
    /// A stream whose pending bytes pass stream_bytes_max ends, as if the client had gone.
    virtual void write(std::string_view chunk) = 0;
    virtual void finish() = 0;

    /// Called once, and never inside another call, if the connection ends before the answer is
    /// complete. A client that closes only its sending half counts as gone.
    virtual void on_disconnect(std::function<void()> callback) = 0;
    virtual size_t pending_bytes() const = 0;
};

/// HTTP/1.1 with keep-alive; pipelined requests are answered one after the other. Its own refusals
/// (400, 408, 413, 431, 500, 503) have the body of build_error_response.
class HttpServer {
  public:
    using Handler = std::function<void(HttpRequest, std::shared_ptr<HttpExchange>)>;

    /// Errors: of Acceptor::listen.
    static Result<std::unique_ptr<HttpServer>> listen(Loop& loop, const Address& address,
                                                      HttpServerOptions options, Handler handler);
    /// Ends all connections at once.
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    uint16_t port() const;
    size_t connection_count() const;
    /// Bounded by unsent_bytes_max.
    size_t unsent_bytes() const;

    /// Accepts no more and ends idle connections; running exchanges may end until the deadline.
    /// `done` is called when no connection is left.
    void stop(Duration deadline, std::function<void()> done);

  private:
    struct Impl;
    explicit HttpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
    std::shared_ptr<Impl> impl_;
};

}  // namespace teetee::net
