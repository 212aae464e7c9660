// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <stop_token>

#include "net/http_server.hpp"
#include "net/loop.hpp"

namespace teetee::proxy {

/// The answer to an exchange of the loop's, written by another thread. What is neither answered nor
/// finished when this ends is cut, so that nobody takes it for whole.
class ExchangeWriter {
  public:
    /// On the loop's thread. `loop` MUST outlive it.
    ExchangeWriter(net::Loop& loop, std::shared_ptr<net::HttpExchange> exchange);
    ~ExchangeWriter();
    ExchangeWriter(const ExchangeWriter&) = delete;
    ExchangeWriter& operator=(const ExchangeWriter&) = delete;

    // From one thread, whichever.
    void respond(net::HttpResponse response);
    void begin(int status, std::string content_type, net::HttpHeaders headers);
    void write(std::string chunk);
    void finish();
    bool has_begun() const { return has_begun_; }

    /// Requested when the client has gone.
    std::stop_token stop() const { return stop_.get_token(); }
    /// As if it had; from any thread.
    void cancel() { stop_.request_stop(); }

  private:
    /// Touched on the loop's thread alone.
    struct State {
        std::shared_ptr<net::HttpExchange> exchange;
    };
    template <class Call>
    void post(Call call);

    net::Loop& loop_;
    std::shared_ptr<State> state_;
    std::stop_source stop_;
    bool has_begun_ = false;
};

}  // namespace teetee::proxy
