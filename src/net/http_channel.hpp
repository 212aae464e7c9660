// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/address.hpp"
#include "net/http_client.hpp"
#include "net/loop.hpp"

namespace teetee::net {

class Stream;

struct HttpChannelOptions {
    /// http or https; what is asked goes to its target.
    std::string url{};
    /// Sent with every request. Host, Content-Length and Connection are added.
    HttpHeaders headers{};
    Duration connect_time_max = std::chrono::seconds(5);
    /// From the call of `post` to its end, the time in the queue included.
    Duration time_max = std::chrono::seconds(15);
    size_t response_bytes_max = 8u << 20;
    /// Requests that wait or are under way.
    size_t queue_max = 1024;
    /// Needed for https, refused for http.
    std::optional<WebPki> web_pki{};
};

/// Asks one server over one connection that is kept, one request after the other, and dialled anew
/// when it was lost: for servers that are asked all the time. A request that a kept connection was
/// lost under, before a byte of its answer came, is sent again over a new one, once: servers end
/// idle connections at any moment. So ask only for what may be asked twice. Lives on the loop's
/// thread.
class HttpChannel {
  public:
    using Done = std::function<void(Result<HttpClientResponse>)>;

    /// Does not connect yet. Errors: address_invalid; channel_unbound for https without web_pki or
    /// http with it; invalid_argument (header); tls_failed.
    static Result<std::unique_ptr<HttpChannel>> build(Loop& loop, HttpChannelOptions options);
    /// What is not done is never done.
    ~HttpChannel();
    HttpChannel(const HttpChannel&) = delete;
    HttpChannel& operator=(const HttpChannel&) = delete;

    /// `done` comes later, once. Any status is a success. Errors: overloaded, connect_failed,
    /// timed_out, tls_failed, connection_closed, http_malformed, body_too_large, limit_exceeded.
    void post(std::string body, Done done);

    /// How often it has connected.
    size_t connections() const;

  private:
    struct Impl;
    explicit HttpChannel(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
    std::shared_ptr<Impl> impl_;
};

}  // namespace teetee::net
