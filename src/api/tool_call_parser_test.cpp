// SPDX-License-Identifier: Apache-2.0
#include "api/tool_call_parser.hpp"

#include <gtest/gtest.h>

namespace teetee::api {
namespace {

using Calls = std::vector<ToolCall>;

struct Whole {
    std::string text;
    Calls calls;
    bool operator==(const Whole&) const = default;
};

void add(Whole& whole, const ToolCallParser::Output& output) {
    whole.text += output.text;
    whole.calls.insert(whole.calls.end(), output.calls.begin(), output.calls.end());
}

Whole read(ToolFormat format, std::string_view text, size_t piece = 1) {
    ToolCallParser parser(format);
    Whole whole;
    for (size_t i = 0; i < text.size(); i += piece) add(whole, parser.feed(text.substr(i, piece)));
    add(whole, parser.finish());
    return whole;
}

TEST(tool_call_parser, finds_the_calls_of_each_family_however_they_are_cut) {
    const struct {
        ToolFormat format;
        std::string_view text;
        Whole expected;
    } cases[] = {
        {ToolFormat::hermes,
         "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1.50}}\n</tool_call>",
         {"", {{"f", "{\"a\": 1.50}"}}}},
        {ToolFormat::hermes,
         "I will look.\n\n<tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>\n<tool_call>\n"
         "{\"name\":\"g\",\"arguments\":{\"b\":[1,{\"c\":\"</tool>\"}]}}\n</tool_call>\n",
         {"I will look.", {{"f", "{}"}, {"g", "{\"b\":[1,{\"c\":\"</tool>\"}]}"}}}},
        // The model stopped before the closing mark.
        {ToolFormat::hermes,
         "<tool_call>\n{\"name\":\"f\",\"arguments\":{\"a\":\"x\"}}",
         {"", {{"f", "{\"a\":\"x\"}"}}}},
        // Arguments that are already a string, and "parameters".
        {ToolFormat::hermes,
         "<tool_call>{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}</tool_call>",
         {"", {{"f", "{\"a\":1}"}}}},
        {ToolFormat::llama3,
         "{\"name\": \"f\", \"parameters\": {\"a\": \"b; c\"}}",
         {"", {{"f", "{\"a\": \"b; c\"}"}}}},
        {ToolFormat::llama3,
         "<|python_tag|>{\"name\":\"f\",\"parameters\":{}}; "
         "{\"name\":\"g\",\"parameters\":{\"x\":null}}",
         {"", {{"f", "{}"}, {"g", "{\"x\":null}"}}}},
        {ToolFormat::mistral,
         "[TOOL_CALLS][{\"name\":\"f\",\"arguments\":{\"a\":1}},"
         " {\"name\":\"g\",\"arguments\":{}}]",
         {"", {{"f", "{\"a\":1}"}, {"g", "{}"}}}},
        {ToolFormat::mistral,
         "Let me see. [TOOL_CALLS] [{\"name\":\"f\",\"arguments\":{}, \"id\":\"abcdefghi\"}]",
         {"Let me see.", {{"f", "{}"}}}},
        {ToolFormat::mistral,
         "[TOOL_CALLS]f[ARGS]{\"a\":1}[TOOL_CALLS]g[CALL_ID]xyz[ARGS]{}",
         {"", {{"f", "{\"a\":1}"}, {"g", "{}"}}}},
    };
    for (const auto& one : cases) {
        for (const size_t piece : {1, 2, 3, 7, 1000}) {
            const Whole have = read(one.format, one.text, piece);
            EXPECT_EQ(have.text, one.expected.text) << one.text << " by " << piece;
            EXPECT_EQ(have.calls, one.expected.calls) << one.text << " by " << piece;
        }
    }
}

TEST(tool_call_parser, gives_back_as_text_what_is_no_call) {
    const std::pair<ToolFormat, std::string_view> cases[] = {
        {ToolFormat::hermes, "2 < 3 and <tool is no mark \n"},
        {ToolFormat::hermes, "<tool_call>{\"name\":\"f\"}</tool_call>"},
        {ToolFormat::hermes, "<tool_call>{\"name\":\"f\",\"arguments\":[1]}</tool_call>"},
        {ToolFormat::hermes, "<tool_call>{\"name\":\"\",\"arguments\":{}}</tool_call> end"},
        {ToolFormat::hermes, "<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":"},
        {ToolFormat::hermes, "<tool_call><tool_call>"},
        {ToolFormat::hermes, "<tool_call>"},
        {ToolFormat::llama3, "{\"answer\": 42}"},
        {ToolFormat::llama3, "{ is a brace"},
        {ToolFormat::llama3, "A set {1, 2} and {\"name\":\"f\",\"parameters\":{}}"},
        {ToolFormat::llama3, "<|python_tag|>print(1)"},
        {ToolFormat::mistral, "[TOOL_CALLS]f[ARGS]{\"a\":"},
        {ToolFormat::mistral, "[TOOL_CALLS][ARGS]{}"},
        {ToolFormat::mistral, "[TOOL_CALLS]f[ARGS]7"},
        {ToolFormat::mistral, "[TOOL_CALLS]"},
        {ToolFormat::mistral, " \n "},
    };
    for (const auto& [format, text] : cases) {
        for (const size_t piece : {1, 2, 5, 1000})
            EXPECT_EQ(read(format, text, piece), (Whole{std::string(text), {}})) << text;
    }
}

TEST(tool_call_parser, gives_out_text_as_soon_as_it_can_be_no_mark) {
    ToolCallParser parser(ToolFormat::hermes);
    EXPECT_EQ(parser.feed("ab <to").text, "ab");
    EXPECT_EQ(parser.feed("ol").text, "");
    EXPECT_EQ(parser.feed("s").text, " <tools");
}

TEST(tool_call_parser, takes_no_more_calls_than_a_message_may_have) {
    std::string text = "[TOOL_CALLS][";
    for (int i = 0; i < 129; ++i) text += "{\"name\":\"f\",\"arguments\":{}},";
    EXPECT_EQ(read(ToolFormat::mistral, text + "]", 1000), (Whole{text + "]", {}}));
}

}  // namespace
}  // namespace teetee::api
