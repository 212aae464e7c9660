// SPDX-License-Identifier: Apache-2.0
#include "api/request_trace.hpp"

#include <utility>

#include <boost/json/parse.hpp>

namespace teetee::api {
namespace {

constexpr size_t error_body_bytes_max = 4096;

double milliseconds(Duration duration) {
    return static_cast<double>(std::chrono::round<std::chrono::microseconds>(duration).count()) /
           1000;
}

class ObservedExchange final : public net::HttpExchange {
  public:
    ObservedExchange(std::shared_ptr<net::HttpExchange> inner, std::shared_ptr<RequestTrace> trace)
        : inner_(std::move(inner)), state_(std::make_shared<State>()) {
        state_->trace = std::move(trace);
        inner_->on_disconnect([state = state_] {
            state->is_gone = true;
            // First, so that what it ends is counted.
            if (const auto callback = std::exchange(state->on_disconnect, nullptr)) callback();
            state->trace->end("gone");
        });
    }
    ~ObservedExchange() override { state_->trace->end(state_->is_gone ? "gone" : "cut"); }

    void respond(net::HttpResponse response) override {
        state_->trace->on_status(response.status);
        if (response.status >= 400) state_->trace->on_error_body(response.content());
        inner_->respond(std::move(response));
        state_->trace->end("done");
    }
    void begin_stream(int status, std::string_view content_type,
                      const net::HttpHeaders& headers) override {
        state_->trace->on_status(status);
        state_->trace->on_stream();
        inner_->begin_stream(status, content_type, headers);
    }
    void write(std::string_view chunk) override { inner_->write(chunk); }
    void finish() override {
        inner_->finish();
        state_->trace->end("done");
    }
    void on_disconnect(std::function<void()> callback) override {
        state_->on_disconnect = std::move(callback);
    }
    size_t pending_bytes() const override { return inner_->pending_bytes(); }

  private:
    /// The exchange may go before its connection does.
    struct State {
        std::shared_ptr<RequestTrace> trace;
        std::function<void()> on_disconnect;
        bool is_gone = false;
    };

    std::shared_ptr<net::HttpExchange> inner_;
    std::shared_ptr<State> state_;
};

}  // namespace

RequestTrace::RequestTrace(const World& world, Request request)
    : world_(world), request_(std::move(request)), began_at_(world.clock.now()) {
    ++world_.meter->in_flight;
}

void RequestTrace::add_answer(const AnswerFacts& answer) {
    ++answers_;
    total_.prompt_tokens += answer.prompt_tokens;
    total_.cached_tokens += answer.cached_tokens;
    total_.completion_tokens += answer.completion_tokens;
    if (!answer.first_token) return;
    if (!total_.first_token || *answer.first_token < *total_.first_token)
        total_.first_token = answer.first_token;
    world_.meter->first_token.add(*answer.first_token);
    if (answer.completion_tokens < 2 || answer.rest <= Duration{}) return;
    const double rest_s = std::chrono::duration<double>(answer.rest).count();
    world_.meter->token_rate.add((answer.completion_tokens - 1) / rest_s);
}

void RequestTrace::on_error_body(std::string_view body) {
    if (body.size() > error_body_bytes_max) return;
    boost::system::error_code error;
    const auto value = boost::json::parse(body, error);
    const auto* code = error ? nullptr : value.find_pointer("/error/code", error);
    if (code != nullptr && code->is_string()) error_ = code->as_string();
}

void RequestTrace::end(std::string_view outcome) {
    if (std::exchange(has_ended_, true)) return;
    // Whoever drops an exchange unanswered has answered that.
    if (outcome == "cut" && status_ == 0) status_ = 500;
    const Duration took = world_.clock.now() - began_at_;
    --world_.meter->in_flight;
    const int counted = failed_status_ != 0 ? failed_status_ : status_;
    ++world_.meter->requests[{request_.route, counted / 100}];
    if (!request_.is_probe) world_.meter->request.add(took);
    if (world_.log != nullptr) write_line(outcome, took);
}

void RequestTrace::write_line(std::string_view outcome, Duration took) {
    std::vector<LogField> fields = {{"request_id", request_.id},
                                    {"method", request_.method},
                                    {"route", std::string(request_.route)},
                                    {"status", int64_t{status_}},
                                    {"outcome", std::string(outcome)},
                                    {"duration_ms", milliseconds(took)}};
    if (request_.is_sealed) fields.push_back({"sealed", true});
    if (is_streamed_) fields.push_back({"streamed", true});
    if (!error_.empty()) fields.push_back({"error", error_});
    if (answers_ > 0) {
        fields.push_back({"answers", static_cast<int64_t>(answers_)});
        fields.push_back({"prompt_tokens", int64_t{total_.prompt_tokens}});
        fields.push_back({"cached_tokens", int64_t{total_.cached_tokens}});
        fields.push_back({"completion_tokens", int64_t{total_.completion_tokens}});
    }
    if (total_.first_token) fields.push_back({"first_token_ms", milliseconds(*total_.first_token)});
    // A client that pays asks for it several times in an answer; what fails is worth a line.
    const bool is_routine =
        request_.is_probe || (request_.route == "/v1/payment/raise" && status_ < 400);
    world_.log->event(is_routine ? LogLevel::debug : LogLevel::info, "request", fields);
}

std::shared_ptr<net::HttpExchange> RequestTrace::observe(
    std::shared_ptr<net::HttpExchange> exchange, std::shared_ptr<RequestTrace> trace) {
    return std::make_shared<ObservedExchange>(std::move(exchange), std::move(trace));
}

}  // namespace teetee::api
