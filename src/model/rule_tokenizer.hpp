// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "model/merge_tokenizer.hpp"
#include "model/piece_splitter.hpp"
#include "model/special_tokens.hpp"
#include "model/spm_tokenizer.hpp"
#include "model/text_normalizer.hpp"
#include "model/unigram_tokenizer.hpp"

namespace teetee::model {

/// A vocabulary with rules, in the order of Hugging Face tokenizers: added tokens are cut out of
/// the text, the rest is normalised, added tokens are cut out of that too, and what is left is
/// split into pieces and encoded.
class RuleTokenizer {
  public:
    /// The vocabulary MUST be valid, have rules, and outlive it. Errors: those of parse_text_rules
    /// and of the parts.
    static Result<RuleTokenizer> build(const Vocabulary& vocabulary);

    /// The first added token in a text at or after a byte.
    using FindSpecial = std::function<std::optional<SpecialMatch>(size_t from)>;

    /// Appends the tokens of a whole text; bytes that are no UTF-8 count as U+FFFD. `find_special`
    /// cuts the text itself, the tokens of `set` that are looked for after normalizing the rest.
    /// Errors: those of the parts.
    Result<void> encode(std::string_view text, const FindSpecial& find_special, SpecialSet set,
                        std::vector<TokenId>& ids) const;

    bool strips_first_space() const { return strips_first_space_; }

  private:
    using Model = std::variant<MergeTokenizer, SpmTokenizer, UnigramTokenizer>;
    using Place = PieceSplitter::Place;

    RuleTokenizer(TextNormalizer normalizer, PieceSplitter splitter, Model model);
    Result<SpecialTokens> normalized_tokens(const Vocabulary& vocabulary, SpecialSet set) const;
    Result<void> encode_section(std::string_view section, Place place, SpecialSet set,
                                MatchBudget& budget, std::vector<TokenId>& ids) const;
    Result<void> encode_plain(std::string_view normalized, Place place, MatchBudget& budget,
                              std::vector<TokenId>& ids) const;

    TextNormalizer normalizer_;
    PieceSplitter splitter_;
    Model model_;
    std::map<SpecialSet, SpecialTokens> added_;  // those that are looked for after normalizing
    bool strips_first_space_ = false;
};

}  // namespace teetee::model
