// SPDX-License-Identifier: Apache-2.0
#include "pipeline/kv_ledger.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/assert.hpp"

namespace teetee::pipeline {

KvLedger::KvLedger(const EngineLimits& limits)
    : capacity_{limits.sequences_max, limits.positions_max / limits.block_positions},
      block_positions_(limits.block_positions) {
    capacity_.positions *= block_positions_;
}

KvAmount KvLedger::used() const {
    return {sequences_.size(), (own_blocks_ + pages_.size()) * block_positions_};
}

KvAmount KvLedger::free() const {
    // While pages are being dropped for it, a new sequence may be above the capacity.
    const KvAmount in_use = used();
    return {capacity_.sequences - std::min(capacity_.sequences, in_use.sequences),
            capacity_.positions - std::min(capacity_.positions, in_use.positions)};
}

KvAmount KvLedger::busy() const {
    return {sequences_.size(), (own_blocks_ + pages_.size() - idle_count_) * block_positions_};
}

uint64_t KvLedger::idle_positions(const std::set<PrefixId>& pages) const {
    const auto idle =
        std::ranges::count_if(pages, [this](PrefixId page) { return !is_busy(page); });
    return static_cast<uint64_t>(idle) * block_positions_;
}

Result<std::vector<PrefixId>> KvLedger::chain_of(PrefixStart start) const {
    std::vector<PrefixId> chain;
    const uint64_t count = start.positions / block_positions_;
    PrefixId at = start.prefix;
    while (at != 0 && chain.size() < count) {
        const auto page = pages_.find(at);
        if (page == pages_.end() || !page->second.is_retained)
            return fail(ErrorCode::prefix_unknown, "a page of the prefix is not retained");
        chain.push_back(at);
        at = page->second.parent;
    }
    if (at != 0 || chain.size() * block_positions_ != start.positions) {
        return fail(ErrorCode::prefix_unknown,
                    "the prefix has other positions than " + std::to_string(start.positions));
    }
    std::ranges::reverse(chain);
    return chain;
}

Result<KvAmount> KvLedger::need(Position positions_max, PrefixStart start) const {
    TT_TRY(const auto chain, chain_of(start));
    const auto busy_count = static_cast<uint64_t>(
        std::ranges::count_if(chain, [&](PrefixId id) { return is_busy(id); }));
    return KvAmount{1, (blocks_for(positions_max) - busy_count) * block_positions_};
}

Result<void> KvLedger::ensure_fits(Position positions_max, PrefixStart start) const {
    TT_TRY(const auto chain, chain_of(start));
    const uint64_t own = (blocks_for(positions_max) - chain.size()) * block_positions_;
    if (fits(used(), {1, own}, capacity_)) return {};
    return fail(ErrorCode::kv_cache_full, "have " + std::to_string(free().positions) +
                                              " free positions, need " + std::to_string(own));
}

Result<void> KvLedger::open(const RequestId& request, Position positions_max, PrefixStart start) {
    TT_ASSERT(!sequences_.contains(request) && positions_max > start.positions);
    TT_TRY(auto chain, chain_of(start));
    for (const PrefixId id : chain) {
        if (pages_.at(id).users++ == 0) --idle_count_;
    }
    const uint64_t own_blocks = blocks_for(positions_max) - chain.size();
    own_blocks_ += own_blocks;
    sequences_[request] = {std::move(chain), own_blocks};
    return {};
}

void KvLedger::close(const RequestId& request) {
    const auto found = sequences_.find(request);
    TT_ASSERT(found != sequences_.end());
    own_blocks_ -= found->second.own_blocks;
    for (const PrefixId id : found->second.shared) {
        const auto page = pages_.find(id);
        if (--page->second.users == 0) ++idle_count_;
        forget_if_unused(page);
    }
    sequences_.erase(found);
}

const std::vector<PrefixId>& KvLedger::shared_pages(const RequestId& request) const {
    return sequences_.at(request).shared;
}

bool KvLedger::retain(const RequestId& request, const PrefixSpan& span) {
    const auto found = sequences_.find(request);
    if (found == sequences_.end() || span.first == 0 || span.page_begin >= span.page_end)
        return false;
    Sequence& sequence = found->second;
    const PrefixId before = sequence.shared.empty() ? 0 : sequence.shared.back();
    if (span.page_begin != sequence.shared.size() || span.parent != before ||
        span.page_count() > sequence.own_blocks || !(before == 0 || is_retained(before))) {
        return false;
    }
    const auto next = pages_.lower_bound(span.first);
    if (next != pages_.end() && next->first - span.first < span.page_count()) return false;
    for (uint32_t i = 0; i < span.page_count(); ++i) {
        pages_[span.first + i] = {.parent = i == 0 ? before : span.first + i - 1, .users = 1};
        sequence.shared.push_back(span.first + i);
    }
    sequence.own_blocks -= span.page_count();
    own_blocks_ -= span.page_count();
    return true;
}

bool KvLedger::drop(PrefixId prefix) {
    const auto page = pages_.find(prefix);
    if (page == pages_.end() || !page->second.is_retained) return false;
    page->second.is_retained = false;
    forget_if_unused(page);
    return true;
}

void KvLedger::forget_if_unused(Pages::iterator page) {
    if (page->second.is_retained || page->second.users > 0) return;
    --idle_count_;
    pages_.erase(page);
}

bool KvLedger::is_retained(PrefixId prefix) const {
    const auto page = pages_.find(prefix);
    return page != pages_.end() && page->second.is_retained;
}

bool KvLedger::is_busy(PrefixId prefix) const {
    const auto page = pages_.find(prefix);
    return page != pages_.end() && page->second.users > 0;
}

size_t KvLedger::retained_count() const {
    return static_cast<size_t>(
        std::ranges::count_if(pages_, [](const auto& page) { return page.second.is_retained; }));
}

}  // namespace teetee::pipeline
