// SPDX-License-Identifier: Apache-2.0
#include "api/sealed_exchange.hpp"

#include <gtest/gtest.h>

#include "api/sealed_requests.hpp"

namespace teetee::api {
namespace {

/// What of an answer has reached the connection.
struct Outside {
    int status = 0;
    std::string content_type;
    net::HttpHeaders headers;
    std::string body;
    bool finished = false;
    bool dropped = false;
};

class RecordingExchange final : public net::HttpExchange {
  public:
    explicit RecordingExchange(Outside& outside) : outside_(outside) {}
    ~RecordingExchange() override { outside_.dropped = !outside_.finished; }

    void respond(net::HttpResponse response) override {
        begin_stream(response.status, response.content_type, response.headers);
        write(response.body);
        finish();
    }
    void begin_stream(int status, std::string_view content_type,
                      const net::HttpHeaders& headers) override {
        outside_.status = status;
        outside_.content_type = content_type;
        outside_.headers = headers;
    }
    void write(std::string_view chunk) override { outside_.body += chunk; }
    void finish() override { outside_.finished = true; }
    void on_disconnect(std::function<void()>) override {}
    size_t pending_bytes() const override { return outside_.body.size(); }

  private:
    Outside& outside_;
};

class sealed_exchange : public testing::Test {
  protected:
    static sealed::AnswerSecret secret() { return sealed::AnswerSecret(ByteArray<32>{1}); }

    SystemRng rng;
    Outside outside;
    std::shared_ptr<net::HttpExchange> exchange = std::make_shared<SealedExchange>(
        std::make_shared<RecordingExchange>(outside), sealed::AnswerSealer(secret(), rng));
    sealed::AnswerOpener opener{secret()};
};

TEST_F(sealed_exchange, seals_a_whole_answer_with_its_status) {
    exchange->respond({.status = 429,
                       .content_type = "application/json",
                       .headers = {{"retry-after", "1"}},
                       .body = R"({"error":"kv_cache_full"})"});
    EXPECT_TRUE(outside.finished);
    EXPECT_EQ(outside.status, 200);
    EXPECT_EQ(outside.content_type, sealed::content_type);
    EXPECT_FALSE(outside.headers.contains("retry-after"));
    EXPECT_EQ(outside.body.find("error"), std::string::npos);
    EXPECT_EQ(opener.feed(as_bytes(outside.body)).value(), R"({"error":"kv_cache_full"})");
    EXPECT_TRUE(opener.complete());
    EXPECT_EQ(opener.head()->status, 429);
    EXPECT_EQ(opener.head()->headers,
              (sealed::Headers{{"content-type", "application/json"}, {"retry-after", "1"}}));
}

TEST_F(sealed_exchange, streams_a_record_for_each_chunk) {
    exchange->begin_stream(200, "text/event-stream", {});
    size_t before = outside.body.size();
    for (const std::string_view chunk : {"data: 1\n\n", "data: a longer one\n\n"}) {
        exchange->write(chunk);
        EXPECT_EQ(outside.body.size() - before, 5u + 512 + 16);
        EXPECT_EQ(exchange->pending_bytes(), outside.body.size());
        before = outside.body.size();
    }
    exchange->finish();
    EXPECT_TRUE(outside.finished);
    EXPECT_EQ(opener.feed(as_bytes(outside.body)).value(), "data: 1\n\ndata: a longer one\n\n");
    EXPECT_TRUE(opener.complete());
    EXPECT_EQ(opener.head()->headers.at("content-type"), "text/event-stream");
}

TEST_F(sealed_exchange, leaves_a_dropped_stream_without_its_end) {
    exchange->begin_stream(200, "text/event-stream", {});
    exchange->write("data: 1\n\n");
    exchange.reset();
    EXPECT_TRUE(outside.dropped);
    EXPECT_TRUE(opener.feed(as_bytes(outside.body)));
    EXPECT_EQ(opener.feed_end().error().code, ErrorCode::sealed_truncated);
}

TEST_F(sealed_exchange, drops_what_cannot_be_sealed) {
    exchange->respond({.status = 200, .headers = {{"x", "\n"}}, .body = "secret"});
    EXPECT_TRUE(outside.dropped);
    EXPECT_TRUE(outside.body.empty());
}

TEST(sealed_requests, are_known_by_their_content_type) {
    const auto is_sealed = [](std::string type) {
        net::HttpRequest request;
        request.headers.emplace("content-type", std::move(type));
        return SealedRequests::is_sealed(request);
    };
    EXPECT_TRUE(is_sealed("application/teetee-sealed"));
    EXPECT_TRUE(is_sealed("Application/TeeTee-Sealed; v=1"));
    for (const char* other : {"", "application/json", "application/teetee-sealed2",
                              "application/teetee-seale", "x; application/teetee-sealed"}) {
        EXPECT_FALSE(is_sealed(other)) << other;
    }
    EXPECT_FALSE(SealedRequests::is_sealed({}));
}

}  // namespace
}  // namespace teetee::api
