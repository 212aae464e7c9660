// SPDX-License-Identifier: Apache-2.0
#include "grammar/token_trie.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace teetee::grammar {

TokenTrie TokenTrie::build(std::span<const std::string> pieces) {
    TokenTrie trie;
    trie.token_count_ = pieces.size();
    for (TokenId id = 0; id < pieces.size(); ++id) {
        TT_ASSERT(pieces[id].size() <= UINT16_MAX);
        if (!pieces[id].empty()) trie.tokens_.push_back(id);
    }
    std::ranges::sort(trie.tokens_, [&](TokenId a, TokenId b) {
        return pieces[a] != pieces[b] ? pieces[a] < pieces[b] : a < b;
    });
    std::vector<uint32_t> open;  // the nodes on the way to the last token
    const auto close_to = [&](size_t depth) {
        for (; open.size() > depth; open.pop_back()) {
            trie.nodes_[open.back()].next = static_cast<uint32_t>(trie.nodes_.size());
        }
    };
    std::string_view last;
    for (uint32_t at = 0; at < trie.tokens_.size(); ++at) {
        const std::string_view piece = pieces[trie.tokens_[at]];
        const auto common =
            static_cast<size_t>(std::ranges::mismatch(last, piece).in1 - last.begin());
        close_to(common);
        for (size_t i = common; i < piece.size(); ++i) {
            open.push_back(static_cast<uint32_t>(trie.nodes_.size()));
            trie.nodes_.push_back({.tokens_begin = at,
                                   .depth = static_cast<uint16_t>(i + 1),
                                   .byte = static_cast<uint8_t>(piece[i])});
        }
        trie.depth_max_ = std::max(trie.depth_max_, piece.size());
        last = piece;
    }
    close_to(0);
    trie.nodes_.push_back({.tokens_begin = static_cast<uint32_t>(trie.tokens_.size())});
    return trie;
}

}  // namespace teetee::grammar
