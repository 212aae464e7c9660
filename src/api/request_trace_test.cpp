// SPDX-License-Identifier: Apache-2.0
#include "api/request_trace.hpp"

#include <map>
#include <vector>

#include <gtest/gtest.h>

namespace teetee::api {
namespace {

using std::chrono::milliseconds;

class HandClock final : public Clock {
  public:
    Instant now() const override { return time; }
    UnixSeconds unix_now() const override { return 0; }
    Instant time{};
};

struct RecordingLog final : StructuredLog {
    struct Line {
        LogLevel level{};
        std::string message;
        std::map<std::string, std::variant<std::string, int64_t, double, bool>> fields;
    };
    void event(LogLevel level, std::string_view message,
               std::span<const LogField> fields) override {
        Line line{level, std::string(message), {}};
        for (const LogField& field : fields) line.fields.emplace(field.name, field.value);
        lines.push_back(std::move(line));
    }
    std::vector<Line> lines;
};

struct InnerExchange final : net::HttpExchange {
    void respond(net::HttpResponse) override { ++calls; }
    void begin_stream(int, std::string_view, const net::HttpHeaders&) override { ++calls; }
    void write(std::string_view) override { ++calls; }
    void finish() override { ++calls; }
    void on_disconnect(std::function<void()> callback) override { disconnect = callback; }
    size_t pending_bytes() const override { return 7; }

    int calls = 0;
    std::function<void()> disconnect;
};

class request_trace : public ::testing::Test {
  protected:
    std::shared_ptr<net::HttpExchange> begin(std::string_view route = "/v1/chat/completions") {
        trace_ = std::make_shared<RequestTrace>(
            RequestTrace::World{clock_, meter_, &log_},
            RequestTrace::Request{
                .id = "req_1", .method = "POST", .route = route, .is_probe = route == "/metrics"});
        return RequestTrace::observe(inner_, trace_);
    }
    const RecordingLog::Line& line() {
        EXPECT_EQ(log_.lines.size(), 1u);
        return log_.lines.at(0);
    }

    HandClock clock_;
    std::shared_ptr<HttpMeter> meter_ = std::make_shared<HttpMeter>();
    RecordingLog log_;
    std::shared_ptr<InnerExchange> inner_ = std::make_shared<InnerExchange>();
    std::shared_ptr<RequestTrace> trace_;
};

TEST_F(request_trace, a_whole_answer_is_counted_and_told_of_once) {
    const auto exchange = begin();
    EXPECT_EQ(meter_->in_flight, 1u);
    EXPECT_EQ(exchange->pending_bytes(), 7u);
    clock_.time = milliseconds(1500);
    trace_->add_answer({.prompt_tokens = 4,
                        .cached_tokens = 1,
                        .completion_tokens = 11,
                        .first_token = milliseconds(500),
                        .rest = milliseconds(1000)});
    exchange->respond({});
    EXPECT_EQ(meter_->in_flight, 0u);
    EXPECT_EQ(inner_->calls, 1);
    const std::pair<std::string_view, int> key{"/v1/chat/completions", 2};
    EXPECT_EQ(meter_->requests.at(key), 1u);
    EXPECT_DOUBLE_EQ(meter_->first_token.sum(), 0.5);
    EXPECT_DOUBLE_EQ(meter_->token_rate.sum(), 10);
    EXPECT_DOUBLE_EQ(meter_->request.sum(), 1.5);
    const auto& fields = line().fields;
    EXPECT_EQ(line().level, LogLevel::info);
    EXPECT_EQ(std::get<std::string>(fields.at("request_id")), "req_1");
    EXPECT_EQ(std::get<std::string>(fields.at("outcome")), "done");
    EXPECT_EQ(std::get<int64_t>(fields.at("status")), 200);
    EXPECT_EQ(std::get<int64_t>(fields.at("completion_tokens")), 11);
    EXPECT_DOUBLE_EQ(std::get<double>(fields.at("duration_ms")), 1500);
    EXPECT_DOUBLE_EQ(std::get<double>(fields.at("first_token_ms")), 500);
    EXPECT_FALSE(fields.contains("error"));
}

TEST_F(request_trace, an_error_is_told_of_by_its_code_alone) {
    net::HttpResponse refusal;
    refusal.status = 400;
    refusal.body = R"({"error":{"message":"secret words","code":"field_invalid"}})";
    begin()->respond(refusal);
    EXPECT_EQ(std::get<std::string>(line().fields.at("error")), "field_invalid");
    for (const auto& [name, value] : line().fields) {
        const auto* text = std::get_if<std::string>(&value);
        EXPECT_TRUE(text == nullptr || text->find("secret") == std::string::npos) << name;
    }
    EXPECT_EQ(meter_->requests.begin()->first.second, 4);
}

TEST_F(request_trace, a_client_that_goes_ends_what_it_asked_for_first) {
    auto exchange = begin();
    exchange->begin_stream(200, "text/event-stream", {});
    exchange->on_disconnect([&] {
        trace_->add_answer({.completion_tokens = 3});
        // As a reply does with the last of its answers.
        exchange.reset();
    });
    inner_->disconnect();
    EXPECT_EQ(std::get<std::string>(line().fields.at("outcome")), "gone");
    EXPECT_EQ(std::get<int64_t>(line().fields.at("completion_tokens")), 3);
    EXPECT_TRUE(std::get<bool>(line().fields.at("streamed")));
}

TEST_F(request_trace, a_stream_that_is_dropped_was_cut) {
    begin()->begin_stream(200, "text/event-stream", {});
    EXPECT_EQ(std::get<std::string>(line().fields.at("outcome")), "cut");
    // Its connection lives on for a while.
    inner_->disconnect();
    EXPECT_EQ(log_.lines.size(), 1u);
    EXPECT_EQ(meter_->in_flight, 0u);
}

TEST_F(request_trace, probes_are_for_debugging) {
    begin("/metrics")->respond({});
    EXPECT_EQ(line().level, LogLevel::debug);
}

TEST_F(request_trace, so_is_what_a_client_that_pays_asks_for_all_the_time) {
    begin("/v1/payment/raise")->respond({});
    EXPECT_EQ(line().level, LogLevel::debug);
}

TEST_F(request_trace, a_payment_that_is_refused_is_not) {
    net::HttpResponse refused;
    refused.status = 402;
    begin("/v1/payment/raise")->respond(refused);
    EXPECT_EQ(line().level, LogLevel::info);
}

}  // namespace
}  // namespace teetee::api
