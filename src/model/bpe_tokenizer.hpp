// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/bpe_split.hpp"
#include "model/merge_table.hpp"

namespace teetee::model {

/// Byte-level BPE (GPT-2; Radford et al. 2019): the text is split by the rule of the vocabulary's
/// `pre`, each byte becomes a token, and neighbours are joined in the order of the merges.
class BpeTokenizer {
  public:
    /// The vocabulary MUST be valid and outlive it. Errors: tokenizer_unsupported naming an unknown
    /// `pre`; vocabulary_invalid naming a merge whose parts or result are no tokens.
    static Result<BpeTokenizer> build(const Vocabulary& vocabulary);

    /// Appends the tokens of a text without special tokens. Errors: vocabulary_invalid when a byte
    /// has neither a token nor an unknown token to stand for it; internal (see TextSplitter).
    Result<void> encode(std::string_view text, std::vector<TokenId>& ids) const;

  private:
    BpeTokenizer(const Vocabulary& vocabulary, const SplitRule& rule, TextSplitter splitter);
    Result<void> encode_piece(std::string_view piece, std::vector<Symbol>& symbols,
                              std::vector<TokenId>& ids) const;

    const Vocabulary& vocabulary_;
    const SplitRule& rule_;
    TextSplitter splitter_;
    TokenIndex index_;
    std::array<TokenId, 256> byte_ids_{};  // no_token where the vocabulary has none
    MergeTable merges_;
};

/// The bytes that a token stands for: those of GPT-2's alphabet for a normal token.
std::string bpe_text_of(const Token& token);

}  // namespace teetee::model
