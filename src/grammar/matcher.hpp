// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.hpp"
#include "grammar/grammar.hpp"
#include "grammar/mask_budget.hpp"
#include "grammar/token_trie.hpp"

namespace teetee::grammar {

/// Follows one text through a grammar. What it says is a pure function of grammar and text (and of
/// the budget, where that is the lower limit), errors included: what it remembers between calls
/// only saves time. For one thread.
///
/// A text may be read in several ways at a time, each a state with the calls to come back from (a
/// stack). Sets of them are numbered as they are met and the steps between them are kept: a
/// deterministic automaton that grows as it is needed. Stacks deeper than stack_depth_max are
/// given up.
class Matcher {
  public:
    /// Before the first byte. Error: grammar_too_complex.
    static Result<Matcher> begin(std::shared_ptr<const Grammar> grammar);
    // Its sets point into each other: it can be moved, not copied.
    Matcher(Matcher&&) = default;
    Matcher& operator=(Matcher&&) = default;

    /// The text goes on. Errors: grammar_stuck if it does not fit, grammar_too_complex; the matcher
    /// is then of no more use.
    Result<void> advance(std::string_view bytes);

    /// The text so far is a whole one.
    bool may_end() const { return sets_[current_].may_end; }

    /// A bit for each token of the vocabulary: those that the text may go on with.
    /// Takes what it costs from the budget. Error: grammar_too_complex.
    Result<std::span<const uint64_t>> allowed(const TokenTrie& trie, MaskBudget& budget);
    Result<std::span<const uint64_t>> allowed(const TokenTrie& trie) {
        MaskBudget alone(1);
        return allowed(trie, alone);
    }

    /// What its memory grows with: at most cached_readings_max.
    size_t cached_readings() const { return cached_readings_; }

  private:
    static constexpr uint32_t no_stack = UINT32_MAX;
    static constexpr uint32_t dead = 0;  // the empty set
    static constexpr uint32_t unknown = UINT32_MAX;
    static constexpr uint32_t too_complex = UINT32_MAX - 1;
    static constexpr uint32_t cache_full = UINT32_MAX - 2;

    struct Reading {
        uint32_t state = 0;
        uint32_t stack = no_stack;
        auto operator<=>(const Reading&) const = default;
    };
    using ReadingSet = std::vector<Reading>;
    struct StackNode {
        uint32_t back = 0;
        uint32_t below = no_stack;
        uint32_t depth = 0;
    };
    struct Step {
        uint32_t target = unknown;
        uint32_t cost = 0;
    };
    struct SetInfo {
        const ReadingSet* readings = nullptr;
        bool may_end = false;
    };

    explicit Matcher(std::shared_ptr<const Grammar> grammar);

    void reset();
    /// Forgets all but the current set.
    void restart();
    size_t step_index(uint32_t set, uint8_t byte) const {
        return set * class_count_ + grammar_->class_of(byte);
    }
    Step step(uint32_t set, uint8_t byte) {
        const Step& known = steps_[step_index(set, byte)];
        return known.target != unknown ? known : find_step(set, byte);
    }
    Step find_step(uint32_t set, uint8_t byte);
    uint32_t close(ReadingSet open);
    uint32_t number_of(ReadingSet readings);
    uint32_t push(uint32_t back, uint32_t below);
    /// To the current set, or an error of find_step. It costs the moves of all different steps,
    /// known before or not: so it does not depend on what is remembered.
    Step walk(const TokenTrie& trie, uint64_t cost_limit, std::vector<uint64_t>& words);

    std::shared_ptr<const Grammar> grammar_;
    size_t class_count_;
    std::map<ReadingSet, uint32_t> set_numbers_;
    std::vector<SetInfo> sets_;
    size_t cached_readings_ = 0;  // of all sets
    std::vector<Step> steps_;     // class_count_ for each set
    std::vector<StackNode> stacks_;
    std::map<std::pair<uint32_t, uint32_t>, uint32_t> stack_numbers_;
    uint32_t current_ = dead;
    std::unordered_map<uint32_t, std::vector<uint64_t>> masks_;  // by set
    // Memory to work in.
    std::unordered_set<uint64_t> seen_;
    uint32_t cost_ = 0;
    std::vector<uint32_t> way_;
    std::vector<bool> charged_;  // by step: this walk has paid for it
};

}  // namespace teetee::grammar
