// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grammar/code_points.hpp"

namespace teetee::grammar {

/// Indices into a Rules.
using ExpressionId = uint32_t;
using RuleId = uint32_t;

struct Repetition {
    uint32_t least = 0;
    std::optional<uint32_t> most{};  // no limit without
};

struct Expression {
    enum class Kind { text, characters, sequence, choice, repeat, call };
    Kind kind{};
    std::string text{};
    CodePointSet characters{};
    std::vector<ExpressionId> parts{};
    Repetition repetition{};
    RuleId rule = 0;
};

/// A context-free grammar as it is written: rules over expressions. Both notations are turned into
/// it, and Grammar::build makes an automaton of it. Building never fails: once there are more than
/// expressions_max or rules_max it takes no more and says is_full().
class Rules {
  public:
    /// Of well-formed UTF-8; "" matches the empty text.
    ExpressionId text(std::string text);
    /// One character of the set.
    ExpressionId characters(CodePointSet set);
    ExpressionId sequence(std::vector<ExpressionId> parts);
    /// One of the parts; of none, it matches nothing at all.
    ExpressionId choice(std::vector<ExpressionId> parts);
    ExpressionId repeat(ExpressionId part, Repetition repetition);
    ExpressionId call(RuleId rule);

    ExpressionId empty() { return text(""); }
    ExpressionId never() { return choice({}); }
    ExpressionId optional(ExpressionId part) { return repeat(part, {0, 1}); }

    /// A rule to be defined later; its name is for error texts.
    RuleId declare(std::string name);
    void define(RuleId rule, ExpressionId expression);
    /// Declared and defined; so that an expression used often is compiled once.
    ExpressionId shared(std::string name, ExpressionId expression);

    struct Rule {
        std::string name;
        std::optional<ExpressionId> expression;
    };
    const std::vector<Rule>& rules() const { return rules_; }
    const Expression& expression(ExpressionId id) const { return expressions_[id]; }
    bool is_full() const { return is_full_; }

  private:
    ExpressionId add(Expression expression);

    std::vector<Expression> expressions_;
    std::vector<Rule> rules_;
    bool is_full_ = false;
};

}  // namespace teetee::grammar
