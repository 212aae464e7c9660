// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "model/byte_fallback.hpp"
#include "model/merge_table.hpp"
#include "model/text_rules.hpp"

namespace teetee::model {

/// BPE (Sennrich et al. 2016) over the characters of a piece, as Hugging Face tokenizers' model
/// "BPE" does it: a character without a token becomes byte tokens, else the unknown token, else
/// nothing.
class MergeTokenizer {
  public:
    /// The vocabulary MUST be valid and outlive it. Error: that of MergeTable::build.
    static Result<MergeTokenizer> build(const Vocabulary& vocabulary, const TextRules& rules);

    /// Appends the tokens of a piece in UTF-8.
    Result<void> encode(std::string_view piece, std::vector<TokenId>& ids) const;

  private:
    MergeTokenizer(const Vocabulary& vocabulary, const TextRules& rules);

    const Vocabulary& vocabulary_;
    TokenIndex index_;
    MergeTable merges_;
    ByteFallback bytes_;
    bool whole_pieces_first_ = false;
    bool fuses_unknown_ = false;
};

}  // namespace teetee::model
