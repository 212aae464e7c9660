// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.hpp"

#include <gtest/gtest.h>

namespace teetee::cli {
namespace {

std::string shown(std::string_view text, size_t piece) {
    VisibleText visible;
    std::string out;
    for (size_t at = 0; at < text.size(); at += piece) out += visible.feed(text.substr(at, piece));
    return out + visible.finish();
}

TEST(visible_text, is_what_it_was_where_nothing_else_is_in_it) {
    const std::string text = "a\tb\n\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80\xc2\xa0";
    for (size_t piece = 1; piece <= text.size(); ++piece) EXPECT_EQ(shown(text, piece), text);
}

TEST(visible_text, gives_a_terminal_no_commands_however_they_are_cut) {
    const std::string mark = "\xef\xbf\xbd";
    const std::pair<std::string, std::string> cases[] = {
        {"\x1b]0;title\x07", mark + "]0;title" + mark},
        {"\x1b[2J", mark + "[2J"},
        {"a\rb\bc\x7f", "a" + mark + "b" + mark + "c" + mark},
        {std::string("\0", 1), mark},
        // CSI and the last of its kind as one character, as one byte, and in a longer form.
        {"\xc2\x9b"
         "2J\xc2\x9f",
         mark + "2J" + mark},
        {"\x9b"
         "2J",
         mark + "2J"},
        {"\xe0\x82\x9b", mark},
        {"\xc0\x9b", mark + mark},
        // Cut in the middle of a character, by another one and by the end.
        {"\xc3\x1b", mark + mark},
        {"\xe6\xbc\xc3\xa9", mark + "\xc3\xa9"},
        {"x\xf0\x9f", "x" + mark},
        {"\xed\xa0\x80\xff", mark + mark}};
    for (const auto& [text, expected] : cases) {
        for (size_t piece = 1; piece <= text.size(); ++piece)
            EXPECT_EQ(shown(text, piece), expected) << testing::PrintToString(text) << piece;
    }
}

}  // namespace
}  // namespace teetee::cli
