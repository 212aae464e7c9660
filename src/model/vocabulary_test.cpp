// SPDX-License-Identifier: Apache-2.0
#include "model/vocabulary.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "model/gguf_writer.hpp"
#include "model/tokenizer_limits.hpp"

namespace teetee::model {
namespace {

using Floats = std::vector<float>;
using Types = std::vector<int32_t>;
using Texts = std::vector<std::string>;

GgufWriter spm_file() {
    GgufWriter file;
    file.string("tokenizer.ggml.model", "llama");
    file.strings("tokenizer.ggml.tokens", Texts{"<unk>", "<s>", "</s>", "<0x41>", "a"});
    return file;
}

GgufWriter spm_file_with_scores() {
    GgufWriter file = spm_file();
    file.f32s("tokenizer.ggml.scores", Floats(5, 0.0F));
    return file;
}

GgufWriter bpe_file(const Texts& merges) {
    GgufWriter file;
    file.string("tokenizer.ggml.model", "gpt2");
    file.strings("tokenizer.ggml.tokens", Texts{"a", "b", "ab", "<|im_end|>"});
    file.strings("tokenizer.ggml.merges", merges);
    return file;
}

Result<Vocabulary> read(const GgufWriter& writer) {
    Bytes file;
    TT_CHECK(writer.write([&](ByteView bytes) -> Result<void> {
        file.insert(file.end(), bytes.begin(), bytes.end());
        return {};
    }));
    TT_TRY(const auto gguf, Gguf::parse(file));
    return vocabulary_from(gguf);
}

ErrorCode code_of(const Result<Vocabulary>& result) {
    return result ? ErrorCode{} : result.error().code;
}

TEST(vocabulary, reads_sentencepiece_with_its_defaults) {
    GgufWriter file = spm_file_with_scores();
    file.i32s("tokenizer.ggml.token_type", Types{2, 3, 3, 6, 1});
    const auto vocabulary = read(file);
    ASSERT_TRUE(vocabulary) << vocabulary.error().message();
    EXPECT_EQ(vocabulary->kind, VocabularyKind::sentencepiece);
    EXPECT_EQ(vocabulary->unknown, 0u);
    EXPECT_EQ(vocabulary->bos, 1u);
    EXPECT_EQ(vocabulary->eos, 2u);
    EXPECT_TRUE(vocabulary->add_bos);
    EXPECT_FALSE(vocabulary->add_eos);
    EXPECT_TRUE(vocabulary->add_space_prefix);
    EXPECT_EQ(vocabulary->tokens[3].type, TokenType::byte);
}

TEST(vocabulary, types_the_special_tokens_when_the_file_has_no_types) {
    const auto vocabulary = read(spm_file_with_scores());
    ASSERT_TRUE(vocabulary) << vocabulary.error().message();
    EXPECT_EQ(vocabulary->tokens[0].type, TokenType::unknown);
    EXPECT_EQ(vocabulary->tokens[1].type, TokenType::control);
    EXPECT_EQ(vocabulary->tokens[4].type, TokenType::normal);
}

TEST(vocabulary, reads_byte_level_bpe_with_its_defaults) {
    const auto vocabulary = read(bpe_file({"a b"}));
    ASSERT_TRUE(vocabulary) << vocabulary.error().message();
    EXPECT_EQ(vocabulary->kind, VocabularyKind::byte_level_bpe);
    EXPECT_EQ(vocabulary->pre, "");
    EXPECT_FALSE(vocabulary->bos);
    EXPECT_FALSE(vocabulary->add_bos);
    EXPECT_FALSE(vocabulary->add_space_prefix);
    EXPECT_EQ(vocabulary->merges, Texts{"a b"});
}

TEST(vocabulary, adds_bos_where_the_splitting_rule_says_so_unless_the_file_does) {
    GgufWriter file = bpe_file({});
    file.string("tokenizer.ggml.pre", "llama-bpe");
    file.u32("tokenizer.ggml.bos_token_id", 0);
    EXPECT_TRUE(read(file)->add_bos);
    file.boolean("tokenizer.ggml.add_bos_token", false);
    EXPECT_FALSE(read(file)->add_bos);
}

TEST(vocabulary, makes_a_user_defined_token_that_ends_generation_control) {
    GgufWriter file = bpe_file({});
    file.i32s("tokenizer.ggml.token_type", Types{1, 1, 1, 4});
    const auto vocabulary = read(file);
    ASSERT_TRUE(vocabulary) << vocabulary.error().message();
    EXPECT_EQ(vocabulary->tokens[3].type, TokenType::control);
}

TEST(vocabulary, lets_phi3s_special_tokens_strip_white_space) {
    GgufWriter file = spm_file_with_scores();
    file.string("general.architecture", "phi3");
    const auto vocabulary = read(file);
    ASSERT_TRUE(vocabulary) << vocabulary.error().message();
    EXPECT_FALSE(vocabulary->tokens[1].strips_right);
    EXPECT_TRUE(vocabulary->tokens[2].strips_right);
    EXPECT_FALSE(vocabulary->tokens[4].strips_right);
}

TEST(vocabulary, rejects_models_without_a_tokenizer_it_knows) {
    EXPECT_EQ(code_of(read(GgufWriter())), ErrorCode::tokenizer_unsupported);
    for (const char* const model : {"none", "bert", "t5"}) {
        GgufWriter file;
        file.string("tokenizer.ggml.model", model);
        const auto result = read(file);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, ErrorCode::tokenizer_unsupported);
        EXPECT_NE(result.error().detail.find(model), std::string::npos);
    }
}

TEST(vocabulary, rejects_arrays_that_do_not_fit_the_tokens) {
    EXPECT_EQ(code_of(read(spm_file())), ErrorCode::vocabulary_invalid);

    GgufWriter few_scores = spm_file();
    few_scores.f32s("tokenizer.ggml.scores", Floats{0.0F});
    EXPECT_EQ(code_of(read(few_scores)), ErrorCode::vocabulary_invalid);

    GgufWriter integer_scores = spm_file();
    integer_scores.i32s("tokenizer.ggml.scores", Types(5, 0));
    EXPECT_EQ(code_of(read(integer_scores)), ErrorCode::gguf_malformed);

    GgufWriter few_types = spm_file_with_scores();
    few_types.i32s("tokenizer.ggml.token_type", Types{2, 3});
    EXPECT_EQ(code_of(read(few_types)), ErrorCode::vocabulary_invalid);

    for (const int32_t type : {-1, 0, 7}) {
        GgufWriter unknown_type = spm_file_with_scores();
        unknown_type.i32s("tokenizer.ggml.token_type", Types{2, 3, 3, 6, type});
        EXPECT_EQ(code_of(read(unknown_type)), ErrorCode::vocabulary_invalid);
    }

    GgufWriter no_merges;
    no_merges.string("tokenizer.ggml.model", "gpt2");
    no_merges.strings("tokenizer.ggml.tokens", Texts{"a"});
    EXPECT_EQ(code_of(read(no_merges)), ErrorCode::vocabulary_invalid);
}

TEST(vocabulary, rejects_a_special_id_outside_the_tokens) {
    for (const std::string key : {"bos", "eos", "eot", "unknown"}) {
        GgufWriter file = bpe_file({});
        file.u32("tokenizer.ggml." + key + "_token_id", 4);
        EXPECT_EQ(code_of(read(file)), ErrorCode::vocabulary_invalid);
    }
}

TEST(vocabulary, rejects_merges_that_are_not_two_parts) {
    for (const char* const merge : {"", "ab", " ", " b", "a ", "a  b", "a b c"}) {
        EXPECT_EQ(code_of(read(bpe_file({merge}))), ErrorCode::vocabulary_invalid) << merge;
    }
}

TEST(vocabulary, validates_tokens) {
    const auto accepts = [](Token token) {
        Vocabulary vocabulary;
        vocabulary.tokens = {std::move(token)};
        return validate(vocabulary).has_value();
    };
    EXPECT_TRUE(accepts({.text = "a"}));
    EXPECT_TRUE(accepts({.text = ""}));
    EXPECT_TRUE(accepts({.text = std::string(token_text_bytes_max, 'a')}));
    EXPECT_FALSE(accepts({.text = std::string(token_text_bytes_max + 1, 'a')}));
    EXPECT_FALSE(accepts(
        {.text = std::string(special_text_bytes_max + 1, 'a'), .type = TokenType::user_defined}));
    EXPECT_FALSE(accepts({.text = "\xff"}));
    EXPECT_FALSE(accepts({.text = "a", .score = std::nanf("")}));
    EXPECT_FALSE(accepts({.text = "a", .score = -INFINITY}));
    EXPECT_TRUE(accepts({.text = "<0xfF>", .type = TokenType::byte}));
    for (const char* const text : {"<0x-1>", "<0xZZ>", "<0x1>", "<0x0x>", "<0x111>", "0x11", ""}) {
        EXPECT_FALSE(accepts({.text = text, .type = TokenType::byte})) << text;
    }
    EXPECT_FALSE(validate(Vocabulary{}));
}

TEST(vocabulary, rejects_the_malformed_files) {
    const std::filesystem::path folder = TEETEE_SHARED_DATA "/malformed/gguf";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no shared data";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (!entry.path().filename().string().starts_with("v_")) continue;
        std::ifstream stream(entry.path(), std::ios::binary);
        const std::string file((std::istreambuf_iterator<char>(stream)), {});
        const auto gguf = Gguf::parse(as_bytes(file));
        ASSERT_TRUE(gguf) << entry.path() << gguf.error().message();
        EXPECT_FALSE(vocabulary_from(*gguf)) << entry.path();
    }
}

}  // namespace
}  // namespace teetee::model
