// SPDX-License-Identifier: Apache-2.0
#include "model/json_reader.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace teetee::model {
namespace {

Result<std::string> one_string(std::string_view text) {
    JsonReader json(text);
    TT_TRY(auto out, json.string());
    TT_CHECK(json.end());
    return out;
}

Result<uint64_t> one_integer(std::string_view text) {
    JsonReader json(text);
    TT_TRY(const auto out, json.integer());
    TT_CHECK(json.end());
    return out;
}

/// {"key": [integers], ..} flattened into "key" and its numbers.
Result<std::string> flattened(std::string_view text) {
    JsonReader json(text);
    std::string out;
    TT_CHECK(json.object([&](const std::string& key) -> Result<void> {
        out += key;
        return json.array([&]() -> Result<void> {
            TT_TRY(const auto value, json.integer());
            out += " " + std::to_string(value);
            return {};
        });
    }));
    TT_CHECK(json.end());
    return out;
}

TEST(json_reader, walks_objects_and_arrays) {
    EXPECT_EQ(*flattened(R"({"a":[1,2],"b":[]})"), "a 1 2b");
    EXPECT_EQ(*flattened("\r\n\t { \"a\" : [ 1 , 2 ] } "), "a 1 2");
    EXPECT_EQ(*flattened("{}"), "");
}

TEST(json_reader, rejects_broken_objects_and_arrays) {
    for (const char* text :
         {"", "{", "}", "[]", R"({"a")", R"({"a":)", R"({"a":[)", R"({"a":[1)", R"({"a":[1,])",
          R"({"a":[1],})", R"({"a":[1]]", R"({"a":[1 2]})", R"({"a":[1]} x)", R"({"a":[1])",
          R"({a:[1]})", R"({"a",[1]})", R"({"a":{}})", R"({"a":null})", R"({,"a":[1]})"}) {
        const auto result = flattened(text);
        ASSERT_FALSE(result) << text;
        EXPECT_EQ(result.error().code, ErrorCode::invalid_json) << text;
    }
}

TEST(json_reader, rejects_a_key_that_occurs_twice) {
    const auto result = flattened(R"({"a":[1],"\u0061":[2]})");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().detail, "'a': key occurs twice");
}

TEST(json_reader, reads_whole_numbers_up_to_2_53) {
    EXPECT_EQ(*one_integer(" 0 "), 0u);
    EXPECT_EQ(*one_integer("9007199254740991"), 9007199254740991u);
    for (const char* text : {"9007199254740992", "18446744073709551617", "-1", "-0", "+1", "01",
                             "00", "1.0", "1e3", "1E3", ".5", "", "\"1\"", "true"}) {
        EXPECT_FALSE(one_integer(text)) << text;
    }
}

TEST(json_reader, resolves_escapes) {
    EXPECT_EQ(*one_string(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
    EXPECT_EQ(*one_string(R"("\u0041\u00e9\u20AC\ud83d\ude00")"), "A\u00e9\u20ac\U0001f600");
    EXPECT_EQ(*one_string("\"\u20ac\""), "\u20ac");
    EXPECT_EQ(*one_string(R"("\u0000")"), std::string(1, '\0'));
}

TEST(json_reader, rejects_broken_strings) {
    for (const char* text :
         {"\"", "\"a", "\"\\", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u-123\"",
          "\"\\ud83d\"", "\"\\ud83dx\"", "\"\\ud83d\\n\"", "\"\\ud83d\\u0041\"", "\"\\ude00\"",
          "\"\n\"", "\"\xff\"", "\"\xed\xa0\x80\"", "\"\xc3\"", "'a'"}) {
        EXPECT_FALSE(one_string(text)) << text;
    }
}

}  // namespace
}  // namespace teetee::model
