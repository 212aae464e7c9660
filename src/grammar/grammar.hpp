// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "grammar/rules.hpp"

namespace teetee::grammar {

/// A pushdown automaton over the bytes of UTF-8 text. Each rule is a piece of it: a call pushes the
/// state to come back to and goes on in the rule's first state; an end state pops. From every state
/// an end can be reached, so that a text which was accepted so far can always be completed.
/// Immutable: safe to share between threads.
class Grammar {
  public:
    /// Errors: grammar_invalid (a rule without definition, a rule that begins with itself, a root
    /// that no text fits), grammar_too_complex (limits.hpp).
    static Result<Grammar> build(const Rules& rules, RuleId root);

    struct ByteEdge {
        uint8_t first = 0;
        uint8_t last = 0;
        uint32_t target = 0;
    };
    struct Call {
        uint32_t start = 0;
        uint32_t back = 0;
        /// Nothing but the end follows: no need to come back.
        bool is_tail = false;
    };
    struct State {
        // Each list ends where the next state's begins.
        uint32_t bytes_begin = 0;
        uint32_t jumps_begin = 0;
        uint32_t calls_begin = 0;
        bool is_end = false;
    };

    uint32_t start() const { return start_; }
    bool is_end(uint32_t state) const { return states_[state].is_end; }
    std::span<const ByteEdge> bytes(uint32_t state) const {
        return {bytes_.data() + states_[state].bytes_begin,
                bytes_.data() + states_[state + 1].bytes_begin};
    }
    /// States that are as good as this one.
    std::span<const uint32_t> jumps(uint32_t state) const {
        return {jumps_.data() + states_[state].jumps_begin,
                jumps_.data() + states_[state + 1].jumps_begin};
    }
    std::span<const Call> calls(uint32_t state) const {
        return {calls_.data() + states_[state].calls_begin,
                calls_.data() + states_[state + 1].calls_begin};
    }

    size_t state_count() const { return states_.size() - 1; }

    /// Bytes of one class are alike in every state.
    uint8_t class_of(uint8_t byte) const { return class_of_byte_[byte]; }
    size_t class_count() const { return class_count_; }

  private:
    friend class Packer;

    uint32_t start_ = 0;
    std::vector<State> states_;  // one more than there are
    std::vector<ByteEdge> bytes_;
    std::vector<uint32_t> jumps_;
    std::vector<Call> calls_;
    std::array<uint8_t, 256> class_of_byte_{};
    size_t class_count_ = 0;
};

}  // namespace teetee::grammar
