// SPDX-License-Identifier: Apache-2.0
#include "api/answer_text.hpp"

#include <algorithm>
#include <iterator>

#include <gtest/gtest.h>

#include "api/prompt.hpp"

namespace teetee::api {
namespace {

using pipeline::FinishReason;

/// A token for each byte.
model::Vocabulary byte_vocabulary() {
    model::Vocabulary vocabulary;
    for (size_t byte = 0; byte < 256; ++byte) {
        constexpr std::string_view digits = "0123456789ABCDEF";
        const std::string text = {'<', '0', 'x', digits[byte >> 4], digits[byte & 15], '>'};
        vocabulary.tokens.push_back({.text = text, .type = model::TokenType::byte});
    }
    vocabulary.tokens.push_back({.text = "<unk>", .type = model::TokenType::unknown});
    vocabulary.unknown = 256;
    return vocabulary;
}

model::Tokenizer byte_tokenizer() {
    return model::Tokenizer::build(byte_vocabulary()).value();
}

/// What the bytes let out one by one, as far as a stop string.
std::vector<std::string> feed_all(AnswerText& text, std::string_view bytes) {
    std::vector<std::string> out;
    for (const char c : bytes) {
        const auto output = text.feed(static_cast<uint8_t>(c)).value();
        out.push_back(output.text);
        if (output.stopped) break;
    }
    return out;
}

TEST(answer_text, goes_on_behind_any_token_as_if_it_had_never_ended) {
    const model::Tokenizer tokenizer = byte_tokenizer();
    const std::vector<std::string> stops = {"\xe2\x82\xac!", "end", "<stop>"};
    for (const std::string_view bytes :
         {"a \xf0\x9f\x98\x80 <st \xe2\x82\xac? e en", "caf\xc3\xa9 <sto<stop>", "\xe2\x82\xac!",
          "\xff\xe2\x82", "the en"}) {
        AnswerText whole(tokenizer, {.stops = stops});
        const std::vector<std::string> pieces = feed_all(whole, bytes);
        const std::string last = whole.finish(FinishReason::length).text;
        for (size_t known = 0; known <= pieces.size(); ++known) {
            AnswerText again(tokenizer, {.stops = stops});
            auto resumed = feed_all(again, bytes.substr(0, known));
            const auto rest = feed_all(again, bytes.substr(known, pieces.size() - known));
            resumed.insert(resumed.end(), rest.begin(), rest.end());
            EXPECT_EQ(resumed, pieces) << bytes << " at " << known;
            EXPECT_EQ(again.finish(FinishReason::length).text, last) << bytes << " at " << known;
        }
    }
}

TEST(answer_text, gives_out_at_the_end_what_it_held_back) {
    const model::Tokenizer tokenizer = byte_tokenizer();
    AnswerText text(tokenizer, {.stops = {"stop"}});
    EXPECT_EQ(feed_all(text, "sto").back(), "");
    EXPECT_EQ(text.finish(FinishReason::stop).text, "sto");
    AnswerText cut(tokenizer, {});
    EXPECT_EQ(feed_all(cut, "\xe2\x82").back(), "");
    EXPECT_EQ(cut.finish(FinishReason::length).text, "\xef\xbf\xbd");
    EXPECT_EQ(AnswerText(tokenizer, {}).feed(257).error().code, ErrorCode::token_out_of_range);
}

TEST(answer_text, shows_the_marks_of_calls_that_are_control_tokens) {
    model::Vocabulary vocabulary = byte_vocabulary();
    for (const std::string_view mark : marks_of(ToolFormat::mistral))
        vocabulary.tokens.push_back({.text = std::string(mark), .type = model::TokenType::control});
    vocabulary.tokens.push_back({.text = "[OTHER]", .type = model::TokenType::control});
    vocabulary.chat_template = "{% if tools %}[TOOL_CALLS][ARGS]{% endif %}";
    const Chat chat = Chat::of(vocabulary);
    EXPECT_EQ(chat.mark_tokens.size(), 3u);
    const model::Tokenizer tokenizer = model::Tokenizer::build(std::move(vocabulary)).value();
    AnswerText text(tokenizer, {.tool_format = chat.tools.format, .mark_tokens = chat.mark_tokens});
    std::vector<ToolCall> calls;
    const auto feed = [&](TokenId token) {
        auto output = text.feed(token).value();
        EXPECT_EQ(output.text, "");
        std::ranges::move(output.calls, std::back_inserter(calls));
    };
    // [TOOL_CALLS]f[CALL_ID]1[ARGS]{} and a token that is no mark.
    feed(257);
    feed('f');
    feed(259);
    feed('1');
    feed(258);
    feed('{');
    feed(260);
    feed('}');
    std::ranges::move(text.finish(FinishReason::stop).calls, std::back_inserter(calls));
    EXPECT_EQ(calls, (std::vector<ToolCall>{{"f", "{}"}}));
}

}  // namespace
}  // namespace teetee::api
