// SPDX-License-Identifier: Apache-2.0
#include "cli/line_history.hpp"

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "cli/limits.hpp"
#include "net/file.hpp"
#include "net/test_folder.hpp"

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
}

TEST(line_history, of_a_file_that_is_too_long_is_its_end) {
    std::string many;
    for (size_t i = 0; i <= history_lines_max; ++i) many += "\"" + std::to_string(i) + "\"\n";
    const auto newest = parse_history(many);
    ASSERT_TRUE(newest);
    EXPECT_EQ(newest->size(), history_lines_max);
    EXPECT_EQ(newest->back(), std::to_string(history_lines_max));
    const std::string half = "\"" + std::string(history_bytes_max / 2, 'y') + "\"\n";
    EXPECT_EQ(parse_history(half + half + "\"last\"\n")->size(), 2u);
    EXPECT_TRUE(parse_history(std::string(history_bytes_max + 5, 'x'))->empty());
}

TEST(line_history, of_two_conversations_at_a_time_has_the_lines_of_both) {
    const net::TestFolder folder;
    const std::string path = folder.path() + "/history";
    EXPECT_TRUE(load_history(path)->empty());
    EXPECT_FALSE(load_history(folder.path() + "/no/such/file"));
    for (const char* line : {"first's", "second's\n", "first's again"})
        ASSERT_TRUE(append_history(path, line));
    EXPECT_EQ(*load_history(path),
              (std::vector<std::string>{"first's", "second's\n", "first's again"}));
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0600u);
    for (size_t i = 0; i < history_lines_max; ++i) ASSERT_TRUE(append_history(path, "x"));
    EXPECT_EQ(load_history(path)->size(), history_lines_max);
    // It was shortened, and is still a history.
    EXPECT_EQ(net::read_file(path, history_bytes_max)->size(), history_lines_max * 4);
    ASSERT_TRUE(append_history(path, "last"));
    EXPECT_EQ(load_history(path)->back(), "last");
    EXPECT_FALSE(append_history(folder.path(), "x"));
}

}  // namespace
}  // namespace teetee::cli
