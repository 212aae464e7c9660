// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "net/test_support.hpp"

namespace teetee::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A blocking TCP client that sends what it is told, right or wrong.
class RawClient {
  public:
    /// `receive_bytes`: what the kernel takes for it; 0: as it likes.
    explicit RawClient(uint16_t port, int receive_bytes = 0)
        : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        if (receive_bytes > 0)
            ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const timeval patience = {10, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    ~RawClient() { ::close(socket_); }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    void send(std::string_view text) {
        EXPECT_EQ(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(text.size()));
    }
    void end_writing() { ::shutdown(socket_, SHUT_WR); }

    /// Everything until the server closes or `end` has come; `at_a_time` bytes at a time.
    std::string receive(std::string_view end = "\xff", size_t at_a_time = 4096) {
        std::string out;
        std::array<char, 4096> buffer{};
        while (!out.ends_with(end)) {
            const ssize_t bytes = ::recv(socket_, buffer.data(), at_a_time, 0);
            EXPECT_GE(bytes, 0) << "the server did not answer in time; have: " << out;
            if (bytes <= 0) break;
            out.append(buffer.data(), static_cast<size_t>(bytes));
        }
        return out;
    }

  private:
    int socket_;
};

size_t count_of(std::string_view text, std::string_view part) {
    size_t count = 0;
    for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
        ++count;
    }
    return count;
}

/// A server on a thread of its own. "/echo" answers with method, target and body; "/stream" with
/// three chunks; "/hold" is kept open in `held`; "/drop" is not answered. "/shared" is `shared`,
/// "/own" is as large and each client's own.
class http : public testing::Test {
  protected:
    ~http() override {
        thread.call([this] {
            held.reset();
            server.reset();
        });
    }

    void serve(HttpServerOptions options = {}) {
        thread.call([&] {
            auto made = HttpServer::listen(
                thread.loop(), {"127.0.0.1", 0}, options,
                [this](HttpRequest request, std::shared_ptr<HttpExchange> exchange) {
                    answer(request, std::move(exchange));
                });
            ASSERT_TRUE(made) << made.error().message();
            server = std::move(*made);
        });
    }

    void answer(const HttpRequest& request, std::shared_ptr<HttpExchange> exchange) {
        if (request.path == "/drop") return;
        if (request.path == "/stream") {
            exchange->begin_stream(200, "text/event-stream", {{"x-kind", "stream"}});
            for (const char* chunk : {"one ", "", "two ", "three"}) exchange->write(chunk);
            return exchange->finish();
        }
        if (request.path == "/hold") {
            exchange->begin_stream(200, "text/event-stream", {});
            exchange->on_disconnect([this] { disconnected.set_value(); });
            held = std::move(exchange);
            return holding.set_value();
        }
        HttpResponse response;
        if (request.path == "/shared") response.shared_body = shared;
        if (request.path == "/own") response.body = *shared;
        if (request.path == "/shared" || request.path == "/own") return exchange->respond(response);
        response.content_type = "text/plain";
        response.headers["x-bad"] = "a\r\nb";
        response.body = request.method + " " + request.target + " " + request.body;
        exchange->respond(response);
    }

    uint16_t port() const { return server->port(); }
    std::string url(const std::string& target, const char* scheme = "http") const {
        return std::string(scheme) + "://127.0.0.1:" + std::to_string(port()) + target;
    }
    bool in_time(std::promise<void>& event) {
        return event.get_future().wait_for(seconds(10)) == std::future_status::ready;
    }

    /// Asks for `target`, and is served until the kernel takes no more of it.
    std::unique_ptr<RawClient> slow_reader(const std::string& target) {
        auto client = std::make_unique<RawClient>(port(), 64 << 10);
        client->send("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
        client->receive("\r\n\r\n", 1);
        return client;
    }
    static bool comes_true(const std::function<bool()>& condition) {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            std::this_thread::sleep_for(milliseconds(1));
        }
        return true;
    }
    size_t unsent_bytes() {
        size_t out = 0;
        thread.call([&] { out = server->unsent_bytes(); });
        return out;
    }

    const std::shared_ptr<const std::string> shared =
        std::make_shared<const std::string>(16u << 20, 'p');
    std::unique_ptr<HttpServer> server;
    std::shared_ptr<HttpExchange> held;
    std::promise<void> holding;
    std::promise<void> disconnected;
    /// Last, so that it stops before what its calls use is gone.
    LoopThread thread;
};

TEST_F(http, client_and_server_agree) {
    serve();
    const auto response = http_fetch({.method = "POST",
                                      .url = url("/echo?x=1"),
                                      .headers = {{"x-a", "b"}},
                                      .body = std::string(200'000, 'z')});
    ASSERT_TRUE(response) << response.error().message();
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->headers.at("content-type"), "text/plain");
    EXPECT_EQ(response->headers.at("x-bad"), "a  b");
    EXPECT_EQ(response->body, "POST /echo?x=1 " + std::string(200'000, 'z'));
    EXPECT_EQ(http_fetch({.url = url("/stream")})->body, "one two three");
    const auto head = http_fetch({.method = "HEAD", .url = url("/echo")});
    EXPECT_EQ(head->headers.at("content-length"), "11");
    EXPECT_EQ(head->body, "");
    EXPECT_EQ(http_fetch({.method = "HEAD", .url = url("/stream")})->body, "");
}

TEST_F(http, streams_reach_the_client_in_parts_and_may_be_ended_by_it) {
    serve();
    std::string seen;
    const auto all =
        http_fetch({.url = url("/stream"), .on_body_chunk = [&](std::string_view part) {
                        seen += part;
                        return true;
                    }});
    EXPECT_EQ(seen, "one two three");
    EXPECT_EQ(all->body, "");
    std::thread writer([&] {
        EXPECT_TRUE(in_time(holding));
        thread.call([&] { held->write("first"); });
    });
    const auto stopped =
        http_fetch({.url = url("/hold"), .on_body_chunk = [](std::string_view) { return false; }});
    writer.join();
    ASSERT_TRUE(stopped);
    EXPECT_EQ(stopped->status, 200);
    EXPECT_TRUE(in_time(disconnected));
}

TEST_F(http, a_call_may_end_with_the_header) {
    serve();
    std::string kind;
    size_t body_bytes = 0;
    HttpClientRequest request = {.url = url("/hold")};
    request.on_head = [&](int status, const HttpHeaders& headers) {
        kind = headers.at("content-type");
        return status != 200;
    };
    request.on_body_chunk = [&](std::string_view chunk) {
        body_bytes += chunk.size();
        return true;
    };
    const auto response = http_fetch(request);
    ASSERT_TRUE(response) << response.error().message();
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(kind, "text/event-stream");
    EXPECT_EQ(body_bytes, 0u);
    EXPECT_TRUE(in_time(disconnected));
    request.url = url("/drop");
    EXPECT_EQ(http_fetch(request)->status, 500);
    EXPECT_GT(body_bytes, 0u);
}

TEST_F(http, a_call_ends_when_it_is_no_longer_wanted) {
    serve();
    std::stop_source stop;
    std::thread stopper([&] {
        EXPECT_TRUE(in_time(holding));
        stop.request_stop();
    });
    const auto stopped = http_fetch({.url = url("/hold"), .stop = stop.get_token()});
    stopper.join();
    EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
    EXPECT_EQ(http_fetch({.url = url("/echo"), .stop = stop.get_token()}).error().code,
              ErrorCode::cancelled);
}

TEST_F(http, connections_are_kept_and_pipelined_requests_answered_in_order) {
    serve();
    RawClient client(port());
    client.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(count_of(client.receive("GET /echo "), "200 OK"), 1u);
    std::string many;
    for (int i = 0; i < 500; ++i) {
        many += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
    }
    many += "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    client.send(many);
    const std::string answers = client.receive();
    EXPECT_EQ(count_of(answers, "HTTP/1.1 200 OK"), 501u);
    size_t at = 0;
    for (int i = 0; i < 500 && at != std::string::npos; ++i) {
        at = answers.find("GET /" + std::to_string(i) + " ", at);
    }
    EXPECT_NE(at, std::string::npos);
    EXPECT_TRUE(answers.ends_with("GET /last "));
    EXPECT_EQ(count_of(answers, "connection: close"), 1u);
}

TEST_F(http, old_clients_get_plain_streams) {
    serve();
    RawClient client(port());
    client.send("GET /stream HTTP/1.0\r\n\r\n");
    const std::string answer = client.receive();
    EXPECT_EQ(count_of(answer, "chunked"), 0u);
    EXPECT_TRUE(answer.ends_with("\r\n\r\none two three"));
}

TEST_F(http, malformed_requests_get_400_in_json_and_the_end) {
    serve();
    for (const char* bad :
         {"hello world\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
        RawClient client(port());
        client.send(bad);
        const std::string answer = client.receive();
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 Bad Request\r\n")) << answer;
        EXPECT_NE(answer.find("\"type\":\"invalid_request_error\",\"code\":\"http_malformed\""),
                  std::string::npos);
    }
}

TEST_F(http, too_much_gets_413_and_431) {
    serve({.limits = {.header_bytes_max = 1000, .body_bytes_max = 1000}});
    const auto large =
        http_fetch({.method = "POST", .url = url("/echo"), .body = std::string(500'000, 'x')});
    ASSERT_TRUE(large) << large.error().message();
    EXPECT_EQ(large->status, 413);
    RawClient client(port());
    client.send(
        "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n");
    EXPECT_TRUE(client.receive().starts_with("HTTP/1.1 413 "));
    EXPECT_EQ(http_fetch({.url = url("/" + std::string(2000, 'a'))})->status, 431);
}

TEST_F(http, continue_is_sent_to_who_waits_for_it) {
    serve();
    RawClient client(port());
    client.send("POST /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    EXPECT_EQ(client.receive("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ab");
    EXPECT_NE(client.receive("POST /e ab").find("200 OK"), std::string::npos);
}

TEST_F(http, slow_requests_get_408_and_silent_ones_nothing) {
    serve({.header_time_max = milliseconds(100), .body_time_max = milliseconds(100)});
    RawClient slow(port());
    slow.send("GET / HT");
    EXPECT_TRUE(slow.receive().starts_with("HTTP/1.1 408 "));
    RawClient slow_body(port());
    slow_body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab");
    EXPECT_TRUE(slow_body.receive().starts_with("HTTP/1.1 408 "));
    RawClient silent(port());
    EXPECT_EQ(silent.receive(), "");
}

TEST_F(http, idle_connections_end) {
    serve({.idle_time_max = milliseconds(100)});
    RawClient client(port());
    client.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(client.receive().ends_with("GET /echo "));
}

TEST_F(http, a_client_that_goes_mid_stream_is_noticed) {
    serve();
    {
        RawClient client(port());
        client.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
        client.receive("\r\n\r\n");
        thread.call([&] { held->write("data: 1\n\n"); });
        client.receive("data: 1\n\n\r\n");
    }
    EXPECT_TRUE(in_time(disconnected));
    thread.call([&] {
        held->write("late");
        held->finish();
        EXPECT_EQ(server->connection_count(), 0u);
    });
}

TEST_F(http, a_half_closed_client_still_gets_a_ready_answer) {
    serve();
    RawClient client(port());
    client.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    client.end_writing();
    EXPECT_TRUE(client.receive().ends_with("GET /echo "));
}

TEST_F(http, a_client_that_does_not_read_is_cut_off) {
    serve({.stream_bytes_max = 100'000});
    RawClient client(port());
    client.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(in_time(holding));
    bool gone = false;
    for (int i = 0; i < 10'000 && !gone; ++i) {
        thread.call([&] {
            EXPECT_LE(held->pending_bytes(), 100'000u);
            held->write(std::string(10'000, 'x'));
            gone = server->connection_count() == 0;
        });
    }
    EXPECT_TRUE(gone);
    EXPECT_TRUE(in_time(disconnected));
}

TEST_F(http, what_many_are_sent_is_there_once) {
    serve();
    constexpr size_t readers = 12;
    std::vector<std::unique_ptr<RawClient>> clients;
    for (size_t i = 0; i < readers; ++i) clients.push_back(slow_reader("/shared"));
    // Each waits with nearly all of it unsent, and holds the same body.
    thread.call([&] { EXPECT_EQ(server->connection_count(), readers); });
    EXPECT_EQ(shared.use_count(), static_cast<long>(readers + 1));
    EXPECT_EQ(unsent_bytes(), 0u);
    // None of it is missing, and none is kept when it is sent.
    EXPECT_EQ(clients[0]->receive(*shared).size(), shared->size());
    clients[0]->send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(clients[0]->receive("GET /echo ").starts_with("HTTP/1.1 200 OK\r\n"));
    EXPECT_EQ(shared.use_count(), static_cast<long>(readers));
    clients.clear();
    EXPECT_TRUE(comes_true([&] { return shared.use_count() == 1; }));
}

TEST_F(http, answers_that_are_not_read_have_a_bound_in_all) {
    serve({.unsent_bytes_max = 3 * shared->size()});
    std::vector<std::unique_ptr<RawClient>> clients;
    for (size_t i = 0; i < 5; ++i) {
        clients.push_back(slow_reader("/own"));
        EXPECT_EQ(unsent_bytes(), std::min<size_t>(i + 1, 3) * shared->size());
    }
    // Those that have been longest about it are the ones that are cut off.
    EXPECT_LT(clients[0]->receive().size(), shared->size());
    EXPECT_LT(clients[1]->receive().size(), shared->size());
    for (size_t i = 2; i < 5; ++i)
        EXPECT_EQ(clients[i]->receive(*shared).size(), shared->size()) << i;
    EXPECT_TRUE(comes_true([&] { return unsent_bytes() == 0; }));
}

TEST_F(http, a_write_that_makes_no_progress_times_out) {
    serve({.write_time_max = milliseconds(200), .stream_bytes_max = 100u << 20});
    RawClient client(port());
    client.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(in_time(holding));
    thread.call([&] { held->write(std::string(50u << 20, 'x')); });
    EXPECT_TRUE(in_time(disconnected));
}

TEST_F(http, dropped_exchanges_answer_500) {
    serve();
    EXPECT_EQ(http_fetch({.url = url("/drop")})->status, 500);
    RawClient client(port());
    client.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(in_time(holding));
    thread.call([&] { held.reset(); });
    EXPECT_EQ(count_of(client.receive(), "0\r\n\r\n"), 0u) << "a cut stream must not look whole";
}

TEST_F(http, connections_too_many_get_503) {
    serve({.connections_max = 1});
    RawClient first(port());
    first.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(in_time(holding));
    RawClient second(port());
    const std::string answer = second.receive();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 "));
    EXPECT_EQ(count_of(answer, "retry-after: 1"), 1u);
    thread.call([&] { held.reset(); });
}

TEST_F(http, connections_that_say_little_make_room_for_others) {
    serve({.connections_max = 3});
    RawClient silent(port());
    RawClient slow(port());
    slow.send("GET /echo HTTP/1.1\r\nHo");
    RawClient idle(port());
    idle.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    idle.receive("GET /echo ");
    // The longest about its request goes first, whatever it has sent of it.
    RawClient others[2] = {RawClient(port()), RawClient(port())};
    for (RawClient& other : others) {
        other.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT_EQ(count_of(other.receive("GET /echo "), "HTTP/1.1 200"), 1u);
    }
    EXPECT_EQ(silent.receive(), "");
    EXPECT_EQ(slow.receive(), "");
    idle.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(count_of(idle.receive("GET /echo "), "HTTP/1.1 200"), 1u);
}

TEST_F(http, stopping_lets_running_exchanges_end) {
    serve();
    RawClient idle(port());
    idle.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    idle.receive("GET /echo ");
    RawClient busy(port());
    busy.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(in_time(holding));
    std::promise<void> stopped;
    thread.call([&] { server->stop(seconds(10), [&] { stopped.set_value(); }); });
    EXPECT_EQ(idle.receive(), "");
    thread.call([&] {
        held->write("bye");
        held->finish();
    });
    EXPECT_TRUE(busy.receive().ends_with("bye\r\n0\r\n\r\n"));
    EXPECT_TRUE(in_time(stopped));
}

TEST_F(http, stopping_ends_the_rest_at_the_deadline) {
    serve();
    RawClient busy(port());
    busy.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(in_time(holding));
    std::promise<void> stopped;
    thread.call([&] { server->stop(milliseconds(50), [&] { stopped.set_value(); }); });
    EXPECT_TRUE(in_time(stopped));
    EXPECT_TRUE(in_time(disconnected));
}

TEST_F(http, a_port_in_use_is_named) {
    serve();
    Loop loop;
    const auto second =
        HttpServer::listen(loop, {"127.0.0.1", port()}, {}, [](HttpRequest, auto) {});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::port_in_use);
    EXPECT_NE(second.error().detail.find(std::to_string(port())), std::string::npos);
}

TEST_F(http, tls_is_served_to_clients_that_verify) {
    const TlsIdentity identity = make_identity("entry");
    serve({.tls = *TlsContext::build_server(identity)});
    HttpClientRequest request;
    request.url = url("/stream", "https");
    EXPECT_EQ(http_fetch(request).error().code, ErrorCode::channel_unbound);
    Bytes seen;
    request.verify_certificate = [&](ByteView der) -> Result<void> {
        seen.assign(der.begin(), der.end());
        return {};
    };
    const auto response = http_fetch(request);
    ASSERT_TRUE(response) << response.error().message();
    EXPECT_EQ(response->body, "one two three");
    EXPECT_EQ(seen, identity.certificate_der);
    EXPECT_FALSE(http_fetch({.url = url("/stream")})) << "plain HTTP to a TLS port";
}

TEST_F(http, tls_handshakes_of_one_source_are_limited_in_time) {
    const auto accept_any = [](ByteView) -> Result<void> { return {}; };
    HttpServerOptions options{.tls = *TlsContext::build_server(make_identity("entry"))};
    options.handshakes_per_source = {.burst = 2, .interval = std::chrono::hours(1)};
    serve(options);
    const HttpClientRequest request{.url = url("/echo", "https"), .verify_certificate = accept_any};
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(http_fetch(request));
    EXPECT_FALSE(http_fetch(request));
    // Plain HTTP costs no handshake.
    options.tls.reset();
    thread.call([this] { server.reset(); });
    serve(options);
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(http_fetch({.url = url("/echo")}));
}

TEST_F(http, silent_tls_connections_of_one_source_are_limited) {
    HttpServerOptions options{.tls = *TlsContext::build_server(make_identity("entry"))};
    options.half_open_per_source_max = 1;
    serve(options);
    const HttpClientRequest request{
        .url = url("/echo", "https"),
        .verify_certificate = [](ByteView) -> Result<void> { return {}; }};
    Loop loop;
    std::unique_ptr<Stream> silent;
    connect(loop, {"127.0.0.1", port()}, std::chrono::seconds(5),
            [&](Result<std::unique_ptr<Stream>> stream) { silent = std::move(*stream); });
    run_until(loop, [&] { return silent != nullptr; });
    EXPECT_FALSE(http_fetch(request));
    silent->close();
    run_until(loop, [&] { return http_fetch(request).has_value(); });
}

TEST_F(http, a_verifier_that_refuses_sends_no_request) {
    serve({.tls = *TlsContext::build_server(make_identity("entry"))});
    const auto response = http_fetch(
        {.url = url("/hold", "https"), .verify_certificate = [](ByteView) -> Result<void> {
             return fail(ErrorCode::simulated_rejected, "simulated TEE");
         }});
    EXPECT_EQ(response.error().code, ErrorCode::simulated_rejected);
    thread.call([&] { EXPECT_EQ(held, nullptr); });
}

TEST_F(http, client_limits_and_refusals) {
    serve();
    EXPECT_EQ(http_fetch({.url = "nowhere"}).error().code, ErrorCode::address_invalid);
    EXPECT_EQ(http_fetch({.url = url("/echo"), .response_bytes_max = 5}).error().code,
              ErrorCode::body_too_large);
    EXPECT_EQ(http_fetch({.url = url("/hold"), .time_max = milliseconds(100)}).error().code,
              ErrorCode::timed_out);
    EXPECT_EQ(http_fetch({.method = "GET /x HTTP/1.1\r\n", .url = url("/")}).error().code,
              ErrorCode::invalid_argument);
    EXPECT_EQ(http_fetch({.url = url("/"), .headers = {{"a", "b\r\nc: d"}}}).error().code,
              ErrorCode::invalid_argument);
    thread.call([&] { server.reset(); });
    EXPECT_EQ(http_fetch({.url = "http://127.0.0.1:1/"}).error().code, ErrorCode::connect_failed);
}

}  // namespace
}  // namespace teetee::net
