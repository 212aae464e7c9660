// SPDX-License-Identifier: Apache-2.0
#include "cli/shell_word.hpp"

#include <gtest/gtest.h>

namespace teetee::cli {
namespace {

TEST(shell_word, is_quoted_only_where_a_shell_would_read_more_into_it) {
    EXPECT_EQ(shell_word("/a/b-1.5_Q4.gguf"), "/a/b-1.5_Q4.gguf");
    EXPECT_EQ(shell_word(""), "''");
    EXPECT_EQ(shell_word("a b"), "'a b'");
    EXPECT_EQ(shell_word("~/$x;`y`"), "'~/$x;`y`'");
    EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
    EXPECT_EQ(shell_quoted("plain"), "'plain'");
}

}  // namespace
}  // namespace teetee::cli
