// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/limits.hpp"
#include "cli/line_editor.hpp"

namespace teetee::cli {
namespace {

TEST(line_history, is_kept_as_it_was_typed) {
    const std::vector<std::string> lines = {"one", "two\nlines", "\xc3\xa9 \"quoted\"", ""};
    const auto again = parse_history(encode_history(lines));
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(*again, lines);
    EXPECT_EQ(encode_history({}), "");
    EXPECT_TRUE(parse_history("")->empty());
}

TEST(line_history, keeps_the_newest) {
    const auto kept =
        parse_history(encode_history(std::vector<std::string>(history_lines_max + 5, "x")));
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->size(), history_lines_max);
    const std::string half(history_bytes_max / 2, 'y');
    EXPECT_EQ(*parse_history(encode_history({half, half, "last"})),
              (std::vector<std::string>{half, "last"}));
}

TEST(line_history, refuses_what_is_none) {
    for (const char* text : {"x\n", "\"a\"\n7\n", "\"a\n", "\"a\"\n\n", "[\"a\"]"}) {
        const auto refused = parse_history(text);
        ASSERT_FALSE(refused) << text;
        EXPECT_EQ(refused.error().code, ErrorCode::config_invalid) << text;
    }
    std::string many;
    for (size_t i = 0; i <= history_lines_max; ++i) many += "\"\"\n";
    EXPECT_EQ(parse_history(many).error().code, ErrorCode::limit_exceeded);
    EXPECT_EQ(parse_history(std::string(history_bytes_max + 1, ' ')).error().code,
              ErrorCode::limit_exceeded);
}

}  // namespace
}  // namespace teetee::cli
