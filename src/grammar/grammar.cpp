// SPDX-License-Identifier: Apache-2.0
#include "grammar/grammar.hpp"

#include <algorithm>

#include "grammar/draft.hpp"

namespace teetee::grammar {
namespace {

using Edge = Draft::Edge;
enum class Bytes { may_be_read, may_not_be_read };

/// For each state: can its part's end be reached from it (without reading a byte, if so asked)?
/// A call counts when the part called can be passed in the same way.
std::vector<bool> find_ending(const Draft& draft, Bytes bytes) {
    const auto& states = draft.states();
    const auto& parts = draft.parts();
    struct Source {
        uint32_t from;
        Edge edge;
    };
    // By state: edges to it, and calls of the part that begins with it.
    std::vector<std::vector<Source>> to_target(states.size());
    std::vector<std::vector<Source>> to_start(states.size());
    for (uint32_t from = 0; from < states.size(); ++from) {
        for (const Edge& edge : states[from]) {
            if (edge.kind == Edge::Kind::byte && bytes == Bytes::may_not_be_read) continue;
            to_target[edge.target].push_back({from, edge});
            if (edge.kind == Edge::Kind::call)
                to_start[parts[edge.rule].start].push_back({from, edge});
        }
    }
    std::vector<bool> ending(states.size());
    std::vector<uint32_t> open;
    const auto mark = [&](uint32_t state) {
        if (!ending[state]) open.push_back(state);
        ending[state] = true;
    };
    for (const Draft::Part& part : parts) mark(part.end);
    while (!open.empty()) {
        const uint32_t state = open.back();
        open.pop_back();
        for (const auto& [from, edge] : to_target[state]) {
            if (edge.kind != Edge::Kind::call || ending[parts[edge.rule].start]) mark(from);
        }
        for (const auto& [from, edge] : to_start[state]) {
            if (ending[edge.target]) mark(from);
        }
    }
    return ending;
}

/// A part that may call itself before a byte is read would be called without end.
Result<void> refuse_left_recursion(const Draft& draft) {
    const auto& parts = draft.parts();
    const std::vector<bool> nullable = find_ending(draft, Bytes::may_not_be_read);
    std::vector<std::vector<uint32_t>> calls_first(parts.size());
    std::vector<uint32_t> callers(parts.size());
    std::vector<bool> seen(draft.states().size());
    for (uint32_t i = 0; i < parts.size(); ++i) {
        std::vector<uint32_t> open{parts[i].start};
        while (!open.empty()) {
            const uint32_t state = open.back();
            open.pop_back();
            if (seen[state]) continue;
            seen[state] = true;  // states belong to one part
            for (const Edge& edge : draft.states()[state]) {
                if (edge.kind == Edge::Kind::call) {
                    calls_first[i].push_back(edge.rule);
                    ++callers[edge.rule];
                }
                if (edge.kind == Edge::Kind::jump ||
                    (edge.kind == Edge::Kind::call && nullable[parts[edge.rule].start])) {
                    open.push_back(edge.target);
                }
            }
        }
    }
    // Takes away parts that nobody calls first; a cycle stays.
    std::vector<uint32_t> open;
    for (uint32_t i = 0; i < parts.size(); ++i) {
        if (callers[i] == 0) open.push_back(i);
    }
    while (!open.empty()) {
        const uint32_t part = open.back();
        open.pop_back();
        for (const uint32_t called : calls_first[part]) {
            if (--callers[called] == 0) open.push_back(called);
        }
    }
    for (uint32_t i = 0; i < parts.size(); ++i) {
        if (callers[i] == 0) continue;
        return fail(ErrorCode::grammar_invalid,
                    "left recursion: rule " + quote_foreign(parts[i].name) +
                        " may begin with itself, or is called by rules that do");
    }
    return {};
}

void remove_dead_edges(Draft& draft) {
    const std::vector<bool> ending = find_ending(draft, Bytes::may_be_read);
    for (auto& edges : draft.states()) {
        std::erase_if(edges, [&](const Edge& edge) {
            return !ending[edge.target] ||
                   (edge.kind == Edge::Kind::call && !ending[draft.parts()[edge.rule].start]);
        });
    }
}

}  // namespace

/// Puts a draft without dead edges into the lists of a Grammar.
class Packer {
  public:
    explicit Packer(const Draft& draft) : draft_(draft), is_end_(draft.states().size()) {
        for (const Draft::Part& part : draft.parts()) is_end_[part.end] = true;
    }

    Grammar pack(RuleId root) {
        Grammar out;
        out.start_ = resolved(draft_.parts()[root].start);
        for (uint32_t state = 0; state <= draft_.states().size(); ++state) {
            out.states_.push_back({static_cast<uint32_t>(out.bytes_.size()),
                                   static_cast<uint32_t>(out.jumps_.size()),
                                   static_cast<uint32_t>(out.calls_.size())});
            if (state == draft_.states().size()) break;
            out.states_.back().is_end = is_end_[state];
            for (const Edge& edge : draft_.states()[state]) append(edge, out);
        }
        classify(out);
        return out;
    }

  private:
    /// Skips states from which there is only a jump.
    uint32_t resolved(uint32_t state) const {
        // Jumps may run in a circle.
        for (size_t i = 0; i < 64 && !is_end_[state]; ++i) {
            const auto& edges = draft_.states()[state];
            if (edges.size() != 1 || edges[0].kind != Edge::Kind::jump) break;
            state = edges[0].target;
        }
        return state;
    }

    void append(const Edge& edge, Grammar& out) const {
        const uint32_t target = resolved(edge.target);
        switch (edge.kind) {
            case Edge::Kind::byte:
                out.bytes_.push_back({edge.first, edge.last, target});
                break;
            case Edge::Kind::jump:
                out.jumps_.push_back(target);
                break;
            case Edge::Kind::call:
                out.calls_.push_back({resolved(draft_.parts()[edge.rule].start), target,
                                      is_end_[target] && draft_.states()[target].empty()});
                break;
        }
    }

    static void classify(Grammar& grammar) {
        std::array<bool, 257> begins{};
        begins[0] = true;
        for (const Grammar::ByteEdge& edge : grammar.bytes_) {
            begins[edge.first] = true;
            begins[edge.last + 1u] = true;
        }
        for (size_t byte = 0; byte < 256; ++byte) {
            if (begins[byte]) ++grammar.class_count_;
            grammar.class_of_byte_[byte] = static_cast<uint8_t>(grammar.class_count_ - 1);
        }
    }

    const Draft& draft_;
    std::vector<bool> is_end_;
};

Result<Grammar> Grammar::build(const Rules& rules, RuleId root) {
    TT_TRY(auto draft, Draft::build(rules));
    TT_CHECK(refuse_left_recursion(draft));
    remove_dead_edges(draft);
    const Draft::Part& part = draft.parts()[root];
    if (draft.states()[part.start].empty()) {
        return fail(ErrorCode::grammar_invalid,
                    "no text fits: rule " + quote_foreign(part.name) + " can never be completed");
    }
    return Packer(draft).pack(root);
}

}  // namespace teetee::grammar
