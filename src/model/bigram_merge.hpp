// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/request.hpp"

namespace teetee::model {

constexpr uint32_t no_symbol = UINT32_MAX;
constexpr TokenId no_token = UINT32_MAX;

/// A run of bytes of a text that is a token or, with no_token, not yet one.
struct Symbol {
    uint32_t begin = 0;
    uint32_t bytes = 0;  // 0 once it was merged into its left neighbour
    TokenId id = no_token;
    uint32_t previous = no_symbol;
    uint32_t next = no_symbol;
};

/// The token that two neighbours become; the lowest cost goes first, then the leftmost.
struct Merge {
    double cost = 0.0;
    TokenId id = no_token;
};

/// Appends a symbol behind the last one.
inline void append_symbol(std::vector<Symbol>& symbols, Symbol symbol) {
    const auto index = static_cast<uint32_t>(symbols.size());
    if (index > 0) {
        symbol.previous = index - 1;
        symbols.back().next = index;
    }
    symbols.push_back(symbol);
}

/// Greedy byte-pair merging until no pair of neighbours has a merge: O(n log n) for n symbols.
/// `find_merge(left, right)` returns std::optional<Merge>. Leaves the surviving symbols in order.
template <class FindMerge>
void merge_symbols(std::vector<Symbol>& symbols, const FindMerge& find_merge) {
    struct Candidate {
        double cost;
        uint32_t left;
        uint32_t right;
        uint32_t bytes;
        TokenId id;
    };
    const auto later = [](const Candidate& a, const Candidate& b) {
        return a.cost > b.cost || (a.cost == b.cost && a.left > b.left);
    };
    std::vector<Candidate> heap;
    const auto propose = [&](uint32_t left, uint32_t right) {
        if (left == no_symbol || right == no_symbol) return false;
        const std::optional<Merge> merge = find_merge(symbols[left], symbols[right]);
        if (!merge) return false;
        heap.push_back(
            {merge->cost, left, right, symbols[left].bytes + symbols[right].bytes, merge->id});
        return true;
    };
    const auto propose_later = [&](uint32_t left, uint32_t right) {
        if (propose(left, right)) std::push_heap(heap.begin(), heap.end(), later);
    };

    for (uint32_t i = 0; i + 1 < symbols.size(); ++i) propose(i, i + 1);
    std::make_heap(heap.begin(), heap.end(), later);
    while (!heap.empty()) {
        std::pop_heap(heap.begin(), heap.end(), later);
        const Candidate best = heap.back();
        heap.pop_back();
        Symbol& left = symbols[best.left];
        Symbol& right = symbols[best.right];
        // Stale: one of the two was merged since. Symbols only grow, so the sum tells.
        if (left.bytes == 0 || right.bytes == 0 || left.bytes + right.bytes != best.bytes) continue;
        left.bytes = best.bytes;
        left.id = best.id;
        left.next = right.next;
        right.bytes = 0;
        if (left.next != no_symbol) symbols[left.next].previous = best.left;
        propose_later(left.previous, best.left);
        propose_later(best.left, left.next);
    }
    std::erase_if(symbols, [](const Symbol& symbol) { return symbol.bytes == 0; });
}

}  // namespace teetee::model
