// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/pattern.hpp"
#include "model/text_rules.hpp"

namespace teetee::model {

/// The pre-tokenizer of a tokenizer.json, ready to run. Safe to use from several threads.
class PieceSplitter {
  public:
    /// Errors: those of Pattern::compile.
    static Result<PieceSplitter> build(std::vector<PieceStep> steps);

    enum class Place { text_begin, later };  // where in the whole text a piece stands

    /// The pieces of a normalised text in order, none of them empty. Errors: limit_exceeded when
    /// the budget is spent; internal.
    Result<std::vector<std::string>> split(std::string text, Place place,
                                           MatchBudget& budget) const;

  private:
    struct Step {
        PieceStep rule;
        std::optional<Pattern> pattern;
    };
    using Pieces = std::vector<std::string>;
    static Result<Pieces> cut(const Step& step, const Pieces& pieces, MatchBudget& budget);

    std::vector<Step> steps_;
};

}  // namespace teetee::model
