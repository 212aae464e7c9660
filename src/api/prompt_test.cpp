// SPDX-License-Identifier: Apache-2.0
#include "api/prompt.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace teetee::api {
namespace {

const std::filesystem::path folder = std::filesystem::path(TEETEE_SHARED_DATA) / "templates";

std::string read(const std::filesystem::path& path) {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
}

/// A model with this template; its tokens are of no matter here.
struct Model {
    explicit Model(std::string source)
        : vocabulary(make_vocabulary(std::move(source))), chat(Chat::of(vocabulary)) {}

    static model::Vocabulary make_vocabulary(std::string source) {
        model::Vocabulary made;
        made.tokens.push_back({.text = "<s>", .type = model::TokenType::control});
        made.tokens.push_back({.text = "</s>", .type = model::TokenType::control});
        made.bos = 0;
        made.eos = 1;
        made.chat_template = std::move(source);
        return made;
    }
    std::string render(const GenerationRequest& request) const {
        const auto rendered = render_chat(request, chat, vocabulary, 0);
        EXPECT_TRUE(rendered) << rendered.error().message();
        return rendered ? rendered->text.bytes : "";
    }

    model::Vocabulary vocabulary;
    Chat chat;
};

GenerationRequest chat_request(const std::string& members) {
    const auto parsed = parse_generation_request(
        Dialect::chat,
        R"({"messages":[{"role":"user","content":"How is it in Rome?"}])" + members + "}");
    EXPECT_TRUE(parsed) << parsed.error().message();
    return parsed ? *parsed : GenerationRequest();
}

const std::string one_tool =
    R"(,"tools":[{"type":"function","function":{"name":"weather","description":"How it is.",
        "parameters":{"type":"object","properties":{"place":{"type":"string"}},
                      "required":["place"]}}}])";

constexpr std::string_view small_template =
    "{% for t in tools or [] %}[{{ t.function.name }}]<tool_call>{% endfor %}"
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}";

TEST(prompt, tells_the_template_of_tools) {
    const Model model{std::string(small_template)};
    EXPECT_EQ(model.render(chat_request(one_tool)),
              "[weather]<tool_call>user: How is it in Rome?\nassistant: ");
    EXPECT_EQ(model.render(chat_request(one_tool + R"(,"tool_choice":"none")")),
              "user: How is it in Rome?\nassistant: ");
}

TEST(prompt, tells_of_tools_in_words_where_the_template_cannot) {
    const Model model{"{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"};
    const std::string text = model.render(chat_request(one_tool));
    EXPECT_TRUE(text.starts_with("system: ")) << text;
    EXPECT_NE(text.find("\"weather\""), std::string::npos);
    const Model none{""};
    EXPECT_NE(none.render(chat_request(one_tool)).find("\"weather\""), std::string::npos);
}

TEST(prompt, ends_with_what_begins_a_forced_call) {
    const Model model{std::string(small_template)};
    GenerationRequest request = chat_request(one_tool + R"(,"tool_choice":"required")");
    ASSERT_TRUE(force_call(request, model.chat));
    EXPECT_TRUE(model.render(request).ends_with("assistant: <tool_call>\n"));
    EXPECT_EQ(request.sampling.constraint.kind, ConstraintKind::json_schema);
    GenerationRequest free = chat_request(one_tool);
    ASSERT_TRUE(force_call(free, model.chat));
    EXPECT_EQ(free.sampling.constraint.kind, ConstraintKind::none);
    EXPECT_EQ(free.call_begun, "");
}

TEST(prompt, goes_on_with_the_last_message_where_asked_to) {
    const Model model{std::string(small_template)};
    const auto request = parse_generation_request(Dialect::chat, R"({"messages":[
        {"role":"user","content":"Hi"},{"role":"assistant","content":"Hello, <s>"}],
        "continue_final_message":true,"chat_template_kwargs":{"messages":[],"x":1}})");
    ASSERT_TRUE(request) << request.error().message();
    const auto rendered = render_chat(*request, model.chat, model.vocabulary, 0);
    ASSERT_TRUE(rendered);
    EXPECT_EQ(rendered->text.bytes, "user: Hi\nassistant: Hello, <s>");
    // What a client wrote never spells a control token.
    EXPECT_TRUE(rendered->text.touches_foreign(rendered->text.bytes.size() - 3,
                                               rendered->text.bytes.size()));
    for (const char* wrong :
         {R"({"messages":[{"role":"user","content":"Hi"}],"continue_final_message":true})",
          R"({"messages":[{"role":"user","content":"Hi"}],"continue_final_message":1})",
          R"({"messages":[{"role":"user","content":"Hi"}],"chat_template_kwargs":[]})"}) {
        EXPECT_FALSE(parse_generation_request(Dialect::chat, wrong)) << wrong;
    }
}

/// The templates that models were published with, and how each of them calls tools.
const struct {
    const char* file;
    ToolFormat format;
} published[] = {
    {"meta-llama-Llama-3.1-8B-Instruct.jinja", ToolFormat::llama3},
    {"meta-llama-Llama-3.2-3B-Instruct.jinja", ToolFormat::llama3},
    {"meta-llama-Llama-3.3-70B-Instruct.jinja", ToolFormat::llama3},
    {"Qwen-Qwen2.5-7B-Instruct.jinja", ToolFormat::hermes},
    {"Qwen-Qwen3-0.6B.jinja", ToolFormat::hermes},
    {"Qwen-QwQ-32B.jinja", ToolFormat::hermes},
    {"NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use.jinja", ToolFormat::hermes},
    {"NousResearch-Hermes-3-Llama-3.1-8B-tool_use.jinja", ToolFormat::hermes},
    {"mistralai-Mistral-Nemo-Instruct-2407.jinja", ToolFormat::mistral},
    {"Mistral-Small-3.2-24B-Instruct-2506.jinja", ToolFormat::mistral},
};

TEST(prompt, published_templates_take_tools_and_what_became_of_them) {
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
    for (const auto& one : published) {
        const Model model{read(folder / "llama.cpp" / one.file)};
        ASSERT_TRUE(model.chat.chat_template) << one.file;
        EXPECT_TRUE(model.chat.tools.in_template) << one.file;
        EXPECT_EQ(model.chat.tools.format, one.format) << one.file;
        EXPECT_NE(model.render(chat_request(one_tool)).find("How it is."), std::string::npos)
            << one.file;
        const auto later = parse_generation_request(
            Dialect::chat, R"({"messages":[{"role":"user","content":"How is it in Rome?"},
            {"role":"assistant","content":null,"tool_calls":[{"id":"abcdefghi","type":"function",
                "function":{"name":"weather","arguments":"{\"place\": \"Rome\"}"}}]},
            {"role":"tool","tool_call_id":"abcdefghi","content":"sunny"}])" +
                               one_tool + "}");
        ASSERT_TRUE(later);
        const std::string text = model.render(*later);
        EXPECT_NE(text.find("Rome\"}"), std::string::npos) << one.file << "\n" << text;
        EXPECT_NE(text.find("sunny"), std::string::npos) << one.file << "\n" << text;
    }
}

TEST(prompt, templates_of_other_formats_are_told_in_words) {
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
    for (const char* file :
         {"Qwen3-Coder.jinja", "GLM-4.6.jinja", "google-gemma-2-2b-it.jinja",
          "NVIDIA-Nemotron-3-Nano-30B-A3B-BF16.jinja", "meetkai-functionary-medium-v3.1.jinja"}) {
        const Model model{read(folder / "llama.cpp" / file)};
        EXPECT_FALSE(model.chat.tools.in_template) << file;
    }
}

}  // namespace
}  // namespace teetee::api
