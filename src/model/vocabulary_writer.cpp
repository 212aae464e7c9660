// SPDX-License-Identifier: Apache-2.0
#include "model/vocabulary_writer.hpp"

namespace teetee::model {
namespace {

std::string_view name_of(VocabularyKind kind) {
    switch (kind) {
        case VocabularyKind::sentencepiece:
            return "llama";
        case VocabularyKind::byte_level_bpe:
            return "gpt2";
        case VocabularyKind::unigram:
            return "t5";
    }
    return "";
}

}  // namespace

void write_vocabulary(const Vocabulary& vocabulary, GgufWriter& writer) {
    std::vector<std::string> texts;
    std::vector<float> scores;
    std::vector<int32_t> types;
    for (const Token& token : vocabulary.tokens) {
        texts.push_back(token.text);
        scores.push_back(token.score);
        types.push_back(static_cast<int32_t>(token.type));
    }
    writer.string("tokenizer.ggml.model", name_of(vocabulary.kind));
    if (!vocabulary.pre.empty()) writer.string("tokenizer.ggml.pre", vocabulary.pre);
    writer.strings("tokenizer.ggml.tokens", texts);
    if (vocabulary.kind != VocabularyKind::byte_level_bpe)
        writer.f32s("tokenizer.ggml.scores", scores);
    writer.i32s("tokenizer.ggml.token_type", types);
    if (vocabulary.kind == VocabularyKind::byte_level_bpe || !vocabulary.merges.empty())
        writer.strings("tokenizer.ggml.merges", vocabulary.merges);
    const std::pair<std::string_view, std::optional<TokenId>> ids[] = {
        {"tokenizer.ggml.bos_token_id", vocabulary.bos},
        {"tokenizer.ggml.eos_token_id", vocabulary.eos},
        {"tokenizer.ggml.eot_token_id", vocabulary.eot},
        {"tokenizer.ggml.unknown_token_id", vocabulary.unknown},
    };
    for (const auto& [key, id] : ids)
        if (id) writer.u32(key, *id);
    writer.boolean("tokenizer.ggml.add_bos_token", vocabulary.add_bos);
    writer.boolean("tokenizer.ggml.add_eos_token", vocabulary.add_eos);
    if (vocabulary.kind != VocabularyKind::byte_level_bpe)
        writer.boolean("tokenizer.ggml.add_space_prefix", vocabulary.add_space_prefix);
    if (!vocabulary.chat_template.empty())
        writer.string("tokenizer.chat_template", vocabulary.chat_template);
    if (!vocabulary.rules.empty()) writer.string("tokenizer.teetee.rules", vocabulary.rules);
}

}  // namespace teetee::model
