// SPDX-License-Identifier: Apache-2.0
#include "grammar/draft.hpp"

#include <algorithm>

#include "grammar/limits.hpp"

namespace teetee::grammar {

using Kind = Expression::Kind;

Result<Draft> Draft::build(const Rules& rules) {
    if (rules.is_full()) {
        return fail(ErrorCode::grammar_too_complex,
                    "grammar: need at most " + std::to_string(rules_max) + " rules and " +
                        std::to_string(expressions_max) + " expressions");
    }
    Draft draft(rules);
    for (const Rules::Rule& rule : rules.rules()) {
        if (!rule.expression) {
            return fail(ErrorCode::grammar_invalid,
                        "rule " + quote_foreign(rule.name) + " is used, but not defined");
        }
        draft.add_part(rule.name);
    }
    for (uint32_t i = 0; i < rules.rules().size(); ++i) {
        const uint32_t end = draft.put(*rules.rules()[i].expression, draft.parts_[i].start);
        draft.join(end, draft.parts_[i].end);
        if (draft.is_full_) {
            return fail(ErrorCode::grammar_too_complex,
                        "rule " + quote_foreign(rules.rules()[i].name) +
                            ": the automaton needs more than " + std::to_string(states_max) +
                            " states, or its sets of characters have more than " +
                            std::to_string(ranges_visited_max) + " ranges");
        }
    }
    return draft;
}

uint32_t Draft::add_state() {
    if (states_.size() >= states_max) {
        is_full_ = true;
        return 0;
    }
    states_.emplace_back();
    return static_cast<uint32_t>(states_.size() - 1);
}

uint32_t Draft::add_part(const std::string& name) {
    const uint32_t start = add_state();
    parts_.push_back({start, add_state(), name});
    return static_cast<uint32_t>(parts_.size() - 1);
}

void Draft::add_edge(uint32_t from, Edge edge) {
    if (++edge_count_ > 2 * states_max) is_full_ = true;
    if (!is_full_) states_[from].push_back(edge);
}

void Draft::join(uint32_t from, uint32_t to) {
    add_edge(from, {.kind = Edge::Kind::jump, .target = to});
}

uint32_t Draft::put(ExpressionId id, uint32_t from) {
    // Once it is full nothing more is done: a small grammar can stand for endless repetitions.
    if (is_full_) return from;
    const Expression& e = rules_.expression(id);
    switch (e.kind) {
        case Kind::text:
            return put_text(e.text, from);
        case Kind::characters:
            return put_characters(e.characters, from);
        case Kind::sequence:
            for (const ExpressionId part : e.parts) from = put(part, from);
            return from;
        case Kind::choice:
            return put_choice(e.parts, from);
        case Kind::repeat:
            return put_repeat(e, from);
        case Kind::call:
            return put_call(e.rule, from);
    }
    return from;
}

uint32_t Draft::put_call(uint32_t rule, uint32_t from) {
    const uint32_t to = add_state();
    add_edge(from, {.kind = Edge::Kind::call, .rule = rule, .target = to});
    return to;
}

uint32_t Draft::put_text(const std::string& text, uint32_t from) {
    for (const char c : text) {
        const uint32_t to = add_state();
        const auto byte = static_cast<uint8_t>(c);
        add_edge(from, {.kind = Edge::Kind::byte, .first = byte, .last = byte, .target = to});
        from = to;
    }
    return from;
}

/// ASCII stands in place; all else is a part that places with the same characters share.
uint32_t Draft::put_characters(const CodePointSet& set, uint32_t from) {
    ranges_visited_ += set.ranges().size();
    if (ranges_visited_ > ranges_visited_max) is_full_ = true;
    if (is_full_) return from;
    const uint32_t to = add_state();
    const CodePointSet ascii{{0, 0x7f}};
    put_blocks(set.intersected(ascii), from, to);
    const CodePointSet rest = set.intersected(ascii.inverted());
    if (rest.empty()) return to;
    auto [found, is_new] = part_of_set_.try_emplace(rest, 0);
    if (is_new) {
        found->second = add_part("characters");
        const Part part = parts_[found->second];
        put_blocks(rest, part.start, part.end);
    }
    add_edge(from, {.kind = Edge::Kind::call, .rule = found->second, .target = to});
    return to;
}

void Draft::put_blocks(const CodePointSet& set, uint32_t from, uint32_t to) {
    for (const Utf8Block& block : utf8_blocks(set)) {
        uint32_t at = from;
        for (size_t i = 0; i < block.length; ++i) {
            const uint32_t next = i + 1 == block.length ? to : add_state();
            add_edge(at, {.kind = Edge::Kind::byte,
                          .first = block.bytes[i].first,
                          .last = block.bytes[i].last,
                          .target = next});
            at = next;
        }
    }
}

uint32_t Draft::put_choice(const std::vector<ExpressionId>& parts, uint32_t from) {
    const uint32_t to = add_state();
    for (const ExpressionId part : parts) join(put(part, from), to);
    return to;
}

bool Draft::is_cheap(const Expression& e) {
    return e.kind == Kind::call ||
           (e.kind == Kind::characters && e.characters.ranges().size() <= 8);
}

/// x{2,4} is x x (x (x)?)?: one way to read each text. What is not cheap becomes a part of its own,
/// so that each repetition costs one state.
uint32_t Draft::put_repeat(const Expression& repeat, uint32_t from) {
    ExpressionId body = repeat.parts[0];
    const auto [least, most] = repeat.repetition;
    std::optional<uint32_t> part;
    if (std::max(least, most.value_or(0)) > 1 && !is_cheap(rules_.expression(body))) {
        const auto [found, is_new] = part_of_repeated_.try_emplace(body, 0);
        if (is_new) {
            const uint32_t made = found->second = add_part("repetition");
            join(put(body, parts_[made].start), parts_[made].end);
        }
        part = found->second;
    }
    const auto put_body = [&](uint32_t at) { return part ? put_call(*part, at) : put(body, at); };
    for (uint32_t i = 0; i < least && !is_full_; ++i) from = put_body(from);
    const uint32_t to = add_state();
    if (!most) {
        // A state of its own: no edge from outside may lead back to what came before.
        const uint32_t loop = add_state();
        join(from, loop);
        join(put_body(loop), loop);
        join(loop, to);
        return to;
    }
    for (uint32_t i = least; i < *most && !is_full_; ++i) {
        join(from, to);
        from = put_body(from);
    }
    join(from, to);
    return to;
}

}  // namespace teetee::grammar
