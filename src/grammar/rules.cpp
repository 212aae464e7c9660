// SPDX-License-Identifier: Apache-2.0
#include "grammar/rules.hpp"

#include "grammar/limits.hpp"

namespace teetee::grammar {

using Kind = Expression::Kind;

ExpressionId Rules::text(std::string text) {
    return add({.kind = Kind::text, .text = std::move(text)});
}

ExpressionId Rules::characters(CodePointSet set) {
    return add({.kind = Kind::characters, .characters = std::move(set)});
}

ExpressionId Rules::sequence(std::vector<ExpressionId> parts) {
    if (parts.size() == 1) return parts[0];
    return add({.kind = Kind::sequence, .parts = std::move(parts)});
}

ExpressionId Rules::choice(std::vector<ExpressionId> parts) {
    if (parts.size() == 1) return parts[0];
    return add({.kind = Kind::choice, .parts = std::move(parts)});
}

ExpressionId Rules::repeat(ExpressionId part, Repetition repetition) {
    return add({.kind = Kind::repeat, .parts = {part}, .repetition = repetition});
}

ExpressionId Rules::call(RuleId rule) {
    return add({.kind = Kind::call, .rule = rule});
}

RuleId Rules::declare(std::string name) {
    if (rules_.size() >= rules_max) {
        is_full_ = true;
        return 0;
    }
    rules_.push_back({std::move(name), {}});
    return static_cast<RuleId>(rules_.size() - 1);
}

void Rules::define(RuleId rule, ExpressionId expression) {
    if (!is_full_) rules_[rule].expression = expression;
}

ExpressionId Rules::shared(std::string name, ExpressionId expression) {
    const RuleId rule = declare(std::move(name));
    define(rule, expression);
    return call(rule);
}

ExpressionId Rules::add(Expression expression) {
    if (expressions_.size() >= expressions_max) {
        is_full_ = true;
        return 0;
    }
    expressions_.push_back(std::move(expression));
    return static_cast<ExpressionId>(expressions_.size() - 1);
}

}  // namespace teetee::grammar
