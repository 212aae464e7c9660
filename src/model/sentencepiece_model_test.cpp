// SPDX-License-Identifier: Apache-2.0
#include "model/sentencepiece_model.hpp"

#include <bit>

#include <gtest/gtest.h>

#include "model/charsmap.hpp"
#include "model/tokenizer.hpp"

namespace teetee::model {
namespace {

std::string varint(uint64_t value) {
    std::string out;
    for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
    out.push_back(static_cast<char>(value));
    return out;
}

std::string number(uint32_t field, uint64_t value) {
    return varint(field << 3) + varint(value);
}

std::string bytes(uint32_t field, std::string_view value) {
    return varint(field << 3 | 2) + varint(value.size()) + std::string(value);
}

std::string piece(std::string_view text, float score, uint64_t type = 1) {
    const auto bits = std::bit_cast<uint32_t>(score);
    std::string message = bytes(1, text) + varint(2 << 3 | 5);
    for (int i = 0; i < 4; ++i) message.push_back(static_cast<char>(bits >> (8 * i)));
    if (type != 1) message += number(3, type);
    return bytes(1, message);
}

std::string pieces() {
    return piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3) +
           piece("\xe2\x96\x81", -2) + piece("a", -3) + piece("b", -3.5F) +
           piece(
               "\xe2\x96\x81"
               "a",
               -4) +
           piece("ab", -4.5F);
}

std::string model(uint64_t type, bool removes_spaces) {
    return pieces() + bytes(2, number(3, type)) + bytes(3, number(4, removes_spaces ? 1 : 0));
}

std::vector<TokenId> encode(const std::string& file, std::string_view text) {
    auto vocabulary = parse_sentencepiece_model(as_bytes(file));
    EXPECT_TRUE(vocabulary) << vocabulary.error().message();
    const auto tokenizer = Tokenizer::build(std::move(vocabulary).value());
    EXPECT_TRUE(tokenizer) << tokenizer.error().message();
    return *tokenizer->encode(text);
}

using Ids = std::vector<TokenId>;

TEST(sentencepiece_model, unigram) {
    EXPECT_EQ(encode(model(1, true), "  ab   a "), (Ids{3, 7, 6}));
    EXPECT_EQ(encode(model(1, true), "x"), (Ids{3, 0}));
    EXPECT_EQ(encode(model(1, true), "   "), Ids());
}

TEST(sentencepiece_model, bpe_without_normalization_is_llamas) {
    const auto vocabulary = parse_sentencepiece_model(as_bytes(model(2, false)));
    ASSERT_TRUE(vocabulary);
    EXPECT_EQ(vocabulary->kind, VocabularyKind::sentencepiece);
    EXPECT_EQ(vocabulary->rules, "");
    EXPECT_EQ(vocabulary->bos, 1u);
    EXPECT_TRUE(vocabulary->add_bos);
    EXPECT_EQ(encode(model(2, false), "a  b"), (Ids{6, 3, 3, 5}));
    EXPECT_EQ(encode(model(2, true), "a  b"), (Ids{6, 3, 5}));
}

TEST(sentencepiece_model, rejects_what_is_none) {
    const auto code_of = [](const std::string& file) {
        const auto vocabulary = parse_sentencepiece_model(as_bytes(file));
        return vocabulary ? ErrorCode{} : vocabulary.error().code;
    };
    using enum ErrorCode;
    EXPECT_EQ(code_of(""), vocabulary_invalid);
    EXPECT_EQ(code_of("IQ== 0\nIg== 1\n"), vocabulary_invalid);  // tiktoken's form
    EXPECT_EQ(code_of(model(3, true)), tokenizer_unsupported);
    EXPECT_EQ(code_of(model(1, true) + bytes(2, number(24, 1))), tokenizer_unsupported);
    EXPECT_EQ(code_of(model(1, true) + bytes(3, number(5, 0))), tokenizer_unsupported);
    EXPECT_EQ(code_of(piece("a", 0, 9)), vocabulary_invalid);
    EXPECT_EQ(code_of(model(1, true) + bytes(17, "x")), vocabulary_invalid);
    EXPECT_EQ(code_of(model(1, true) + bytes(3, bytes(2, "no trie"))), tokenizer_unsupported);
    const std::string whole = model(1, true);
    for (size_t size = 1; size < whole.size(); ++size) {
        // Cut between fields it may be a smaller model; it must not be read past its end.
        const auto code = code_of(whole.substr(0, size));
        EXPECT_TRUE(code == ErrorCode{} || code == vocabulary_invalid) << size;
    }
}

/// A map of one text, "a" to "xy".
std::string one_rule_charsmap(std::string_view replacement = "xy") {
    // units: 0 the root (children at 0 ^ 1), 1 ^ 'a' the node (its leaf at that ^ 2).
    std::vector<uint32_t> units(256);
    const uint32_t node = 1 ^ 'a';
    units[0] = 1u << 10;
    units[node] = (2u << 10) | 0x100u | 'a';
    units[node ^ 2] = 0x80000000u;
    std::string blob;
    const auto add = [&](uint32_t value) {
        for (int i = 0; i < 4; ++i) blob.push_back(static_cast<char>(value >> (8 * i)));
    };
    add(static_cast<uint32_t>(4 * units.size()));
    for (const uint32_t unit : units) add(unit);
    return blob.append(replacement) + '\0';
}

TEST(charsmap, replaces_the_texts_of_its_trie) {
    const std::string blob = one_rule_charsmap();
    const auto map = Charsmap::parse(as_bytes(blob));
    ASSERT_TRUE(map);
    EXPECT_EQ(*map->apply("bab\xc3\xa9"
                          "a"),
              "bxyb\xc3\xa9"
              "xy");
}

// Without the bound this text would become 2^42 bytes long.
TEST(charsmap, a_text_that_grows_beyond_all_use_is_refused) {
    const std::string blob = one_rule_charsmap(std::string(1 << 20, 'x'));
    const auto map = Charsmap::parse(as_bytes(blob));
    ASSERT_TRUE(map);
    EXPECT_TRUE(map->apply("a"));
    const auto grown = map->apply(std::string(1 << 22, 'a'));
    ASSERT_FALSE(grown);
    EXPECT_EQ(grown.error().code, ErrorCode::limit_exceeded);
}

TEST(charsmap, rejects_what_is_none) {
    const std::string blob = one_rule_charsmap();
    for (const std::string& bad :
         {std::string(), blob.substr(0, 3), blob.substr(0, 100), std::string(4, '\0') + "x",
          blob.substr(0, blob.size() - 1), blob.substr(0, blob.size() - 3)})
        EXPECT_FALSE(Charsmap::parse(as_bytes(bad)));
    // Units that point anywhere are followed inside of the trie only.
    std::string wild = blob;
    for (size_t i = 4; i < wild.size() - 3; ++i) wild[i] = static_cast<char>(i * 37);
    const auto map = Charsmap::parse(as_bytes(wild));
    if (map) {
        EXPECT_FALSE(map->apply(std::string(64, 'a'))->empty());
    }
}

}  // namespace
}  // namespace teetee::model
