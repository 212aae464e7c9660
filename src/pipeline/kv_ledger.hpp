// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "pipeline/engine.hpp"

namespace teetee::pipeline {

struct KvAmount {
    uint64_t sequences = 0;
    uint64_t positions = 0;
};

/// Admission control: what the open sequences have set aside of a stage's KV cache. The whole of
/// positions_max is set aside at the open, so that a sequence never runs out in mid-answer.
class KvLedger {
  public:
    explicit KvLedger(const EngineLimits& limits)
        : capacity_{limits.sequences_max, limits.positions_max / limits.block_positions},
          block_positions_(limits.block_positions) {
        capacity_.positions *= block_positions_;
    }

    KvAmount used() const { return used_; }
    KvAmount free() const {
        return {capacity_.sequences - used_.sequences, capacity_.positions - used_.positions};
    }
    KvAmount capacity() const { return capacity_; }

    /// What a sequence of so many positions takes: whole blocks.
    KvAmount need(Position positions_max) const {
        const uint64_t blocks = (uint64_t{positions_max} + block_positions_ - 1) / block_positions_;
        return {1, blocks * block_positions_};
    }
    void reserve(Position positions_max) {
        const KvAmount amount = need(positions_max);
        used_.sequences += amount.sequences;
        used_.positions += amount.positions;
    }
    void release(Position positions_max) {
        const KvAmount amount = need(positions_max);
        used_.sequences -= amount.sequences;
        used_.positions -= amount.positions;
    }

  private:
    KvAmount capacity_;
    KvAmount used_;
    uint64_t block_positions_;
};

/// True if `part` and `more` fit into `whole` together.
inline bool fits(KvAmount part, KvAmount more, KvAmount whole) {
    return part.sequences + more.sequences <= whole.sequences &&
           part.positions + more.positions <= whole.positions;
}

}  // namespace teetee::pipeline
