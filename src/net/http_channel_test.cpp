// SPDX-License-Identifier: Apache-2.0
#include "net/http_channel.hpp"

#include <gtest/gtest.h>

#include "net/http_server.hpp"
#include "net/test_support.hpp"

namespace teetee::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Server and channel on one loop. The server echoes; bodies may ask for something else.
class http_channel : public testing::Test {
  protected:
    void serve(HttpServerOptions options = {}, uint16_t port = 0) {
        auto made = HttpServer::listen(
            loop, {"127.0.0.1", port}, options,
            [this](HttpRequest request, std::shared_ptr<HttpExchange> exchange) {
                ++requests;
                remotes.push_back(request.remote);
                if (request.body == "hold") return held.push_back(std::move(exchange));
                HttpResponse response;
                response.body = request.body == "long" ? std::string(1000, 'x')
                                                       : request.target + " " + request.body;
                exchange->respond(response);
            });
        ASSERT_TRUE(made) << made.error().message();
        server = std::move(*made);
    }

    void connect_to(uint16_t port, HttpChannelOptions options = {}) {
        options.url = "http://127.0.0.1:" + std::to_string(port) + "/rpc";
        auto made = HttpChannel::build(loop, std::move(options));
        ASSERT_TRUE(made) << made.error().message();
        channel = std::move(*made);
    }

    void post(const std::string& body) {
        channel->post(body, [this](Result<HttpClientResponse> response) {
            answers.push_back(response ? response->body
                                       : std::string(to_string(response.error().code)));
        });
    }

    void wait_for(size_t count) {
        run_until(loop, [&] { return answers.size() >= count; });
    }

    Loop loop;
    std::unique_ptr<HttpServer> server;
    std::unique_ptr<HttpChannel> channel;
    std::vector<std::shared_ptr<HttpExchange>> held;
    std::vector<std::string> answers;
    std::vector<std::string> remotes;
    size_t requests = 0;
};

TEST_F(http_channel, asks_one_after_the_other_over_one_connection) {
    serve();
    connect_to(server->port());
    for (const char* body : {"a", "b", "c"}) post(body);
    EXPECT_TRUE(answers.empty());
    wait_for(3);
    post("d");
    wait_for(4);
    EXPECT_EQ(answers, (std::vector<std::string>{"/rpc a", "/rpc b", "/rpc c", "/rpc d"}));
    EXPECT_EQ(channel->connections(), 1u);
}

TEST_F(http_channel, a_kept_connection_that_the_server_ended_is_dialled_anew) {
    serve({.idle_time_max = milliseconds(20)});
    connect_to(server->port());
    post("a");
    wait_for(1);
    run_until(loop, [&] { return server->connection_count() == 0; });
    post("b");
    wait_for(2);
    EXPECT_EQ(answers.back(), "/rpc b");
    EXPECT_EQ(channel->connections(), 2u);
    EXPECT_EQ(requests, 2u);
}

TEST_F(http_channel, a_server_that_comes_back_is_asked_again) {
    serve();
    const uint16_t port = server->port();
    connect_to(port);
    post("a");
    wait_for(1);
    server.reset();
    post("b");
    wait_for(2);
    EXPECT_EQ(answers.back(), "connect_failed");
    serve({}, port);
    post("c");
    wait_for(3);
    EXPECT_EQ(answers.back(), "/rpc c");
}

TEST_F(http_channel, late_answers_are_not_taken_for_the_next_ones) {
    serve();
    connect_to(server->port(), {.time_max = milliseconds(100)});
    post("hold");
    wait_for(1);
    EXPECT_EQ(answers.back(), "timed_out");
    ASSERT_EQ(held.size(), 1u);
    post("b");
    held[0]->respond(HttpResponse());
    wait_for(2);
    EXPECT_EQ(answers.back(), "/rpc b");
    EXPECT_EQ(channel->connections(), 2u);
}

TEST_F(http_channel, what_waits_too_long_behind_others_is_told) {
    serve();
    connect_to(server->port(), {.time_max = milliseconds(100)});
    post("hold");
    post("hold");
    post("c");
    wait_for(3);
    EXPECT_EQ(answers, (std::vector<std::string>(3, "timed_out")));
}

TEST_F(http_channel, answers_and_the_queue_have_limits) {
    serve();
    connect_to(server->port(), {.response_bytes_max = 500, .queue_max = 2});
    post("long");
    post("b");
    post("c");
    wait_for(3);
    EXPECT_EQ(answers, (std::vector<std::string>{"overloaded", "body_too_large", "/rpc b"}));
}

TEST_F(http_channel, may_go_while_it_asks) {
    serve();
    connect_to(server->port());
    post("hold");
    post("b");
    run_until(loop, [&] { return !held.empty(); });
    channel.reset();
    held[0]->respond(HttpResponse());
    run_for(loop, milliseconds(20));
    EXPECT_TRUE(answers.empty());
}

TEST_F(http_channel, servers_are_known_or_not_asked) {
    const auto code = [&](HttpChannelOptions options) {
        const auto made = HttpChannel::build(loop, std::move(options));
        return made ? ErrorCode{} : made.error().code;
    };
    EXPECT_EQ(code({.url = "https://127.0.0.1:1/"}), ErrorCode::channel_unbound);
    EXPECT_EQ(code({.url = "http://127.0.0.1:1/", .web_pki = WebPki{}}),
              ErrorCode::channel_unbound);
    EXPECT_EQ(code({.url = "ftp://127.0.0.1"}), ErrorCode::address_invalid);
    EXPECT_EQ(code({.url = "http://127.0.0.1/", .headers = {{"a b", "c"}}}),
              ErrorCode::invalid_argument);
    EXPECT_EQ(code({.url = "https://127.0.0.1:1/", .web_pki = WebPki{}}), ErrorCode{});
}

}  // namespace
}  // namespace teetee::net
