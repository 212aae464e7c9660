// SPDX-License-Identifier: Apache-2.0
#include "api/tool_format.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "api/tool_call_parser.hpp"
#include "grammar/json_schema.hpp"
#include "grammar/matcher.hpp"

namespace teetee::api {
namespace {

namespace json = boost::json;

ToolUse two_tools(std::string_view choice) {
    const auto body = json::parse(R"({"tools":[
        {"type":"function","function":{"name":"weather","description":"How it is.","parameters":
            {"type":"object","properties":{"place":{"$ref":"#/$defs/place"}},"required":["place"],
             "additionalProperties":false,"$defs":{"place":{"type":"string"}}}}},
        {"type":"function","function":{"name":"now"}}],
        "tool_choice":)" + std::string(choice) +
                                  "}");
    return parse_tools(body.as_object(), ToolShape::nested).value();
}

bool fits(const Constraint& constraint, std::string_view text) {
    auto grammar = grammar::grammar_of(constraint);
    if (!grammar) ADD_FAILURE() << grammar.error().message();
    auto matcher = grammar::Matcher::begin(
        std::make_shared<const grammar::Grammar>(std::move(grammar).value()));
    return matcher && matcher->advance(text) && matcher->may_end();
}

TEST(tool_format, is_known_by_the_marks_of_the_template) {
    const auto format_of = [](std::string_view source) { return tool_dialect_of(source); };
    EXPECT_EQ(format_of("{% for t in tools %}<tool_call>").format, ToolFormat::hermes);
    EXPECT_TRUE(format_of("{% for t in tools %}<tool_call>").in_template);
    EXPECT_EQ(format_of("{{ tools }}[TOOL_CALLS]").format, ToolFormat::mistral);
    EXPECT_FALSE(format_of("{{ tools }}[TOOL_CALLS]").names_before_arguments);
    EXPECT_TRUE(format_of("{{ tools }}[TOOL_CALLS]x[ARGS]").names_before_arguments);
    EXPECT_EQ(format_of("{{ tools }}<|python_tag|>").format, ToolFormat::llama3);
    EXPECT_EQ(format_of("{{ tools }}<|start_header_id|>\"parameters\": ").format,
              ToolFormat::llama3);
    // Others are told in words.
    for (const char* source : {"", "{{ messages }}", "{{ tools }}<tool_call><function=",
                               "{{ tools }}", "{{ tools }}<tool_call><arg_key>", "<tool_call>"}) {
        EXPECT_FALSE(format_of(source).in_template) << source;
        EXPECT_EQ(format_of(source).format, ToolFormat::hermes) << source;
    }
}

TEST(tool_format, holds_a_forced_call_to_the_parameters_of_its_tool) {
    const auto forced = forced_call({.format = ToolFormat::hermes}, two_tools("\"required\""));
    ASSERT_TRUE(forced) << forced.error().message();
    EXPECT_EQ(forced->prefill, "<tool_call>\n");
    EXPECT_TRUE(fits(forced->constraint, R"({"name":"weather","arguments":{"place":"Rome"}})"));
    EXPECT_TRUE(fits(forced->constraint, R"({"name":"now","arguments":{}})"));
    for (const char* wrong :
         {R"({"name":"weather","arguments":{}})", R"({"name":"other","arguments":{}})",
          R"({"name":"weather","arguments":{"place":1}})", "sunny"}) {
        EXPECT_FALSE(fits(forced->constraint, wrong)) << wrong;
    }
    const auto named =
        forced_call({.format = ToolFormat::llama3},
                    two_tools(R"({"type":"function","function":{"name":"weather"}})"));
    ASSERT_TRUE(named) << named.error().message();
    EXPECT_EQ(named->prefill, "");
    EXPECT_TRUE(fits(named->constraint, R"({"name":"weather","parameters":{"place":"Rome"}})"));
    EXPECT_FALSE(fits(named->constraint, R"({"name":"now","parameters":{}})"));
}

TEST(tool_format, what_is_forced_is_what_the_parser_reads) {
    const struct {
        ToolDialect dialect;
        std::string_view answer;
    } cases[] = {
        {{.format = ToolFormat::hermes}, R"({"name":"now","arguments":{}})"},
        {{.format = ToolFormat::llama3}, R"({"name":"now","parameters":{}})"},
        {{.format = ToolFormat::mistral}, R"([{"name":"now","arguments":{}}])"},
        {{.format = ToolFormat::mistral, .names_before_arguments = true}, "{}"},
    };
    for (const auto& one : cases) {
        const auto forced =
            forced_call(one.dialect, two_tools(R"({"type":"function","function":{"name":"now"}})"));
        ASSERT_TRUE(forced) << forced.error().message();
        EXPECT_TRUE(fits(forced->constraint, one.answer)) << one.answer;
        ToolCallParser parser(one.dialect.format);
        static_cast<void>(parser.feed(forced->prefill));
        auto output = parser.feed(one.answer);
        auto last = parser.finish();
        output.calls.insert(output.calls.end(), last.calls.begin(), last.calls.end());
        EXPECT_EQ(output.calls, (std::vector<ToolCall>{{"now", "{}"}})) << one.answer;
        EXPECT_EQ(output.text + last.text, "");
    }
}

TEST(tool_format, keeps_references_wherever_they_stand) {
    for (const char* parameters : {
             R"({"type":"object","additionalProperties":{"$ref":"#/$defs/item"},
                 "$defs":{"item":{"type":"integer"}}})",
             R"({"type":"object","properties":{"a":{"allOf":[{"$ref":"#/$defs/item"}]}},
                 "$defs":{"item":{"type":"integer"}}})",
             R"({"allOf":[{"type":"object","properties":{"a":{"type":"integer"}}},
                          {"type":"object","properties":{"b":{"type":"integer"}}}]})"}) {
        const auto body =
            json::parse(R"({"tools":[{"type":"function","function":{"name":"f","parameters":)" +
                        std::string(parameters) + R"(}}],"tool_choice":"required"})");
        const auto use = parse_tools(body.as_object(), ToolShape::nested).value();
        const auto forced = forced_call({.format = ToolFormat::hermes}, use);
        ASSERT_TRUE(forced) << parameters << "\n" << forced.error().message();
        EXPECT_TRUE(fits(forced->constraint, R"({"name":"f","arguments":{"a":1}})")) << parameters;
        EXPECT_FALSE(fits(forced->constraint, R"({"name":"f","arguments":{"a":"x"}})"))
            << parameters;
    }
}

TEST(tool_format, names_the_tool_whose_parameters_cannot_be_held_to) {
    const auto body = json::parse(R"({"tools":[{"type":"function","function":
        {"name":"odd","parameters":{"type":"object","properties":{"a":{"not":{}}}}}}],
        "tool_choice":"required"})");
    const auto use = parse_tools(body.as_object(), ToolShape::nested).value();
    const auto refused = forced_call({}, use);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::grammar_invalid);
    EXPECT_NE(refused.error().detail.find("odd"), std::string::npos) << refused.error().detail;
}

TEST(tool_format, tells_of_tools_in_one_system_message) {
    const auto messages = json::parse(R"([{"role":"system","content":"Be kind."},
        {"role":"user","content":"hi"},
        {"role":"assistant","content":"","tool_calls":[{"id":"1","type":"function",
            "function":{"name":"now","arguments":{}}}]},
        {"role":"tool","content":"noon"}])");
    const json::array told = with_tools_told(messages.as_array(), two_tools("\"auto\""));
    ASSERT_EQ(told.size(), 4u);
    const std::string system(told[0].at("content").as_string());
    EXPECT_TRUE(system.starts_with("Be kind.\n\n")) << system;
    EXPECT_NE(system.find("\"weather\""), std::string::npos);
    EXPECT_EQ(told[2].at("content"),
              "<tool_call>\n{\"name\":\"now\",\"arguments\":{}}\n</tool_call>");
    EXPECT_EQ(told[3].at("role"), "user");
    EXPECT_EQ(told[3].at("content"), "<tool_response>\nnoon\n</tool_response>");
}

}  // namespace
}  // namespace teetee::api
