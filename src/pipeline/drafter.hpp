// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/request.hpp"

namespace teetee::pipeline {

/// Guesses how a text goes on: finds where its last tokens stood before, prefers where the most of
/// them did, and says what followed there (prompt lookup: arXiv:2304.04487). It learns how often
/// such guesses are right, and guesses only as far as that pays.
class Drafter {
  public:
    /// Guesses of one text at a time, and how many tokens have to agree before it.
    struct Draft {
        std::vector<TokenId> tokens{};
        size_t match = 0;
    };

    void push(TokenId token);
    size_t size() const { return text_.size(); }

    /// At most `count_max` tokens: as many as make the time for each token that comes out of a pass
    /// the shortest, where each further row makes a pass longer by `row_cost` of one row's time.
    Draft draft(size_t count_max, double row_cost) const;
    /// The first `right` tokens of a draft were what came.
    void learn(const Draft& draft, size_t right);

  private:
    /// Places looked at, and tokens compared at each: enough to tell good ones, and little time.
    static constexpr size_t places_max = 64;
    static constexpr size_t match_max = 16;

    /// How often a token was right that followed a match of so many tokens.
    struct Rate {
        double right = 0;
        double tried = 0;
    };
    static size_t rate_index(size_t match);
    double chance(size_t match) const;
    size_t match_at(size_t end) const;

    std::vector<TokenId> text_;
    /// For each place the one before with the same token, plus 1; 0: none.
    std::vector<uint32_t> before_;
    std::unordered_map<TokenId, uint32_t> last_;
    /// As if a few had been seen already, so that a beginning is neither blind nor shy.
    std::array<Rate, 5> rates_{{{0.8, 4}, {1.6, 4}, {2.4, 4}, {3, 4}, {3.4, 4}}};
};

/// What a row more costs a batch, estimated from the times that batches of different sizes took:
/// least squares in which older ones count less and less.
class RowCost {
  public:
    void add(size_t rows, double seconds);
    /// As a share of what a batch of one row takes; within [0.02, 1].
    double share() const;
    /// What a batch of so many rows should take; 0: not known.
    double seconds(size_t rows) const;

  private:
    struct Line {
        double base = 0;
        double slope = 0;
    };
    Line line() const;

    static constexpr double decay = 0.97;
    static constexpr double share_min = 0.02;
    double weight_ = 0;
    double rows_ = 0;
    double seconds_ = 0;
    double rows_rows_ = 0;
    double rows_seconds_ = 0;
};

}  // namespace teetee::pipeline
