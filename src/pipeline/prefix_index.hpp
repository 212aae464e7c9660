// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <vector>

#include "base/request.hpp"

namespace teetee::pipeline {

/// The entry's book of retained pages: which tokens each one stands for and whose they are. A page
/// is found by its tenant, the page before it, and its tokens, compared in full: nothing is found
/// by a hash, so nothing wrong can be found. Tenants share nothing.
class PrefixIndex {
  public:
    /// Ids count up from `first`, which should be hard to guess: an id means nothing to a node that
    /// was told of another one.
    PrefixIndex(uint32_t page_positions, PrefixId first);

    /// The longest known prefix of the tokens in whole pages, of at most `positions_max`. It counts
    /// as used now.
    PrefixStart match(const Digest& tenant, std::span<const TokenId> tokens,
                      Position positions_max);

    /// Makes ids for the whole pages of the tokens from page_begin on, behind `parent`. None if the
    /// parent is not known or the first of them is known already.
    std::optional<PrefixSpan> add(const Digest& tenant, std::span<const TokenId> tokens,
                                  PrefixId parent, uint32_t page_begin);

    /// Takes out the page that was used longest ago, among those that no page follows and that
    /// `is_busy` denies; 0 if there is none.
    PrefixId evict(const std::function<bool(PrefixId)>& is_busy);

    /// Forgets all pages; their ids.
    std::vector<PrefixId> clear();
    size_t page_count() const { return pages_.size(); }

  private:
    using Key = std::tuple<Digest, PrefixId, std::vector<TokenId>>;
    struct Page {
        std::map<Key, PrefixId>::iterator key;
        uint64_t used_at = 0;
        uint32_t children = 0;
    };

    static std::vector<TokenId> copy(std::span<const TokenId> tokens) {
        return {tokens.begin(), tokens.end()};
    }
    void touch(PrefixId id);

    uint32_t page_positions_;
    PrefixId next_id_;
    uint64_t now_ = 0;
    std::map<Key, PrefixId> ids_;
    std::map<PrefixId, Page> pages_;
    /// Pages that no page follows, by their last use.
    std::set<std::pair<uint64_t, PrefixId>> leaves_;
};

}  // namespace teetee::pipeline
