// SPDX-License-Identifier: Apache-2.0
#include "model/bpe_split.hpp"

#include <string>

#include <gtest/gtest.h>

namespace teetee::model {
namespace {

using Pieces = std::vector<std::string_view>;

Pieces split(std::string_view pre, std::string_view text) {
    const SplitRule* rule = find_split_rule(pre);
    if (rule == nullptr) return {"no such rule"};
    const auto splitter = TextSplitter::build(*rule);
    if (!splitter) return {"does not compile"};
    auto pieces = splitter->split(text);
    return pieces ? *std::move(pieces) : Pieces{"failed"};
}

constexpr std::string_view rule_names[] = {
    "",      "gpt-2",  "falcon", "starcoder",    "llama-bpe",      "dbrx",
    "qwen2", "gpt-4o", "tekken", "deepseek-llm", "deepseek-coder", "deepseek-v3",
};

TEST(bpe_split, knows_the_other_names_of_a_rule) {
    EXPECT_EQ(find_split_rule("default"), find_split_rule(""));
    EXPECT_EQ(find_split_rule("mpt"), find_split_rule("gpt-2"));
    EXPECT_EQ(find_split_rule("refact"), find_split_rule("starcoder"));
    EXPECT_EQ(find_split_rule("smollm"), find_split_rule("command-r"));
    EXPECT_EQ(find_split_rule("llama3"), find_split_rule("llama-bpe"));
}

TEST(bpe_split, knows_no_other_rules) {
    EXPECT_EQ(find_split_rule("GPT-2"), nullptr);
    EXPECT_EQ(find_split_rule("jina-v2-zh"), nullptr);
}

TEST(bpe_split, keeps_every_byte_under_every_rule) {
    const std::string text =
        "Hello, y'ALL'S  \xf0\x9f\x98\x80 \n\n x\t1234567 \xc2\xbd caf\xc3\xa9 "
        "\xe4\xb8\xad\xe6\x96\x87 "
        "<b>\xff\xc3 \xe2\x80\xa8\xe1\xa0\x8e``^^  \r\n  ";
    for (const std::string_view name : rule_names) {
        std::string joined;
        for (const std::string_view piece : split(name, text)) {
            EXPECT_FALSE(piece.empty());
            joined += piece;
        }
        EXPECT_EQ(joined, text) << name;
        EXPECT_TRUE(split(name, "").empty());
    }
}

TEST(bpe_split, gpt2) {
    EXPECT_EQ(split("gpt-2", "I'll  go,x 12\n\n y"),
              (Pieces{"I", "'ll", " ", " go", ",", "x", " 12", "\n\n", " y"}));
    EXPECT_EQ(split("gpt-2", "a   "), (Pieces{"a", "   "}));
}

TEST(bpe_split, falcon_and_starcoder_cut_digits_apart) {
    EXPECT_EQ(split("falcon", "a-12345 `$x"), (Pieces{"a", "-", "123", "45", " ", "`$", "x"}));
    EXPECT_EQ(split("starcoder", "v12 3"), (Pieces{"v", "1", "2", " ", "3"}));
    EXPECT_EQ(split("default", "x 1234"), (Pieces{"x", " ", "123", "4"}));
}

TEST(bpe_split, llama3_and_qwen2_differ_in_digits) {
    EXPECT_EQ(split("llama-bpe", "It'S 12345!\n\n x"),
              (Pieces{"It", "'S", " ", "123", "45", "!\n\n", " x"}));
    EXPECT_EQ(split("qwen2", "(word 12"), (Pieces{"(word", " ", "1", "2"}));
}

TEST(bpe_split, gpt4o_and_tekken_cut_where_capitals_begin) {
    EXPECT_EQ(split("gpt-4o", "HelloWORLDs it's"), (Pieces{"Hello", "WORLDs", " it's"}));
    EXPECT_EQ(split("tekken", "camelCase it's 12"),
              (Pieces{"camel", "Case", " it", "'s", " ", "1", "2"}));
}

TEST(bpe_split, deepseek) {
    EXPECT_EQ(split("deepseek-llm", "ab c12  \nx."),
              (Pieces{"ab", " c", "12", "  ", "\n", "x", "."}));
    EXPECT_EQ(split("deepseek-coder", "ab, 12\n"), (Pieces{"ab", ",", " ", "1", "2", "\n"}));
    EXPECT_EQ(split("deepseek-v3", "x1234 .go\xe4\xb8\xad y"),
              (Pieces{"x", "123", "4", " .", "go", "\xe4\xb8\xad", " y"}));
}

TEST(bpe_split, white_space_is_unicodes) {
    // U+3000 is white space; U+180E, which PCRE2 counts as such, is not.
    EXPECT_EQ(split("gpt-2", "\xe3\x80\x80!"), (Pieces{"\xe3\x80\x80", "!"}));
    EXPECT_EQ(split("gpt-2", "\xe1\xa0\x8e!"), (Pieces{"\xe1\xa0\x8e!"}));
}

TEST(bpe_split, sets_bytes_that_are_no_utf8_apart) {
    EXPECT_EQ(split("gpt-2",
                    "ab\xff\xfe"
                    "cd\xe2\x82"),
              (Pieces{"ab", "\xff", "\xfe", "cd", "\xe2\x82"}));
}

TEST(bpe_split, does_not_backtrack_over_long_runs) {
    constexpr size_t count = 1 << 15;
    for (const std::string_view name : rule_names) {
        for (const char* const run : {" ", "a", "A", "1", "!", "\n", "\xe4\xb8\xad", "' "}) {
            std::string text;
            for (size_t i = 0; i < count; ++i) text += run;
            for (const char* const end : {"", "1", "\xe4\xb8\xad", "\xcc\x81"}) {
                EXPECT_GE(split(name, text + end).size(), 1u);
            }
        }
    }
}

}  // namespace
}  // namespace teetee::model
