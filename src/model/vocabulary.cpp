// SPDX-License-Identifier: Apache-2.0
#include "model/vocabulary.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "model/bpe_split.hpp"
#include "model/text_rules.hpp"
#include "model/tokenizer_limits.hpp"

namespace teetee::model {
namespace {

constexpr std::string_view tokens_key = "tokenizer.ggml.tokens";
constexpr std::string_view scores_key = "tokenizer.ggml.scores";
constexpr std::string_view types_key = "tokenizer.ggml.token_type";
constexpr std::string_view merges_key = "tokenizer.ggml.merges";
constexpr std::string_view rules_key = "tokenizer.teetee.rules";

Error invalid(std::string_view key, std::string_view what) {
    return fail(ErrorCode::vocabulary_invalid, std::string(key) + ": " + std::string(what));
}

Error invalid_at(std::string_view key, size_t index, std::string_view what) {
    return invalid(std::string(key) + "[" + std::to_string(index) + "]", what);
}

Error too_large(std::string_view key, size_t have, size_t most) {
    return invalid(key, "have " + std::to_string(have) + ", need at most " + std::to_string(most));
}

// Element `index` of an array of 32-bit numbers.
uint32_t number_at(const GgufArray& array, size_t index) {
    uint32_t value = 0;
    for (size_t i = 0; i < 4; ++i) value |= uint32_t{array.numbers[4 * index + i]} << (8 * i);
    return value;
}

// An array that has an element for each token; null when absent.
Result<const GgufArray*> array_per_token(const Gguf& gguf, std::string_view key, GgufType type,
                                         size_t token_count) {
    TT_TRY(const GgufArray* array, gguf.array(key, type));
    if (array != nullptr && array->count != token_count) {
        return invalid(key, "have " + std::to_string(array->count) + " elements, need " +
                                std::to_string(token_count));
    }
    return array;
}

Result<void> read_tokens(const Gguf& gguf, Vocabulary& vocabulary) {
    TT_TRY(const GgufArray* texts, gguf.array(tokens_key, GgufType::string));
    if (texts == nullptr) return invalid(tokens_key, "absent");
    const size_t count = texts->strings.size();
    if (count > token_count_max) return too_large(tokens_key, count, token_count_max);
    TT_TRY(const GgufArray* scores, array_per_token(gguf, scores_key, GgufType::f32, count));
    TT_TRY(const GgufArray* types, array_per_token(gguf, types_key, GgufType::i32, count));
    if (scores == nullptr && vocabulary.kind != VocabularyKind::byte_level_bpe) {
        return invalid(scores_key, "absent, need one for each token");
    }
    vocabulary.tokens.resize(count);
    for (size_t i = 0; i < count; ++i) {
        Token& token = vocabulary.tokens[i];
        token.text = texts->strings[i];
        if (scores != nullptr) token.score = std::bit_cast<float>(number_at(*scores, i));
        if (types == nullptr) continue;
        const uint32_t type = number_at(*types, i);
        if (type < 1 || type > 6) {
            return invalid_at(types_key, i, "have " + std::to_string(type) + ", need 1 to 6");
        }
        token.type = static_cast<TokenType>(type);
    }
    return {};
}

Result<void> read_merges(const Gguf& gguf, Vocabulary& vocabulary) {
    TT_TRY(const GgufArray* merges, gguf.array(merges_key, GgufType::string));
    if (merges == nullptr && vocabulary.kind == VocabularyKind::sentencepiece) return {};
    if (merges == nullptr) return invalid(merges_key, "absent");
    if (merges->strings.size() > merge_count_max) {
        return too_large(merges_key, merges->strings.size(), merge_count_max);
    }
    vocabulary.merges.assign(merges->strings.begin(), merges->strings.end());
    return {};
}

Result<void> read_ids(const Gguf& gguf, Vocabulary& vocabulary) {
    TT_TRY(vocabulary.bos, gguf.u32("tokenizer.ggml.bos_token_id"));
    TT_TRY(vocabulary.eos, gguf.u32("tokenizer.ggml.eos_token_id"));
    TT_TRY(vocabulary.eot, gguf.u32("tokenizer.ggml.eot_token_id"));
    TT_TRY(vocabulary.unknown, gguf.u32("tokenizer.ggml.unknown_token_id"));
    if (vocabulary.kind == VocabularyKind::sentencepiece && vocabulary.rules.empty()) {
        vocabulary.unknown = vocabulary.unknown.value_or(0);
        vocabulary.bos = vocabulary.bos.value_or(1);
        vocabulary.eos = vocabulary.eos.value_or(2);
    }
    return {};
}

Result<void> read_flags(const Gguf& gguf, Vocabulary& vocabulary) {
    const bool is_spm = vocabulary.kind == VocabularyKind::sentencepiece;
    const SplitRule* rule = find_split_rule(vocabulary.pre);
    const bool adds_bos =
        vocabulary.rules.empty() && (is_spm || (rule != nullptr && rule->adds_bos));
    TT_TRY(const auto add_bos, gguf.boolean("tokenizer.ggml.add_bos_token"));
    TT_TRY(const auto add_eos, gguf.boolean("tokenizer.ggml.add_eos_token"));
    TT_TRY(const auto add_space_prefix, gguf.boolean("tokenizer.ggml.add_space_prefix"));
    vocabulary.add_bos = vocabulary.bos && add_bos.value_or(adds_bos);
    vocabulary.add_eos = vocabulary.eos && add_eos.value_or(false);
    vocabulary.add_space_prefix = is_spm && add_space_prefix.value_or(true);
    return {};
}

// Marks what the file leaves out: the types of special tokens when it has no types at all, and the
// end of generation where it is not called control.
void complete_types(const Gguf& gguf, Vocabulary& vocabulary) {
    if (gguf.find(types_key) == nullptr) {
        for (const auto id : {vocabulary.bos, vocabulary.eos}) {
            if (id && *id < vocabulary.tokens.size()) {
                vocabulary.tokens[*id].type = TokenType::control;
            }
        }
        if (vocabulary.unknown && *vocabulary.unknown < vocabulary.tokens.size()) {
            vocabulary.tokens[*vocabulary.unknown].type = TokenType::unknown;
        }
    }
    hide_ends_of_generation(vocabulary);
}

// Phi-3's tokenizer.json lets its special tokens swallow the white space behind them, which GGUF
// cannot say.
void mark_stripping_tokens(std::string_view architecture, Vocabulary& vocabulary) {
    if (architecture != "phi3" || vocabulary.kind != VocabularyKind::sentencepiece) return;
    for (Token& token : vocabulary.tokens) {
        const bool is_special = token.type == TokenType::control ||
                                token.type == TokenType::user_defined ||
                                token.type == TokenType::unknown;
        token.strips_right = is_special && token.text != "<unk>" && token.text != "<s>" &&
                             token.text != "<|endoftext|>";
    }
}

Result<VocabularyKind> kind_of(const Gguf& gguf, bool has_rules) {
    TT_TRY(const auto model, gguf.string("tokenizer.ggml.model"));
    if (model == "llama") return VocabularyKind::sentencepiece;
    if (model == "gpt2") return VocabularyKind::byte_level_bpe;
    if (model == "t5" && has_rules) return VocabularyKind::unigram;
    return fail(ErrorCode::tokenizer_unsupported,
                "tokenizer.ggml.model: have " +
                    (model ? quote_foreign(*model) : std::string("none")) + ", need llama or gpt2");
}

Result<void> validate_token(const Token& token, size_t index) {
    const size_t bytes_max = token.type == TokenType::control ||
                                     token.type == TokenType::user_defined ||
                                     token.type == TokenType::unknown
                                 ? special_text_bytes_max
                                 : token_text_bytes_max;
    if (token.text.size() > bytes_max) {
        return invalid_at(tokens_key, index,
                          "have " + std::to_string(token.text.size()) + " bytes, need at most " +
                              std::to_string(bytes_max));
    }
    if (!is_utf8(token.text)) return invalid_at(tokens_key, index, "not UTF-8");
    if (!std::isfinite(token.score)) return invalid_at(scores_key, index, "not finite");
    if (token.type == TokenType::byte && !byte_of_token_text(token.text)) {
        return invalid_at(tokens_key, index,
                          "have the byte token " + quote_foreign(token.text) + ", need \"<0xHH>\"");
    }
    return {};
}

Result<void> validate_merge(std::string_view merge, size_t index) {
    const size_t space = merge.find(' ');
    if (space == merge.npos || space == 0 || space + 1 == merge.size() ||
        space != merge.rfind(' ')) {
        return invalid_at(merges_key, index, "need two parts with one space between them");
    }
    if (merge.size() > token_text_bytes_max + 1) {
        return invalid_at(merges_key, index, "longer than any token");
    }
    return {};
}

}  // namespace

Result<void> validate(const Vocabulary& vocabulary) {
    const size_t count = vocabulary.tokens.size();
    if (count == 0) return invalid(tokens_key, "empty");
    if (count > token_count_max) return too_large(tokens_key, count, token_count_max);
    if (vocabulary.merges.size() > merge_count_max) {
        return too_large(merges_key, vocabulary.merges.size(), merge_count_max);
    }
    const std::pair<std::string_view, std::optional<TokenId>> ids[] = {
        {"tokenizer.ggml.bos_token_id", vocabulary.bos},
        {"tokenizer.ggml.eos_token_id", vocabulary.eos},
        {"tokenizer.ggml.eot_token_id", vocabulary.eot},
        {"tokenizer.ggml.unknown_token_id", vocabulary.unknown},
    };
    for (const auto& [key, id] : ids) {
        if (id && *id >= count) {
            return invalid(
                key, "have " + std::to_string(*id) + ", need an id below " + std::to_string(count));
        }
    }
    if (vocabulary.add_bos && !vocabulary.bos)
        return invalid(ids[0].first, "absent, but to be added");
    if (vocabulary.add_eos && !vocabulary.eos)
        return invalid(ids[1].first, "absent, but to be added");
    for (size_t i = 0; i < count; ++i) TT_CHECK(validate_token(vocabulary.tokens[i], i));
    for (size_t i = 0; i < vocabulary.merges.size(); ++i) {
        TT_CHECK(validate_merge(vocabulary.merges[i], i));
    }
    if (vocabulary.rules.size() > text_rules_bytes_max)
        return too_large(rules_key, vocabulary.rules.size(), text_rules_bytes_max);
    if (vocabulary.chat_template.size() > chat_template_bytes_max) {
        return too_large("tokenizer.chat_template", vocabulary.chat_template.size(),
                         chat_template_bytes_max);
    }
    return {};
}

Result<Vocabulary> vocabulary_from(const Gguf& gguf) {
    TT_TRY(const auto rules, gguf.string(rules_key));
    Vocabulary vocabulary;
    vocabulary.rules = rules.value_or("");
    TT_TRY(vocabulary.kind, kind_of(gguf, !vocabulary.rules.empty()));
    TT_TRY(const auto pre, gguf.string("tokenizer.ggml.pre"));
    TT_TRY(const auto chat_template, gguf.string("tokenizer.chat_template"));
    TT_TRY(const auto architecture, gguf.string("general.architecture"));
    vocabulary.pre = pre.value_or("");
    vocabulary.chat_template = chat_template.value_or("");
    TT_CHECK(read_tokens(gguf, vocabulary));
    const bool has_merges = vocabulary.kind == VocabularyKind::byte_level_bpe ||
                            (vocabulary.kind == VocabularyKind::sentencepiece && rules);
    if (has_merges) TT_CHECK(read_merges(gguf, vocabulary));
    TT_CHECK(read_ids(gguf, vocabulary));
    TT_CHECK(read_flags(gguf, vocabulary));
    complete_types(gguf, vocabulary);
    if (vocabulary.rules.empty()) {
        mark_stripping_tokens(architecture.value_or(""), vocabulary);
    } else {
        TT_CHECK(mark_added_tokens(vocabulary));
    }
    TT_CHECK(validate(vocabulary));
    return vocabulary;
}

Result<void> mark_added_tokens(Vocabulary& vocabulary) {
    TT_TRY(const auto rules, parse_text_rules(vocabulary.rules));
    for (const AddedTokenRule& rule : rules.added_tokens) {
        if (rule.id >= vocabulary.tokens.size()) {
            return invalid(rules_key, "have the added token " + std::to_string(rule.id) +
                                          ", need an id below " +
                                          std::to_string(vocabulary.tokens.size()));
        }
        Token& token = vocabulary.tokens[rule.id];
        token.strips_left = rule.strips_left;
        token.strips_right = rule.strips_right;
        token.whole_word = rule.whole_word;
        token.after_normalizing = rule.after_normalizing;
    }
    return {};
}

void hide_ends_of_generation(Vocabulary& vocabulary) {
    for (Token& token : vocabulary.tokens) {
        if (token.type == TokenType::user_defined && is_end_of_generation_text(token.text)) {
            token.type = TokenType::control;
        }
    }
}

bool is_end_of_generation_text(std::string_view text) {
    static constexpr std::string_view texts[] = {
        "</s>",
        "<eos>",
        "<EOT>",
        "_<EOT>",
        "<|EOT|>",
        "<|end|>",
        "<|eot_id|>",
        "<|eom_id|>",
        "<|im_end|>",
        "<|return|>",
        "<|endoftext|>",
        "<|end_of_text|>",
        "<end_of_turn>",
        "<end_of_utterance>",
        "<\xef\xbd\x9c"                                        // deepseek: U+FF5C and U+2581 for
        "end\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c>",  // the bar and the blank
    };
    return std::find(std::begin(texts), std::end(texts), text) != std::end(texts);
}

std::optional<uint8_t> byte_of_token_text(std::string_view text) {
    if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return std::nullopt;
    const auto byte = array_from_hex<1>(text.substr(3, 2));
    if (!byte) return std::nullopt;
    return (*byte)[0];
}

}  // namespace teetee::model
