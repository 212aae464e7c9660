// SPDX-License-Identifier: Apache-2.0
#include "hub/web.hpp"

#include <atomic>

#include "hub/headers.hpp"
#include "net/http_server.hpp"
#include "net/test_support.hpp"

namespace teetee::hub {
namespace {

/// Two servers; the first sends on to the second, or to itself.
class web : public testing::Test {
  protected:
    using Handler = std::function<net::HttpResponse(const net::HttpRequest&)>;

    ~web() override {
        thread.call([this] { servers.clear(); });
    }

    std::string serve(Handler handler) {
        std::string url;
        thread.call([&] {
            servers.push_back(
                net::HttpServer::listen(thread.loop(), {"127.0.0.1", 0}, {},
                                        [handler = std::move(handler)](
                                            const net::HttpRequest& request,
                                            const std::shared_ptr<net::HttpExchange>& exchange) {
                                            exchange->respond(handler(request));
                                        })
                    .value());
            url = "http://127.0.0.1:" + std::to_string(servers.back()->port());
        });
        return url;
    }

    WebOptions options(const std::string& origin) const {
        return {.token = "secret", .token_origin = origin_of(origin).value()};
    }

    SystemClock clock;
    SystemRng rng;
    std::vector<std::unique_ptr<net::HttpServer>> servers;
    net::LoopThread thread;
};

net::HttpResponse response(int status, net::HttpHeaders headers = {}) {
    net::HttpResponse out;
    out.status = status;
    out.headers = std::move(headers);
    return out;
}

net::HttpResponse show_token(const net::HttpRequest& request) {
    const auto token = field(request.headers, "authorization");
    net::HttpResponse out;
    out.body = token.empty() ? "none" : std::string(token);
    return out;
}

TEST_F(web, a_token_goes_to_its_own_server_alone) {
    const std::string other = serve(show_token);
    const std::string hub = serve([&](const net::HttpRequest& request) {
        if (request.path == "/here") return show_token(request);
        const std::string location = request.path == "/there" ? other + "/x" : "/here";
        return response(302, {{"location", location}, {"x-linked-etag", "\"e\""}});
    });
    const Web asking(options(hub), clock, rng);
    EXPECT_EQ(asking.ask({.url = hub + "/here"})->body, "Bearer secret");
    EXPECT_EQ(asking.ask({.url = hub + "/within"})->body, "Bearer secret");
    const auto there = asking.ask({.url = hub + "/there"});
    EXPECT_EQ(there->body, "none");
    EXPECT_EQ(there->url, other + "/x");
    EXPECT_EQ(there->linked.at("x-linked-etag"), "\"e\"");
    EXPECT_EQ(asking.ask({.url = other + "/x"})->body, "none");
}

TEST_F(web, is_not_sent_on_for_ever) {
    std::atomic<size_t> asked = 0;
    const std::string hub = serve([&](const net::HttpRequest&) {
        ++asked;
        return response(307, {{"location", "/again"}});
    });
    const Web asking(options(hub), clock, rng);
    EXPECT_EQ(asking.ask({.url = hub}).error().code, ErrorCode::hub_refused);
    EXPECT_EQ(asked, redirects_max + 1);
}

TEST_F(web, tries_again_what_may_pass_and_says_so) {
    std::atomic<size_t> asked = 0;
    const std::string hub =
        serve([&](const net::HttpRequest&) { return response(++asked < 3 ? 503 : 404); });
    WebOptions patient = options(hub);
    patient.retry.pause_first = std::chrono::milliseconds(1);
    size_t waits = 0;
    patient.on_wait = [&](const Failure& why, Duration) {
        ++waits;
        EXPECT_EQ(why.error.code, ErrorCode::hub_unavailable);
    };
    const Web asking(patient, clock, rng);
    EXPECT_EQ(asking.ask_patiently({.url = hub})->status, 404);
    EXPECT_EQ(waits, 2u);
}

TEST_F(web, stops_when_it_is_told_to) {
    const std::string hub = serve([](const net::HttpRequest&) {
        return response(503, {{"retry-after", "200"}});
    });
    std::stop_source stop;
    WebOptions stoppable = options(hub);
    stoppable.stop = stop.get_token();
    stoppable.on_wait = [&](const Failure&, Duration) { stop.request_stop(); };
    const Web asking(stoppable, clock, rng);
    EXPECT_EQ(asking.ask_patiently({.url = hub}).error().code, ErrorCode::cancelled);
}

TEST(token, is_one_word) {
    EXPECT_EQ(*clean_token(" hf_abc\r\n"), "hf_abc");
    EXPECT_EQ(*clean_token(" \n"), "");
    for (const std::string text : {"two words", "a\nb", "\xc3\xa4"}) {
        const auto token = clean_token(text);
        ASSERT_FALSE(token);
        EXPECT_EQ(token.error().detail.find(text), std::string::npos);
    }
    EXPECT_FALSE(clean_token(std::string(token_bytes_max + 1, 'a')));
}

}  // namespace
}  // namespace teetee::hub
