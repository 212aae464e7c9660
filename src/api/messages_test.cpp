// SPDX-License-Identifier: Apache-2.0
#include "api/messages.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "api/generation_request.hpp"

namespace teetee::api {
namespace {

namespace json = boost::json;

json::value chat(const std::string& messages) {
    const auto parsed = parse_messages({{"messages", json::parse(messages)}});
    EXPECT_TRUE(parsed) << parsed.error().message();
    return parsed ? json::value(*parsed) : json::value();
}

json::value input(std::string_view body) {
    const auto parsed = parse_input(json::parse(body).as_object());
    EXPECT_TRUE(parsed) << parsed.error().message();
    return parsed ? json::value(*parsed) : json::value();
}

TEST(messages, come_as_chat_templates_take_them) {
    EXPECT_EQ(chat(R"([{"role":"developer","content":"a","name":"x"},
        {"role":"user","content":[{"type":"text","text":"b"},{"type":"text","text":"c"}]}])"),
              json::parse(R"([{"role":"system","content":"a"},{"role":"user","content":"bc"}])"));
    EXPECT_EQ(chat(R"([{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function",
            "function":{"name":"f","arguments":"{\"a\":1}"}}]},
        {"role":"tool","tool_call_id":"1","name":"f","content":"7"}])"),
              json::parse(R"([{"role":"assistant","tool_calls":[{"id":"1","type":"function",
            "function":{"name":"f","arguments":{"a":1}}}],"content":""},
        {"role":"tool","content":"7","tool_call_id":"1","name":"f"}])"));
    // What is no object stays as it was written.
    EXPECT_EQ(chat(R"([{"role":"assistant","tool_calls":[{"function":
        {"name":"f","arguments":"[1"}}]}])")
                  .at(0)
                  .at("tool_calls")
                  .at(0)
                  .at("function")
                  .at("arguments"),
              "[1");
}

TEST(messages, of_a_response_are_its_items) {
    EXPECT_EQ(input(R"({"input":"hi","instructions":"be kind"})"),
              json::parse(R"([{"role":"system","content":"be kind"},
                              {"role":"user","content":"hi"}])"));
    EXPECT_EQ(input(R"({"input":[{"role":"user","content":[{"type":"input_text","text":"a"}]},
        {"type":"reasoning","summary":[]},
        {"type":"function_call","call_id":"1","name":"f","arguments":"{}"},
        {"type":"function_call","call_id":"2","name":"g","arguments":"{\"x\":2}"},
        {"type":"function_call_output","call_id":"1","output":"7"},
        {"type":"message","role":"assistant","content":[{"type":"output_text","text":"b"}]}]})"),
              json::parse(R"([{"role":"user","content":"a"},
        {"role":"assistant","content":"","tool_calls":[
            {"id":"1","type":"function","function":{"name":"f","arguments":{}}},
            {"id":"2","type":"function","function":{"name":"g","arguments":{"x":2}}}]},
        {"role":"tool","content":"7","tool_call_id":"1"},
        {"role":"assistant","content":"b"}])"));
}

TEST(messages, give_arguments_back_as_text) {
    const auto messages = chat(R"([{"role":"assistant","tool_calls":[{"function":
        {"name":"f","arguments":"{\"a\":[1]}"}}]},{"role":"user","content":"x"}])");
    const json::array text = with_arguments_as_text(messages.as_array());
    EXPECT_EQ(text[0].at("tool_calls").at(0).at("function").at("arguments"), "{\"a\":[1]}");
    EXPECT_EQ(text[1], messages.at(1));
}

TEST(messages, that_cannot_be_read_are_refused_by_name) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"messages":[{"role":"user"}]})", "content"},
        {R"({"messages":[{"role":"user","content":null}]})", "content"},
        {R"({"messages":[{"role":"user","content":[{"type":"image_url","text":"x"}]}]})",
         "content"},
        {R"({"messages":[{"role":"narrator","content":"x"}]})", "role"},
        {R"({"messages":[7]})", "messages"},
        {R"({"messages":[{"role":"assistant","tool_calls":7}]})", "tool_calls"},
        {R"({"messages":[{"role":"assistant","tool_calls":[{"function":{}}]}]})", "tool_calls"},
        {R"({"messages":[{"role":"assistant","tool_calls":[
            {"function":{"name":"f","arguments":{}}}]}]})",
         "arguments"},
        {R"({"messages":[{"role":"tool","tool_call_id":1,"content":"x"}]})", "tool_call_id"},
    };
    for (const auto& [body, field] : cases) {
        const auto refused = parse_messages(json::parse(body).as_object());
        ASSERT_FALSE(refused) << body;
        EXPECT_EQ(refused.error().code, ErrorCode::field_invalid) << body;
        EXPECT_NE(refused.error().detail.find(field), std::string::npos)
            << body << ": " << refused.error().detail;
    }
    for (const char* body :
         {R"({})", R"({"input":[]})", R"({"input":7})", R"({"input":[7]})",
          R"({"input":[{"type":"reasoning"}]})", R"({"input":[{"type":"computer_call"}]})",
          R"({"input":[{"type":"function_call","arguments":"{}"}]})",
          R"({"input":[{"type":"function_call_output","call_id":"1"}]})",
          R"({"input":"x","instructions":[]})"}) {
        EXPECT_FALSE(parse_input(json::parse(body).as_object())) << body;
    }
}

ToolUse tools_of(const std::string& rest, ToolShape shape = ToolShape::nested) {
    const std::string tool =
        shape == ToolShape::nested
            ? R"({"type":"function","function":{"name":"f"}})"
            : R"({"type":"function","name":"f","parameters":{"type":"object"}})";
    const auto use =
        parse_tools(json::parse("{\"tools\":[" + tool + "]" + rest + "}").as_object(), shape);
    EXPECT_TRUE(use) << use.error().message();
    return use ? *use : ToolUse();
}

TEST(tools, are_offered_unless_the_choice_says_otherwise) {
    EXPECT_EQ(tools_of("").choice, ToolChoice::automatic);
    EXPECT_TRUE(tools_of("").parallel);
    EXPECT_EQ(tools_of(R"(,"tool_choice":"auto","parallel_tool_calls":false)").parallel, false);
    EXPECT_FALSE(tools_of(R"(,"tool_choice":"none")").is_used());
    EXPECT_EQ(tools_of(R"(,"tool_choice":"required")").choice, ToolChoice::required);
    const ToolUse named = tools_of(R"(,"tool_choice":{"type":"function","function":{"name":"f"}})");
    EXPECT_EQ(named.choice, ToolChoice::required);
    EXPECT_EQ(named.name, "f");
    const ToolUse flat =
        tools_of(R"(,"tool_choice":{"type":"function","name":"f"})", ToolShape::flat);
    EXPECT_EQ(flat.name, "f");
    EXPECT_EQ(flat.declared.at(0).at("function").at("name"), "f");
    EXPECT_EQ(parse_tools({}, ToolShape::nested)->choice, ToolChoice::none);
}

TEST(tools, that_cannot_be_read_are_refused_by_name) {
    for (const char* body :
         {R"({"tools":7})", R"({"tools":[7]})", R"({"tools":[{"type":"web_search"}]})",
          R"({"tools":[{"type":"function"}]})", R"({"tools":[{"type":"function","function":{}}]})",
          R"({"tools":[{"type":"function","function":{"name":"a b"}}]})",
          R"({"tools":[{"type":"function","function":{"name":""}}]})",
          R"({"tools":[{"type":"function","function":{"name":"f","parameters":7}}]})",
          R"({"tools":[{"type":"function","function":{"name":"f","description":7}}]})",
          R"({"tool_choice":"required"})", R"({"tool_choice":"any"})", R"({"tool_choice":7})",
          R"({"tool_choice":{"type":"function","function":{"name":"f"}}})",
          R"({"parallel_tool_calls":"yes"})"}) {
        const auto refused = parse_tools(json::parse(body).as_object(), ToolShape::nested);
        ASSERT_FALSE(refused) << body;
        EXPECT_EQ(refused.error().code, ErrorCode::field_invalid) << body;
        EXPECT_TRUE(refused.error().detail.starts_with("'")) << refused.error().detail;
    }
    json::array many;
    for (int i = 0; i < 129; ++i)
        many.push_back({{"type", "function"}, {"function", {{"name", "f"}}}});
    EXPECT_FALSE(parse_tools({{"tools", many}}, ToolShape::nested));
}

}  // namespace
}  // namespace teetee::api
