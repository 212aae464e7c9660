// SPDX-License-Identifier: Apache-2.0
#include "net/http_decoder.hpp"

#include <gtest/gtest.h>

namespace teetee::net {
namespace {

using State = HttpRequestDecoder::State;

const HttpLimits small = {.header_bytes_max = 512, .body_bytes_max = 100};

Result<State> decode(std::string_view text) {
    HttpRequestDecoder decoder(small);
    return decoder.feed(as_bytes(text));
}

TEST(http_request, is_read_whole_or_byte_by_byte_and_the_next_one_waits) {
    const std::string_view stream =
        "POST /v1/chat?a=1&b HTTP/1.1\r\nHost: x\r\nX-Tag: one\r\nx-tag: two\r\n"
        "Content-Length: 5\r\n\r\nhello"
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    for (const size_t step : {size_t{1}, stream.size()}) {
        HttpRequestDecoder decoder(small);
        std::vector<HttpRequestDecoder::Taken> taken;
        for (size_t at = 0; at < stream.size(); at += step) {
            auto state = decoder.feed(as_bytes(stream.substr(at, step)));
            while (state && *state == State::complete) {
                taken.push_back(decoder.take());
                state = decoder.feed({});
            }
            ASSERT_TRUE(state) << state.error().message();
        }
        ASSERT_EQ(taken.size(), 2u);
        const HttpRequest& request = taken[0].request;
        EXPECT_EQ(request.method, "POST");
        EXPECT_EQ(request.target, "/v1/chat?a=1&b");
        EXPECT_EQ(request.path, "/v1/chat");
        EXPECT_EQ(request.query, "a=1&b");
        EXPECT_EQ(request.headers.at("x-tag"), "one, two");
        EXPECT_EQ(request.body, "hello");
        EXPECT_TRUE(taken[0].keep_alive);
        EXPECT_FALSE(taken[1].keep_alive);
    }
}

TEST(http_request, chunked_bodies_are_joined_and_limited) {
    const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    HttpRequestDecoder decoder(small);
    ASSERT_EQ(*decoder.feed(as_bytes(head + "3\r\nabc\r\n2\r\nde\r\n")), State::body);
    ASSERT_EQ(*decoder.feed(as_bytes("0\r\n\r\n")), State::complete);
    EXPECT_EQ(decoder.take().request.body, "abcde");
    for (const char* bad :
         {"x\r\n", "3\r\nabcd\r\n0\r\n\r\n", "-1\r\n", "ffffffffffffffffff\r\n"}) {
        const auto state = decode(head + bad);
        ASSERT_FALSE(state) << bad;
        EXPECT_EQ(state.error().code, ErrorCode::http_malformed) << bad;
    }
    EXPECT_EQ(decode(head + "65\r\n" + std::string(0x65, 'x')).error().code,
              ErrorCode::body_too_large);
}

TEST(http_request, limits_have_their_own_errors) {
    EXPECT_EQ(decode("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n").error().code,
              ErrorCode::body_too_large);
    EXPECT_EQ(decode("GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(600, 'a')).error().code,
              ErrorCode::limit_exceeded);
    EXPECT_EQ(decode("GET /" + std::string(600, 'a')).error().code, ErrorCode::limit_exceeded);
}

TEST(http_request, a_header_is_as_long_as_all_its_lines) {
    const auto request = [](size_t lines, const std::string& body) {
        std::string text =
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
        for (size_t i = 0; i < lines; ++i) text += "A: bcd\r\n";
        return text + "\r\n" + body;
    };
    const std::string body(90, 'x');
    for (const size_t piece : {1, 3, 100, 100000}) {
        const auto feed = [&](const std::string& text) -> Result<void> {
            HttpRequestDecoder decoder({.header_bytes_max = 512, .body_bytes_max = 100});
            // Twice, since what is counted begins anew with each request.
            for (int i = 0; i < 2; ++i) {
                for (size_t at = 0; at < text.size(); at += piece)
                    TT_CHECK(decoder.feed(as_bytes(std::string_view(text).substr(at, piece))));
                EXPECT_EQ(decoder.take().request.body.size(), body.size());
            }
            return {};
        };
        EXPECT_TRUE(feed(request(50, body))) << piece;
        EXPECT_EQ(feed(request(100, body)).error().code, ErrorCode::limit_exceeded) << piece;
    }
}

TEST(http_request, what_parsers_disagree_about_is_refused) {
    for (const char* bad :
         {"hello\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
          "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
          "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\nHost: a\n\n",
          "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\x01\r\n\r\n",
          "GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na",
          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"}) {
        const auto state = decode(bad);
        ASSERT_FALSE(state) << bad;
        EXPECT_EQ(state.error().code, ErrorCode::http_malformed) << bad;
    }
}

TEST(http_request, tells_who_waits_for_continue) {
    HttpRequestDecoder decoder(small);
    ASSERT_EQ(*decoder.feed(as_bytes("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\n"
                                     "Content-Length: 1\r\n\r\n")),
              State::body);
    EXPECT_TRUE(decoder.expects_continue());
}

TEST(http_response, is_read_by_length_chunks_or_end) {
    HttpResponseDecoder by_length({});
    ASSERT_TRUE(
        by_length.feed(as_bytes("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\n"
                                "Content-Length: 4\r\nX: y\r\n\r\nab")));
    EXPECT_TRUE(by_length.header_complete());
    EXPECT_FALSE(by_length.complete());
    EXPECT_EQ(by_length.take_body(), "ab");
    EXPECT_FALSE(by_length.feed_end());
    ASSERT_TRUE(by_length.feed(as_bytes("cd")));
    EXPECT_TRUE(by_length.complete());
    EXPECT_EQ(by_length.take_body(), "cd");
    EXPECT_EQ(by_length.status(), 404);
    EXPECT_EQ(by_length.headers().at("x"), "y");

    HttpResponseDecoder by_chunks({});
    ASSERT_TRUE(
        by_chunks.feed(as_bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "2\r\nab\r\n")));
    EXPECT_FALSE(by_chunks.complete());
    ASSERT_TRUE(by_chunks.feed(as_bytes("0\r\n\r\n")));
    EXPECT_TRUE(by_chunks.complete());

    HttpResponseDecoder by_end({});
    ASSERT_TRUE(by_end.feed(as_bytes("HTTP/1.1 200 OK\r\n\r\nabc")));
    EXPECT_FALSE(by_end.complete());
    ASSERT_TRUE(by_end.feed_end());
    EXPECT_EQ(by_end.take_body(), "abc");
}

TEST(http_response, limits_and_garbage_are_errors) {
    HttpResponseDecoder garbage({});
    EXPECT_EQ(garbage.feed(as_bytes("SSH-2.0-OpenSSH\r\n\r\n")).error().code,
              ErrorCode::http_malformed);
    HttpResponseDecoder large({.limits = small});
    EXPECT_EQ(large.feed(as_bytes("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n")).error().code,
              ErrorCode::body_too_large);
    HttpResponseDecoder cut({});
    ASSERT_TRUE(cut.feed(as_bytes("HTTP/1.1 200 OK\r\nConte")));
    EXPECT_FALSE(cut.feed_end());
}

TEST(http_response, a_length_takes_no_memory_before_the_bytes_come) {
    HttpResponseDecoder huge({.limits = {.body_bytes_max = size_t{1} << 62}});
    ASSERT_TRUE(
        huge.feed(as_bytes("HTTP/1.1 200 OK\r\nContent-Length: 4611686018427387904\r\n\r\nab")));
    EXPECT_FALSE(huge.complete());
    EXPECT_EQ(huge.take_body(), "ab");
}

TEST(http_response, to_head_has_no_body) {
    HttpResponseDecoder decoder({.head = true});
    ASSERT_TRUE(decoder.feed(as_bytes("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")));
    EXPECT_TRUE(decoder.complete());
}

}  // namespace
}  // namespace teetee::net
