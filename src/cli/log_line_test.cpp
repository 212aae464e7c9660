// SPDX-License-Identifier: Apache-2.0
#include "cli/log_line.hpp"

#include <random>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "cli/line_limiter.hpp"

namespace teetee::cli {
namespace {

using std::chrono::seconds;

TEST(log_line, has_level_source_message_and_fields) {
    const LogField fields[] = {
        {"status", int64_t{200}}, {"took", 1.5}, {"sealed", true}, {"route", "/generate"}};
    const std::string line =
        json_members(LogLevel::warn, {.component = "node", .node = "node 1"}, "request", fields);
    EXPECT_EQ(line, R"("level":"warn","component":"node",)"
                    R"("node":"node 1","message":"request","status":200,"took":1.5,"sealed":true,)"
                    R"("route":"/generate")");
}

TEST(log_line, nobody_can_forge_a_second_line) {
    const std::string hostile = "no such path: /x\n12:00:00.000 error [node] all is lost\r\x1b[2J";
    const std::string one = R"(no such path: /x\n12:00:00.000 error [node] all is lost\r\x1b[2J)";
    EXPECT_EQ(text_line(hostile, {}), one);
    const std::string members = json_members(LogLevel::info, {.component = "node"}, hostile, {});
    const auto parsed = boost::json::parse("{" + members + "}");
    EXPECT_EQ(parsed.at("message").as_string(), one);
    const LogField field[] = {{"name", "a b\nlevel=error"}};
    EXPECT_EQ(text_line("request", field), R"(request name="a b\nlevel=error")");
}

TEST(log_line, terminals_and_readers_of_utf8_are_left_in_peace) {
    EXPECT_EQ(on_one_line("Grüße, 世界 🙂"), "Grüße, 世界 🙂");
    EXPECT_EQ(on_one_line("a\xc2\x9b"
                          "31m"),
              R"(a\x9b31m)");
    EXPECT_EQ(on_one_line("a\u2028b\u2029c\x7f"), R"(a\u2028b\u2029c\x7f)");
    // Overlong, a surrogate, beyond the last character, cut off, alone.
    EXPECT_EQ(on_one_line("\xc0\xaf"), R"(\xc0\xaf)");
    EXPECT_EQ(on_one_line("\xed\xa0\x80"), R"(\xed\xa0\x80)");
    EXPECT_EQ(on_one_line("\xf4\x90\x80\x80"), R"(\xf4\x90\x80\x80)");
    EXPECT_EQ(on_one_line("\xe4\xb8"), R"(\xe4\xb8)");
    EXPECT_EQ(on_one_line("\x80z"), R"(\x80z)");
}

TEST(log_line, whatever_the_bytes_are_a_line_parses_and_is_one) {
    std::mt19937 random(7);
    for (int round = 0; round < 5000; ++round) {
        std::string message(random() % 24, '\0');
        for (char& c : message) c = static_cast<char>(random());
        const LogField field[] = {{"value", message}};
        const std::string line =
            json_members(LogLevel::error, {.component = "node"}, message, field);
        boost::system::error_code error;
        boost::json::parse("{" + line + "}", error);
        EXPECT_FALSE(error) << line;
        for (const std::string& each : {line, text_line(message, field)}) {
            EXPECT_TRUE(std::ranges::none_of(each, [](char c) {
                return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
            })) << each;
        }
    }
}

TEST(line_limiter, lets_a_few_of_a_kind_through_and_counts_the_rest) {
    LineLimiter limiter;
    uint64_t admitted = 0;
    for (int i = 0; i < 1000; ++i) {
        admitted += limiter.admit(seconds(1), "link from 127.0.0.1:" + std::to_string(40000 + i) +
                                                  " refused: node 0x" + std::to_string(i) + "ab");
    }
    EXPECT_EQ(admitted, LineLimiter::lines_max);
    EXPECT_TRUE(limiter.admit(seconds(1), "link to 127.0.0.1:1 down")) << "another kind";
    EXPECT_TRUE(limiter.take_withheld(seconds(10)).empty());
    const auto withheld = limiter.take_withheld(seconds(11));
    ASSERT_EQ(withheld.size(), 1u);
    EXPECT_EQ(withheld[0].count, 1000 - LineLimiter::lines_max);
    EXPECT_EQ(withheld[0].message, "link from 127.0.0.1:40020 refused: node 0x20ab");
    EXPECT_TRUE(limiter.admit(seconds(11), "link from 127.0.0.1:7 refused: node 0x1ab"));
    EXPECT_TRUE(limiter.take_withheld(seconds(30)).empty()) << "told of once";
}

TEST(line_limiter, remembers_no_more_kinds_than_it_may) {
    LineLimiter limiter;
    uint64_t admitted = 0;
    for (size_t i = 0; i < 10 * LineLimiter::kinds_max; ++i) {
        std::string letters;
        for (size_t rest = i; letters.size() < 4; rest /= 10)
            letters += static_cast<char>('g' + rest % 10);
        admitted += limiter.admit({}, letters);
    }
    EXPECT_LE(admitted, LineLimiter::kinds_max + LineLimiter::lines_max);
}

}  // namespace
}  // namespace teetee::cli
