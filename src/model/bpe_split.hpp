// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/pattern.hpp"

namespace teetee::model {

/// How the models of one tokenizer.ggml.pre cut text into the pieces that merges never cross. The
/// patterns are those of the models' tokenizer.json, in the grouping llama.cpp gives them.
struct SplitRule {
    std::span<const std::string_view> names;     // values of tokenizer.ggml.pre
    std::span<const std::string_view> patterns;  // each one cuts the pieces the one before left
    bool whole_pieces_first = false;             // a piece that is a token is never built by merges
    bool adds_bos = false;                       // where the file does not say
};

/// nullptr when no rule has that name. "" is the default rule.
const SplitRule* find_split_rule(std::string_view pre);

/// The compiled patterns of a rule. Safe to use from several threads.
class TextSplitter {
  public:
    /// Error: internal, if a pattern does not compile.
    static Result<TextSplitter> build(const SplitRule& rule);

    /// The pieces of a text in order; together they are the text. Bytes that are no UTF-8 are
    /// pieces of their own. Time is linear in the text. Error: internal, when a match gives up.
    Result<std::vector<std::string_view>> split(std::string_view text) const;

  private:
    using Pieces = std::vector<std::string_view>;

    TextSplitter() = default;
    static Result<void> cut(PatternSearch& search, std::string_view piece, Pieces& pieces);

    std::vector<Pattern> patterns_;
};

}  // namespace teetee::model
