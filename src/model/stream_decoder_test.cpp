// SPDX-License-Identifier: Apache-2.0
#include "model/stream_decoder.hpp"

#include <gtest/gtest.h>

#include "model/utf8.hpp"

namespace teetee::model {
namespace {

constexpr TokenId byte_token_base = 5;  // ids of the byte tokens follow the others

Tokenizer byte_tokenizer() {
    Vocabulary vocabulary;
    vocabulary.tokens = {{.text = "<unk>", .type = TokenType::unknown},
                         {.text = "<s>", .type = TokenType::control},
                         {.text = "</s>", .type = TokenType::control},
                         {.text = "\xe2\x96\x81"},
                         {.text = "\xe2\x96\x81hi"}};
    for (size_t byte = 0; byte < 256; ++byte) {
        constexpr std::string_view digits = "0123456789ABCDEF";
        const std::string text = {'<', '0', 'x', digits[byte >> 4], digits[byte & 15], '>'};
        vocabulary.tokens.push_back({.text = text, .type = TokenType::byte});
    }
    vocabulary.unknown = 0;
    vocabulary.bos = 1;
    vocabulary.add_space_prefix = true;
    return *Tokenizer::build(std::move(vocabulary));
}

std::string feed_bytes(StreamDecoder& decoder, std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        const auto text = decoder.feed(byte_token_base + static_cast<uint8_t>(c));
        out += *text;
        EXPECT_TRUE(is_utf8(*text));
    }
    return out;
}

TEST(stream_decoder, holds_a_character_back_until_it_is_whole) {
    const Tokenizer tokenizer = byte_tokenizer();
    StreamDecoder decoder(tokenizer);
    EXPECT_EQ(feed_bytes(decoder, "\xf0\x9f\x98"), "");
    EXPECT_EQ(feed_bytes(decoder, "\x80"), "\xf0\x9f\x98\x80");
    EXPECT_EQ(decoder.finish(), "");
}

TEST(stream_decoder, replaces_what_cannot_be_a_character) {
    const Tokenizer tokenizer = byte_tokenizer();
    StreamDecoder decoder(tokenizer);
    EXPECT_EQ(feed_bytes(decoder,
                         "a\xff"
                         "b"),
              "a\xef\xbf\xbd"
              "b");
    EXPECT_EQ(feed_bytes(decoder,
                         "\xe2\x82"
                         "c"),
              "\xef\xbf\xbd"
              "c");
    EXPECT_EQ(feed_bytes(decoder, "\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    EXPECT_EQ(feed_bytes(decoder, "\xe2\x82"), "");
    EXPECT_EQ(decoder.finish(), "\xef\xbf\xbd");
    EXPECT_EQ(decoder.finish(), "");
}

TEST(stream_decoder, takes_the_added_space_away_once) {
    const Tokenizer tokenizer = byte_tokenizer();
    StreamDecoder decoder(tokenizer);
    EXPECT_EQ(*decoder.feed(1), "");
    EXPECT_EQ(*decoder.feed(4), "hi");
    EXPECT_EQ(*decoder.feed(4), " hi");
    StreamDecoder continuing(tokenizer, {.continues_text = true});
    EXPECT_EQ(*continuing.feed(4), " hi");
}

TEST(stream_decoder, renders_special_tokens_when_asked) {
    const Tokenizer tokenizer = byte_tokenizer();
    StreamDecoder decoder(tokenizer, {.render_special = true});
    EXPECT_EQ(*decoder.feed(1), "<s>");
    EXPECT_EQ(*decoder.feed(0), "<unk>");
}

TEST(stream_decoder, rejects_an_id_outside_the_vocabulary) {
    const Tokenizer tokenizer = byte_tokenizer();
    StreamDecoder decoder(tokenizer);
    EXPECT_EQ(decoder.feed(byte_token_base + 256).error().code, ErrorCode::token_out_of_range);
    EXPECT_EQ(decoder.feed(UINT32_MAX).error().code, ErrorCode::token_out_of_range);
}

TEST(stream_decoder, utf8_head_agrees_with_is_utf8) {
    // All sequences of up to three bytes from the borders of the table.
    const std::vector<uint8_t> bytes = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1,
                                        0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff};
    for (const uint8_t a : bytes) {
        for (const uint8_t b : bytes) {
            for (const uint8_t c : bytes) {
                for (const uint8_t d : bytes) {
                    const std::string text = {static_cast<char>(a), static_cast<char>(b),
                                              static_cast<char>(c), static_cast<char>(d)};
                    const Utf8Head head = utf8_head(text);
                    EXPECT_NE(head.state, Utf8State::incomplete);
                    EXPECT_EQ(head.state == Utf8State::complete,
                              is_utf8(text.substr(0, head.bytes)));
                    if (head.bytes == 1) continue;
                    EXPECT_EQ(utf8_head(text.substr(0, head.bytes - 1)).state,
                              Utf8State::incomplete);
                }
            }
        }
    }
}

}  // namespace
}  // namespace teetee::model
