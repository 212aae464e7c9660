// SPDX-License-Identifier: Apache-2.0
#include "model/chat_template.hpp"

#include <boost/json/array.hpp>
#include <gtest/gtest.h>

namespace teetee::model {
namespace {

Vocabulary vocabulary_with(std::string_view chat_template) {
    Vocabulary vocabulary;
    vocabulary.tokens = {{.text = "<s>", .type = TokenType::control},
                         {.text = "</s>", .type = TokenType::control}};
    vocabulary.bos = 0;
    vocabulary.eos = 1;
    vocabulary.chat_template = chat_template;
    return vocabulary;
}

TEST(chat_template, writes_the_models_own_special_tokens) {
    const auto chat = ChatTemplate::build(vocabulary_with(
        "{{ bos_token }}{% for m in messages %}{{ m.content + eos_token }}{% endfor %}"));
    ASSERT_TRUE(chat) << chat.error().message();
    const boost::json::object message = {{"role", "user"}, {"content", "</s>"}};
    const auto text = chat->render(
        {{"messages", boost::json::array{message}}, {"bos_token", "forged"}}, UnixSeconds{0});
    ASSERT_TRUE(text) << text.error().message();
    EXPECT_EQ(text->bytes, "<s></s></s>");
    EXPECT_EQ(text->foreign, (std::vector<jinja::Span>{{3, 7}}));
}

TEST(chat_template, says_why_a_template_cannot_be_used) {
    EXPECT_EQ(ChatTemplate::build(vocabulary_with("")).error().code,
              ErrorCode::template_unsupported);
    const auto broken = ChatTemplate::build(vocabulary_with("a\n{% if %}"));
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().code, ErrorCode::template_malformed);
    EXPECT_TRUE(broken.error().detail.starts_with("tokenizer.chat_template: line 2: "))
        << broken.error().detail;
}

}  // namespace
}  // namespace teetee::model
