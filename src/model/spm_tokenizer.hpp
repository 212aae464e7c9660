// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/bigram_merge.hpp"
#include "model/byte_fallback.hpp"
#include "model/token_index.hpp"

namespace teetee::model {

/// SentencePiece's BPE (Kudo and Richardson 2018, arXiv 1808.06226; model_type "bpe"): of all
/// neighbours whose joined text is a token, those with the highest score are joined first; what is
/// no token in the end is spelled in byte tokens. The vocabulary MUST be valid and outlive it.
class SpmTokenizer {
  public:
    explicit SpmTokenizer(const Vocabulary& vocabulary);

    /// Appends the tokens of a text without special tokens; spaces become U+2581 here. A byte that
    /// is no UTF-8 counts as a character of its own. Error: vocabulary_invalid, when a character
    /// has neither tokens for its bytes nor an unknown token.
    Result<void> encode(std::string_view text, std::vector<TokenId>& ids) const;

  private:
    Result<void> append(std::string_view text, const Symbol& symbol,
                        std::vector<TokenId>& ids) const;

    const Vocabulary& vocabulary_;
    TokenIndex index_;
    ByteFallback bytes_;
};

/// The text that a token stands for, as bytes: U+2581 is a space again.
std::string spm_text_of(const Token& token);

}  // namespace teetee::model
