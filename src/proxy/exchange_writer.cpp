// SPDX-License-Identifier: Apache-2.0
#include "proxy/exchange_writer.hpp"

#include <utility>

namespace teetee::proxy {

ExchangeWriter::ExchangeWriter(net::Loop& loop, std::shared_ptr<net::HttpExchange> exchange)
    : loop_(loop), state_(std::make_shared<State>(State{std::move(exchange)})) {
    state_->exchange->on_disconnect([stop = stop_]() mutable { stop.request_stop(); });
}

ExchangeWriter::~ExchangeWriter() {
    post([](std::shared_ptr<net::HttpExchange>& exchange) { exchange.reset(); });
}

template <class Call>
void ExchangeWriter::post(Call call) {
    loop_.post([state = state_, call = std::move(call)]() mutable {
        if (state->exchange) call(state->exchange);
    });
}

void ExchangeWriter::respond(net::HttpResponse response) {
    has_begun_ = true;
    post([response = std::move(response)](std::shared_ptr<net::HttpExchange>& exchange) {
        std::exchange(exchange, nullptr)->respond(std::move(response));
    });
}

void ExchangeWriter::begin(int status, std::string content_type, net::HttpHeaders headers) {
    has_begun_ = true;
    post([status, content_type = std::move(content_type),
          headers = std::move(headers)](std::shared_ptr<net::HttpExchange>& exchange) {
        exchange->begin_stream(status, content_type, headers);
    });
}

void ExchangeWriter::write(std::string chunk) {
    post([chunk = std::move(chunk)](std::shared_ptr<net::HttpExchange>& exchange) {
        exchange->write(chunk);
    });
}

void ExchangeWriter::finish() {
    post([](std::shared_ptr<net::HttpExchange>& exchange) {
        std::exchange(exchange, nullptr)->finish();
    });
}

}  // namespace teetee::proxy
