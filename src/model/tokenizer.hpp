// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/request.hpp"
#include "base/result.hpp"
#include "jinja/text.hpp"
#include "model/special_tokens.hpp"
#include "model/vocabulary.hpp"

namespace teetee::model {

struct EncodeOptions {
    /// Adds BOS and EOS where the vocabulary asks for them.
    bool add_special = false;
    /// Control and unknown tokens spelled out in the text become those tokens. Only for text that
    /// the program wrote itself: with user's text it lets the user forge a turn of the chat.
    /// User-defined tokens are found either way.
    bool parse_special = false;
};

struct DecodeOptions {
    /// Control and unknown tokens appear as their text; else they leave nothing.
    bool render_special = false;
    /// The tokens go on from earlier ones, so their first space is none that encode added.
    bool continues_text = false;
};

/// Text to tokens and back for one vocabulary. Immutable: safe to use from several threads.
class Tokenizer {
  public:
    /// Errors: vocabulary_invalid, tokenizer_unsupported, internal.
    static Result<Tokenizer> build(Vocabulary vocabulary);

    Tokenizer(Tokenizer&&) noexcept;
    Tokenizer& operator=(Tokenizer&&) noexcept;
    ~Tokenizer();

    /// Takes O(n log n) for n bytes of any content; bytes that are no UTF-8 become byte tokens, or
    /// U+FFFD where the vocabulary has rules.
    /// With both options off it yields the ids of llama.cpp's test-tokenizer-0 vectors.
    /// Errors: limit_exceeded for more than encode_text_bytes_max; vocabulary_invalid for a
    /// character that the vocabulary has no token for; limit_exceeded where its rules take too long
    /// on this text; internal.
    Result<std::vector<TokenId>> encode(std::string_view text, EncodeOptions options = {}) const;

    /// The text of a chat, from a template: what the template wrote may spell control tokens, what
    /// came from outside never does, nor user-defined tokens that the template writes. BOS comes
    /// first where the vocabulary asks for it, and once. Errors as encode.
    Result<std::vector<TokenId>> encode_chat(const jinja::Text& text) const;

    /// Restores what encode was given, save for what vocabularies lose: unknown characters, white
    /// space that a token strips, U+2581 with SentencePiece. The bytes need not be UTF-8 (a
    /// character can be cut between tokens): see StreamDecoder. Error: token_out_of_range.
    Result<std::string> decode(std::span<const TokenId> ids, DecodeOptions options = {}) const;

    /// With which options the tokens behind `id` go on. After a special token text begins anew:
    /// encode gives it a space prefix, decode takes that away; where the vocabulary has rules only
    /// what is decoded first has one. `id` MUST be inside the vocabulary.
    DecodeOptions options_after(TokenId id, DecodeOptions options) const;

    /// True for EOS, EOT and control tokens with an is_end_of_generation_text.
    bool is_end_of_generation(TokenId id) const;

    const Vocabulary& vocabulary() const;

  private:
    struct State;
    template <class FindSpecial>
    Result<void> encode_around(std::string_view text, FindSpecial find_special, SpecialSet set,
                               std::vector<TokenId>& ids) const;
    explicit Tokenizer(std::unique_ptr<const State> state);

    std::unique_ptr<const State> state_;
};

}  // namespace teetee::model
