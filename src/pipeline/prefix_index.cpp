// SPDX-License-Identifier: Apache-2.0
#include "pipeline/prefix_index.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace teetee::pipeline {

PrefixIndex::PrefixIndex(uint32_t page_positions, PrefixId first)
    : page_positions_(page_positions), next_id_(first) {
    TT_ASSERT(first > 0);
}

PrefixStart PrefixIndex::match(const Digest& tenant, std::span<const TokenId> tokens,
                               Position positions_max) {
    ++now_;
    PrefixStart start;
    const size_t end = std::min<size_t>(tokens.size(), positions_max);
    while (start.positions + page_positions_ <= end) {
        const auto found = ids_.find(
            {tenant, start.prefix, copy(tokens.subspan(start.positions, page_positions_))});
        if (found == ids_.end()) break;
        start = {found->second, start.positions + page_positions_};
        touch(start.prefix);
    }
    return start;
}

std::optional<PrefixSpan> PrefixIndex::add(const Digest& tenant, std::span<const TokenId> tokens,
                                           PrefixId parent, uint32_t page_begin) {
    const auto page_end = static_cast<uint32_t>(tokens.size() / page_positions_);
    if (page_begin >= page_end || (parent != 0 && !pages_.contains(parent))) return {};
    const PrefixSpan span{parent, next_id_, page_begin, page_end};
    ++now_;
    for (uint32_t i = page_begin; i < page_end; ++i) {
        const auto [key, is_new] = ids_.try_emplace(
            {tenant, parent, copy(tokens.subspan(size_t{i} * page_positions_, page_positions_))},
            next_id_);
        if (!is_new) return {};
        if (parent != 0 && pages_.at(parent).children++ == 0)
            leaves_.erase({pages_.at(parent).used_at, parent});
        pages_[next_id_] = {key, now_};
        leaves_.insert({now_, next_id_});
        parent = next_id_++;
    }
    return span;
}

PrefixId PrefixIndex::evict(const std::function<bool(PrefixId)>& is_busy) {
    const auto leaf = std::ranges::find_if(
        leaves_, [&](const auto& candidate) { return !is_busy(candidate.second); });
    if (leaf == leaves_.end()) return 0;
    const PrefixId id = leaf->second;
    leaves_.erase(leaf);
    const auto page = pages_.find(id);
    const PrefixId parent = std::get<PrefixId>(page->second.key->first);
    ids_.erase(page->second.key);
    pages_.erase(page);
    if (parent != 0 && --pages_.at(parent).children == 0)
        leaves_.insert({pages_.at(parent).used_at, parent});
    return id;
}

std::vector<PrefixId> PrefixIndex::clear() {
    std::vector<PrefixId> ids;
    for (const auto& [id, page] : pages_) ids.push_back(id);
    ids_.clear();
    pages_.clear();
    leaves_.clear();
    return ids;
}

void PrefixIndex::touch(PrefixId id) {
    Page& page = pages_.at(id);
    if (page.children == 0) {
        leaves_.erase({page.used_at, id});
        leaves_.insert({now_, id});
    }
    page.used_at = now_;
}

}  // namespace teetee::pipeline
