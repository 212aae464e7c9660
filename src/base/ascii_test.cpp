// SPDX-License-Identifier: Apache-2.0
#include "base/ascii.hpp"

#include <gtest/gtest.h>

namespace teetee {
namespace {

TEST(ascii, lower_case_is_of_its_letters_alone) {
    EXPECT_EQ(to_lower("Gate.EXAMPLE-1 @[`{"), "gate.example-1 @[`{");
    EXPECT_EQ(to_lower("\xc3\x89"), "\xc3\x89");
}

TEST(ascii, a_decimal_is_digits_and_nothing_else) {
    EXPECT_EQ(parse_decimal("007"), 7u);
    EXPECT_EQ(parse_decimal("18446744073709551615"), UINT64_MAX);
    for (const char* text : {"", "-1", "+1", " 1", "1 ", "1.5", "0x1", "18446744073709551616"})
        EXPECT_FALSE(parse_decimal(text)) << text;
}

}  // namespace
}  // namespace teetee
