// SPDX-License-Identifier: Apache-2.0
#include "hub/headers.hpp"

#include <gtest/gtest.h>

namespace teetee::hub {
namespace {

using std::chrono::seconds;

TEST(content_range, says_which_bytes_of_how_many) {
    EXPECT_EQ(*parse_content_range("bytes 0-99/1234"), (ContentRange{{0, 100}, 1234}));
    EXPECT_EQ(*parse_content_range("bytes 5-5/6"), (ContentRange{{5, 6}, 6}));
    EXPECT_EQ(*parse_content_range("bytes 5-9/*"), (ContentRange{{5, 10}, std::nullopt}));
    for (const char* text :
         {"", "bytes", "bytes 0-99", "bytes 9-5/10", "bytes 0-10/10", "bytes -5/10", "bytes 0-/10",
          "bytes */10", "items 0-1/2", "bytes 0-1/2 ", "bytes 0-18446744073709551615/*",
          "bytes 0-18446744073709551616/*", "bytes +0-1/2"})
        EXPECT_EQ(parse_content_range(text).error().code, ErrorCode::http_malformed) << text;
    EXPECT_EQ(parse_unsatisfied_range("bytes */0"), 0u);
    EXPECT_FALSE(parse_unsatisfied_range("bytes 0-1/2"));
    EXPECT_FALSE(parse_unsatisfied_range("bytes */x"));
}

TEST(retry_after, is_a_number_of_seconds_or_a_date) {
    EXPECT_EQ(parse_retry_after("7", 0), seconds(7));
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", 784111777 - 30), seconds(30));
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", 784111777 + 30), seconds(0));
    EXPECT_EQ(parse_retry_after("18446744073709551615", 0), seconds(365 * 86400));
    for (const char* text :
         {"", "-1", "1.5", "soon", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
          "Sun, 06 Nov 1994 08:49:37 CET", "18446744073709551616"})
        EXPECT_FALSE(parse_retry_after(text, 0)) << text;
}

TEST(location, leads_to_a_url_or_to_a_path_of_the_same_server) {
    EXPECT_EQ(*resolve_location("https://a/b?c", "https://d/e?f=%20#g"), "https://d/e?f=%20");
    EXPECT_EQ(*resolve_location("https://a:8/b", "/c/d"), "https://a:8/c/d");
    EXPECT_EQ(*resolve_location("https://a/b", "//d/e"), "https://d/e");
    EXPECT_EQ(*resolve_location("http://a/b", "https://d/e"), "https://d/e");
}

TEST(location, never_leads_from_https_to_http) {
    EXPECT_EQ(resolve_location("https://a/b", "http://a/b").error().code, ErrorCode::hub_refused);
    for (const char* text : {"", "c", "file:///etc/passwd", "https://", "https://u:p@a/",
                             "https://a/\r\nx: y", "\\\\a"})
        EXPECT_EQ(resolve_location("https://a/b", text).error().code, ErrorCode::hub_malformed)
            << text;
}

TEST(next_link, is_that_of_rel_next) {
    EXPECT_EQ(parse_next_link("<https://a/b?cursor=x>; rel=\"next\""), "https://a/b?cursor=x");
    EXPECT_EQ(parse_next_link("<https://a/>; rel=\"prev\", <https://b/>; rel=\"next\""),
              "https://b/");
    for (const char* text : {"", "<a", "<a>", "<a>; rel=\"last\"", "rel=\"next\""})
        EXPECT_EQ(parse_next_link(text), "") << text;
}

TEST(origin, is_scheme_host_and_port) {
    EXPECT_EQ(*origin_of("https://Huggingface.co/a/b"), *origin_of("https://huggingface.co:443"));
    EXPECT_NE(*origin_of("http://a/"), *origin_of("https://a/"));
    EXPECT_NE(*origin_of("https://a/"), *origin_of("https://a:444/"));
    EXPECT_NE(*origin_of("https://a/"), *origin_of("https://a.b/"));
}

TEST(validator, is_a_strong_etag_or_a_date) {
    EXPECT_EQ(validator_of({{"etag", "\"a\""}, {"last-modified", "d"}}), "\"a\"");
    EXPECT_EQ(validator_of({{"etag", "W/\"a\""}, {"last-modified", "d"}}), "d");
    EXPECT_EQ(validator_of({{"etag", "W/\"a\""}}), "");
    EXPECT_EQ(bare_etag("W/\"a\""), "a");
    EXPECT_EQ(bare_etag("\"a\""), "a");
    EXPECT_EQ(bare_etag("a"), "a");
    EXPECT_EQ(bare_etag("\""), "\"");
}

}  // namespace
}  // namespace teetee::hub
