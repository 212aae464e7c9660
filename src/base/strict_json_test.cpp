// SPDX-License-Identifier: Apache-2.0
#include "base/strict_json.hpp"

#include <gtest/gtest.h>

namespace teetee {
namespace {

constexpr JsonLimits limits = {1 << 16, 8};

TEST(strict_json, reads_every_kind_of_value) {
    const std::string text =
        R"({"a":[1,-2,18446744073709551615,true,null,"x\u00e9\n",{}],"b":{"c":1.5},"":[]})";
    const auto value = parse_strict_json(text, limits);
    ASSERT_TRUE(value) << value.error().message();
    EXPECT_EQ(*value, boost::json::parse(text));
}

TEST(strict_json, rounds_fractions_to_the_nearest_double) {
    // Of each the last bit is another one where mantissa and power of ten are rounded apart.
    for (const char* text :
         {"-8.365118026733398", "-0.17237544059753418", "0.1", "1e23", "9007199254740993.0",
          "5e-324", "1.7976931348623157e308", "-0.0", "123456789012345678901234567890.5"}) {
        const auto value = parse_strict_json(std::string("[") + text + "]", limits);
        ASSERT_TRUE(value) << text;
        EXPECT_EQ(value->as_array()[0].as_double(), std::strtod(text, nullptr)) << text;
    }
}

TEST(strict_json, refuses_what_is_no_single_value) {
    for (const char* text :
         {"", " ", "{", "[1", "[1]]", "1 2", "{} x", "[1,]", "nul", "{\"a\"}", "'a'",
          "{\"a\":1,\"a\":2}", "[[[[[[[[[1]]]]]]]]]", "\"\xff\"", "01", "// x\n1"}) {
        const auto refused = parse_strict_json(text, limits);
        ASSERT_FALSE(refused) << text;
        EXPECT_EQ(refused.error().code, ErrorCode::invalid_json) << text;
    }
    EXPECT_EQ(parse_strict_json("[1]", {2, 8}).error().code, ErrorCode::limit_exceeded);
    EXPECT_TRUE(parse_strict_json(" 1 ", limits));
}

}  // namespace
}  // namespace teetee
