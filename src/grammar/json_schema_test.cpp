// SPDX-License-Identifier: Apache-2.0
#include "grammar/json_schema.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "grammar/limits.hpp"
#include "grammar/test_text.hpp"

namespace teetee::grammar {
namespace {

namespace json = boost::json;

std::shared_ptr<const Grammar> grammar_of_schema(std::string_view schema) {
    auto grammar = parse_json_schema(schema);
    EXPECT_TRUE(grammar) << schema << "\n" << (grammar ? "" : grammar.error().message());
    return grammar ? std::make_shared<const Grammar>(std::move(grammar).value()) : nullptr;
}

struct SchemaCase {
    const char* schema;
    std::vector<std::string> whole;
    std::vector<std::string> none;
};

TEST(json_schema, keywords_say_what_fits) {
    const SchemaCase cases[] = {
        {R"({"type":"integer"})", {"0", "-12", "345"}, {"01", "1.5", "-0", "\"1\"", "+1"}},
        {R"({"type":"number"})", {"0", "-1.5", "1e5", "0.25E-3"}, {".5", "1.", "1e", "00"}},
        {R"({"type":["boolean","null"]})", {"true", "false", "null"}, {"True", "0", "nil"}},
        {R"({"type":"string"})",
         {R"("")", "\"\xc3\xa9\"", R"("a\n\u00e9\\\"")"},
         {"\"\n\"", R"("\x")", R"("\ud800")", "\"\xff\"", "a"}},
        {R"({"type":"string","minLength":2,"maxLength":3})",
         {R"("ab")", "\"\xc3\xa9\xc3\xa9\xc3\xa9\"", R"("a\nb")"},
         {R"("a")", R"("abcd")"}},
        {R"({"enum":[1,"a",null,[1, 2],1.5,2e3]})",
         {"1", R"("a")", "null", "[1,2]", "1.5", "2000"},
         {"2", R"("b")", "[1]"}},
        {R"({"const":{"a":[true]}})", {R"({"a":[true]})"}, {"{}"}},
        {R"({"type":"string","enum":[1,"a"]})", {R"("a")"}, {"1"}},
        {R"({"type":"integer","minimum":-3,"exclusiveMaximum":12})",
         {"-3", "-1", "0", "9", "11"},
         {"-4", "12", "100", "-10", "-0"}},
        {R"({"type":"integer","minimum":0.5,"maximum":2.5})", {"1", "2"}, {"0", "3", "1.5"}},
        {R"({"type":"number","minimum":-0.5,"maximum":1.25})",
         {"-0.5", "0", "1", "1.25", "1.2499", "0.333", "-0.4999"},
         {"-0.51", "1.26", "2", "1.251", "1e9", "-1"}},
        {R"({"type":"number","exclusiveMinimum":0})",
         {"0.5", "1", "12.75", "0.001"},
         {"0", "0.0", "-1", "0.000"}},
        {R"({"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":2})",
         {"[1]", "[1,2]", "[1, 2]", "[\n  1,\n  2\n]"},
         {"[]", "[1,2,3]", "[\"a\"]", "[1,]"}},
        {R"({"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":false})",
         {"[]", "[1]", R"([1,"a"])"},
         {R"(["a"])", R"([1,"a",1])"}},
        {R"({"type":"array","items":[{"type":"null"}],"additionalItems":{"type":"boolean"},
             "minItems":2})",
         {"[null,true]", "[null,true,false]"},
         {"[null]", "[true]"}},
        {R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"null"}},
             "required":["b"],"additionalProperties":false})",
         {R"({"b":null})", R"({"a":1,"b":null})", R"({ "a": 1, "b": null })"},
         {"{}", R"({"a":1})", R"({"b":null,"c":1})", R"({"a":"x","b":null})"}},
        {R"({"type":"object","properties":{"ab":{"type":"integer"}},
             "additionalProperties":{"type":"boolean"}})",
         {"{}", R"({"ab":1})", R"({"ab":1,"a":true,"abc":false})", R"({"x":true})"},
         {R"({"ab":true})", R"({"x":1})", R"({"\u0061b":true})"}},
        {R"({"type":"object","required":["z"]})", {R"({"z":[{}]})"}, {"{}", R"({"y":1})"}},
        {R"({"anyOf":[{"type":"integer"},{"type":"null"}]})", {"1", "null"}, {"true"}},
        {R"({"type":["integer","string"],"anyOf":[{"minimum":5},{"maximum":-5}],"maxLength":1})",
         {"5", "-5", R"("a")"},
         {"0", R"("ab")"}},
        {R"({"oneOf":[{"type":"object","properties":{"k":{"const":"a"},"v":{"type":"null"}},
                       "required":["k","v"],"additionalProperties":false},
                      {"type":"object","properties":{"k":{"const":"b"}},
                       "required":["k"],"additionalProperties":false}]})",
         {R"({"k":"a","v":null})", R"({"k":"b"})"},
         {R"({"k":"a"})", R"({"k":"c"})"}},
        {R"({"allOf":[{"type":"integer","minimum":1},{"type":"number","maximum":3}]})",
         {"1", "3"},
         {"0", "4", "2.5"}},
        {R"({"$ref":"#/$defs/tree","$defs":{"tree":{"type":"object","properties":{
             "next":{"anyOf":[{"$ref":"#/$defs/tree"},{"type":"null"}]}},
             "required":["next"],"additionalProperties":false}}})",
         {R"({"next":null})", R"({"next":{"next":{"next":null}}})"},
         {R"({"next":{}})", "null"}},
        {R"({"type":"string","pattern":"^[a-c]+-\\d{2}$"})",
         {R"("ab-12")", R"("c-00")"},
         {R"("d-12")", R"("ab-1")", R"("xab-12")"}},
        {R"({"type":"string","pattern":"b|^x"})", {R"("abc")", R"("xyz")"}, {R"("a")", R"("yx")"}},
        {R"({"type":"string","pattern":"^[zx-y\u4e02\u4e00\\d5x]$"})",
         {R"("x")", R"("z")", R"("0")", "\"\xe4\xb8\x80\""},
         {R"("w")", "\"\xe4\xb8\x81\"", R"("xx")"}},
        {R"({"type":"string","format":"date-time"})",
         {R"("2024-02-28T23:59:59Z")", R"("1999-12-31T00:00:00.5+01:00")"},
         {R"("2024-02-31T00:00:00Z")", R"("2024-02-01")", R"("2024-13-01T00:00:00Z")"}},
        {R"({"type":"string","format":"ipv4"})", {R"("10.0.255.1")"}, {R"("256.0.0.1")"}},
        {R"({"type":"string","format":"email"})", {R"("a.b@c.de")"}, {R"("a@b")", R"("@c.de")"}},
        {"true", {"[]", "{}", "1"}, {"nul]"}},
    };
    for (const SchemaCase& one : cases) {
        const auto grammar = grammar_of_schema(one.schema);
        ASSERT_NE(grammar, nullptr);
        for (const auto& text : one.whole)
            EXPECT_EQ(fit_of(grammar, text), Fit::whole) << one.schema << "\n" << text;
        for (const auto& text : one.none)
            EXPECT_NE(fit_of(grammar, text), Fit::whole) << one.schema << "\n" << text;
    }
}

TEST(json_schema, what_is_not_supported_is_named) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"not":{}})", "'not'"},
        {R"({"properties":{"a":{"multipleOf":3}}})", "multipleOf"},
        {R"({"patternProperties":{}})", "patternProperties"},
        {R"({"minProperties":1})", "minProperties"},
        {R"({"uniqueItems":true})", "uniqueItems"},
        {R"({"if":{}})", "if"},
        {R"({"type":"string","format":"duration"})", "duration"},
        {R"({"type":"string","pattern":"(?=a)b"})", "pattern"},
        {R"({"type":"string","pattern":"a+","maxLength":3})", "maxLength"},
        {R"({"type":"text"})", "'type'"},
        {R"({"enum":["abc"],"maxLength":2})", "maxLength"},
        {R"({"oneOf":[{"type":"integer"},{"type":"number"}]})", "oneOf"},
        {R"({"$ref":"http://example.com/x"})", "$ref"},
        {R"({"$ref":"#/$defs/none"})", "$ref"},
        {R"({"$ref":"#"})", "$ref"},
        {R"({"type":"integer","minimum":1e300})", "minimum"},
        {R"({"minItems":-1})", "minItems"},
        {R"({"required":[1]})", "required"},
        {R"({"properties":[]})", "properties"},
        {R"({"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]})", "no text"},
        {"false", "no text"},
        {"[]", "object"},
        {"{", "JSON"},
    };
    for (const auto& [schema, part] : cases) {
        const auto grammar = parse_json_schema(schema);
        ASSERT_FALSE(grammar) << schema;
        EXPECT_EQ(grammar.error().code, ErrorCode::grammar_invalid) << schema;
        EXPECT_NE(grammar.error().detail.find(part), std::string::npos)
            << schema << ": " << grammar.error().detail;
    }
}

TEST(json_schema, hostile_schemas_end_in_an_error) {
    const auto refused = [](const std::string& schema) {
        auto grammar = parse_json_schema(schema);
        return grammar ? ErrorCode{} : grammar.error().code;
    };
    std::string deep;
    for (int i = 0; i < 1000; ++i) deep += R"({"items":)";
    EXPECT_EQ(refused(deep), ErrorCode::grammar_invalid);
    EXPECT_EQ(refused(std::string(source_bytes_max + 1, ' ')), ErrorCode::grammar_too_complex);
    // Each definition is twice the one before.
    std::string doubling = R"({"$ref":"#/$defs/a0","$defs":{)";
    for (int i = 0; i < 25; ++i) {
        const std::string next = R"({"$ref":"#/$defs/a)" + std::to_string(i + 1) + "\"}";
        doubling += "\"a" + std::to_string(i) + R"(":{"allOf":[)" + next + "," + next + "]},";
    }
    EXPECT_EQ(refused(doubling + R"("a25":{"type":"null"}}})"), ErrorCode::grammar_too_complex);
    std::string counts;
    for (const char c : std::string_view("abcdefgh")) counts += std::string(1, c) + "{30000}";
    EXPECT_EQ(refused(R"({"type":"string","pattern":")" + counts + "\"}"),
              ErrorCode::grammar_too_complex);
}

TEST(json_schema, random_walks_end_in_json_that_fits) {
    const std::vector<std::string> pieces = test_pieces();
    const TokenTrie trie = TokenTrie::build(pieces);
    std::mt19937 random(11);
    const auto grammar = grammar_of_schema(
        R"({"type":"object","properties":{"name":{"type":"string","maxLength":6},
            "age":{"type":"integer","minimum":18,"maximum":120},
            "mark":{"type":"number","exclusiveMinimum":-1.5,"maximum":3.25},
            "tags":{"type":"array","items":{"enum":["a","b"]},"maxItems":3}},
            "required":["name","age"],"additionalProperties":false})");
    ASSERT_NE(grammar, nullptr);
    int ended = 0;
    for (int walk = 0; walk < 200; ++walk) {
        const auto text = random_text(grammar, trie, pieces, random, 300);
        if (!text) continue;
        ++ended;
        boost::system::error_code malformed;
        const json::value value = json::parse(*text, malformed);
        ASSERT_FALSE(malformed) << *text;
        const json::object& object = value.as_object();
        for (const auto& member : object) {
            const std::string_view key = member.key();
            EXPECT_TRUE(key == "name" || key == "age" || key == "mark" || key == "tags") << *text;
        }
        ASSERT_TRUE(object.contains("name") && object.at("name").is_string()) << *text;
        ASSERT_TRUE(object.contains("age") && object.at("age").is_int64()) << *text;
        EXPECT_GE(object.at("age").get_int64(), 18) << *text;
        EXPECT_LE(object.at("age").get_int64(), 120) << *text;
        if (const auto* mark = object.if_contains("mark")) {
            EXPECT_GT(mark->to_number<double>(), -1.5) << *text;
            EXPECT_LE(mark->to_number<double>(), 3.25) << *text;
        }
        if (const auto* tags = object.if_contains("tags")) {
            EXPECT_LE(tags->get_array().size(), 3u);
            for (const json::value& tag : tags->get_array()) EXPECT_TRUE(tag == "a" || tag == "b");
        }
    }
    EXPECT_GT(ended, 100);
}

TEST(json_schema, bounds_of_integers_are_exact) {
    std::mt19937 random(5);
    for (int round = 0; round < 60; ++round) {
        const int a = static_cast<int>(random() % 2400) - 1200;
        const int b = a + static_cast<int>(random() % 1300);
        const auto grammar =
            grammar_of_schema(R"({"type":"integer","minimum":)" + std::to_string(a) +
                              R"(,"maximum":)" + std::to_string(b) + "}");
        ASSERT_NE(grammar, nullptr);
        for (int i = 0; i < 200; ++i) {
            const int x = static_cast<int>(random() % 5000) - 2500;
            EXPECT_EQ(fit_of(grammar, std::to_string(x)) == Fit::whole, a <= x && x <= b)
                << x << " in " << a << ".." << b;
        }
        EXPECT_EQ(fit_of(grammar, std::to_string(a)), Fit::whole);
        EXPECT_EQ(fit_of(grammar, std::to_string(b)), Fit::whole);
    }
}

TEST(json_schema, any_object_is_any_object) {
    auto grammar = any_json_object();
    ASSERT_TRUE(grammar);
    const auto shared = std::make_shared<const Grammar>(std::move(*grammar));
    EXPECT_EQ(fit_of(shared, R"({"a": [1, {"b": null}], "c": "d"})"), Fit::whole);
    EXPECT_EQ(fit_of(shared, "[1]"), Fit::none);
    EXPECT_EQ(fit_of(shared, R"({"a":1}x)"), Fit::none);
}

}  // namespace
}  // namespace teetee::grammar
