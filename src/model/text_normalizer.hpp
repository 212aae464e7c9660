// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/charsmap.hpp"
#include "model/pattern.hpp"
#include "model/text_rules.hpp"

namespace teetee::model {

/// The normalizer of a tokenizer.json, ready to run. Safe to use from several threads.
class TextNormalizer {
  public:
    /// Errors: those of Pattern::compile and Charsmap::parse.
    static Result<TextNormalizer> build(std::vector<NormalizeStep> steps);

    /// Errors: limit_exceeded, when the budget is spent or the text grows beyond all use; internal.
    Result<std::string> apply(std::string_view text, MatchBudget& budget) const;

  private:
    struct Step {
        NormalizeStep rule;
        std::optional<Pattern> pattern;
        std::optional<Charsmap> charsmap;
    };
    static Result<std::string> apply(const Step& step, std::string text, MatchBudget& budget);

    std::vector<Step> steps_;
};

}  // namespace teetee::model
