// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/request.hpp"

namespace teetee::grammar {

/// The bytes of a vocabulary's tokens as a prefix tree, its nodes in the order of a walk through
/// it. Immutable: safe to share between threads.
class TokenTrie {
  public:
    struct Node {
        /// Into tokens(); the node's own tokens end where the next node's begin.
        uint32_t tokens_begin = 0;
        /// The first node behind this one's descendants.
        uint32_t next = 0;
        uint16_t depth = 0;  // bytes from the root, at least 1
        uint8_t byte = 0;
    };

    /// pieces[id] is what token `id` adds to a text; "" leaves it out. At most 65,535 bytes each.
    static TokenTrie build(std::span<const std::string> pieces);

    /// Without the root; one more than there are, as the end of the last.
    std::span<const Node> nodes() const { return nodes_; }
    std::span<const TokenId> tokens() const { return tokens_; }
    size_t depth_max() const { return depth_max_; }
    /// Of the vocabulary, those left out included.
    size_t token_count() const { return token_count_; }

  private:
    std::vector<Node> nodes_;
    std::vector<TokenId> tokens_;
    size_t depth_max_ = 0;
    size_t token_count_ = 0;
};

}  // namespace teetee::grammar
