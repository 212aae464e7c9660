// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/request.hpp"
#include "base/result.hpp"
#include "model/gguf.hpp"

namespace teetee::model {

/// tokenizer.ggml.model: "llama" (SentencePiece BPE with scores, or with merges where there are
/// rules), "gpt2" (byte-level BPE with merges) or "t5" (unigram model; only with rules).
enum class VocabularyKind { sentencepiece, byte_level_bpe, unigram };

/// tokenizer.ggml.token_type, numbers as in the file.
enum class TokenType : uint8_t {
    normal = 1,
    unknown = 2,
    control = 3,
    user_defined = 4,
    unused = 5,
    byte = 6,
};

struct Token {
    std::string text;
    float score = 0.0F;
    TokenType type = TokenType::normal;
    // How an added token is looked for in a text.
    bool strips_right = false;  // white space after it belongs to it (phi-3)
    bool strips_left = false;
    bool whole_word = false;         // not with a letter, digit or underscore beside it
    bool after_normalizing = false;  // in the normalised text, itself normalised
};

/// A model's vocabulary as plain data. The same text may occur twice; the last id then stands for
/// it.
struct Vocabulary {
    VocabularyKind kind{};
    std::string
        pre;  // tokenizer.ggml.pre, "" when absent: which splitting rule byte-level BPE uses
    std::vector<Token> tokens;
    std::vector<std::string> merges;  // "left right", best first; none for unigram
    std::optional<TokenId> bos, eos, eot, unknown;
    bool add_bos = false;
    bool add_eos = false;
    bool add_space_prefix = false;
    std::string chat_template;  // Jinja source, "" when absent
    /// How text is cut, spelled out (parse_text_rules), instead of by `kind` and `pre`; "" when
    /// absent. GGUF key tokenizer.teetee.rules.
    std::string rules;
};

/// Checks what everything that uses a vocabulary relies on: counts and lengths inside
/// tokenizer_limits.hpp, texts in UTF-8, finite scores, byte tokens spelled "<0xHH>", ids inside
/// `tokens`, merges of two parts. Error: vocabulary_invalid (naming key and index).
Result<void> validate(const Vocabulary& vocabulary);

/// Reads the `tokenizer.*` keys (GGUF specification, "Tokenizer") and validates. Where keys are
/// absent it takes llama.cpp's defaults: for "llama" <unk>, <s>, </s> are 0, 1, 2, BOS and a space
/// prefix are added; for "gpt2" BOS is added if the splitting rule says so. A user-defined token
/// that ends generation by its name (is_end_of_generation_text) becomes a control token, so that no
/// user's text can spell it. With tokenizer.teetee.rules nothing is taken for granted.
/// Errors: vocabulary_invalid, tokenizer_unsupported (no tokenizer, or another model than the two
/// above), and gguf_malformed for a key of the wrong type.
Result<Vocabulary> vocabulary_from(const Gguf& gguf);

/// Gives tokens the flags that `rules` have for them. Errors: vocabulary_invalid, and those of
/// parse_text_rules.
Result<void> mark_added_tokens(Vocabulary& vocabulary);

/// Makes control tokens of the user-defined ones that end generation by their name.
void hide_ends_of_generation(Vocabulary& vocabulary);

/// True for the texts by which the control tokens of published models end a turn, such as
/// "<|im_end|>": GGUF has a key for only some of them. A normal token may have such a text by
/// chance ("</s>" is HTML) and then ends nothing.
bool is_end_of_generation_text(std::string_view text);

/// The byte that "<0xHH>" (two hexadecimal digits, either case) stands for; nullopt for other
/// texts.
std::optional<uint8_t> byte_of_token_text(std::string_view text);

}  // namespace teetee::model
