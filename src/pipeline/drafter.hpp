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
        /// Tokens that should come out for the time of a pass of one row.
        double rate = 1;
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

/// How many tokens of one answer a draft model is to draw ahead: as many as make the time for each
/// token the shortest. It learns how often the model is right.
class DraftPolicy {
  public:
    struct Costs {
        /// Of a batch by its rows, and of a draft by its tokens.
        const RowCost& pass;
        const RowCost& draft;
        /// Tokens for the time of a pass of one row that there should be without the model.
        double rate_without = 1;
    };

    /// 0: the model is not to be asked. Where it does not pay it is tried again after a while, so
    /// that the trials take a small share of the time.
    size_t choose(size_t count_max, const Costs& costs);
    /// The first `right` tokens of so many drafted ones were what came.
    void learn(size_t drafted, size_t right);

  private:
    /// As long as no draft has been timed.
    static constexpr size_t untimed_max = 4;
    /// Time that has to pass without the model for a trial that takes 1.
    static constexpr double without_per_try = 50;

    struct Rate {
        double right = 0;
        double tried = 0;
    };
    double chance(size_t index) const;

    /// Of the first token of a draft, the second, and so on where those before were right.
    std::array<Rate, 4> rates_{{{2.4, 4}, {2.4, 4}, {2.4, 4}, {2.4, 4}}};
    double seconds_without_ = 0;
};

}  // namespace teetee::pipeline
