// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "base/result.hpp"
#include "pipeline/engine.hpp"

namespace teetee::pipeline {

struct KvAmount {
    uint64_t sequences = 0;
    uint64_t positions = 0;
};

/// True if `part` and `more` fit into `whole` together.
inline bool fits(KvAmount part, KvAmount more, KvAmount whole) {
    return part.sequences + more.sequences <= whole.sequences &&
           part.positions + more.positions <= whole.positions;
}

/// Admission control: what is set aside of a stage's KV cache, for open sequences and for retained
/// pages, each page counted once. The whole of positions_max is set aside at the open, so that a
/// sequence never runs out in mid-answer. The engine's cache keeps the same account.
class KvLedger {
  public:
    explicit KvLedger(const EngineLimits& limits);

    KvAmount capacity() const { return capacity_; }
    KvAmount used() const;
    KvAmount free() const;
    /// Without the retained pages that no open sequence uses: dropping those would free the rest.
    KvAmount busy() const;
    uint64_t idle_positions() const { return used().positions - busy().positions; }
    /// Of these pages.
    uint64_t idle_positions(const std::set<PrefixId>& pages) const;
    uint32_t block_positions() const { return block_positions_; }

    /// How much a new sequence would add to busy(): whole blocks, those of the start only if they
    /// are idle. Error: prefix_unknown, also if the prefix has other positions.
    Result<KvAmount> need(Position positions_max, PrefixStart start = {}) const;

    /// Whether the sequence fits without any page being dropped. Errors: prefix_unknown,
    /// kv_cache_full.
    Result<void> ensure_fits(Position positions_max, PrefixStart start) const;

    /// Whether it fits is the caller's to ask. Error: prefix_unknown.
    Result<void> open(const RequestId& request, Position positions_max, PrefixStart start = {});
    void close(const RequestId& request);

    /// What closing the sequence frees in any case.
    uint64_t own_positions(const RequestId& request) const {
        return sequences_.at(request).own_blocks * block_positions_;
    }
    /// The pages of the sequence that have ids; those behind them are its own.
    const std::vector<PrefixId>& shared_pages(const RequestId& request) const;
    /// The pages get ids. False, and nothing done, for an unknown sequence, pages that are not the
    /// first ones without an id, another parent than the page before, or an id in use.
    bool retain(const RequestId& request, const PrefixSpan& span);
    /// Takes the id back; the page is free when no open sequence uses it. False for an unknown id.
    bool drop(PrefixId prefix);

    bool is_retained(PrefixId prefix) const;
    /// Some open sequence uses the page.
    bool is_busy(PrefixId prefix) const;
    size_t retained_count() const;

  private:
    struct Page {
        PrefixId parent = 0;
        uint32_t users = 0;
        bool is_retained = true;
    };
    struct Sequence {
        std::vector<PrefixId> shared{};
        uint64_t own_blocks = 0;
    };
    using Pages = std::map<PrefixId, Page>;

    uint64_t blocks_for(Position positions) const {
        return (uint64_t{positions} + block_positions_ - 1) / block_positions_;
    }
    Result<std::vector<PrefixId>> chain_of(PrefixStart start) const;
    void forget_if_unused(Pages::iterator page);

    KvAmount capacity_;
    uint32_t block_positions_;
    std::map<RequestId, Sequence> sequences_;
    Pages pages_;
    uint64_t own_blocks_ = 0;
    uint64_t idle_count_ = 0;
};

}  // namespace teetee::pipeline
