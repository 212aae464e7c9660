// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "grammar/limits.hpp"

namespace teetee::grammar {

/// The moves that the masks of one batch may take, so that grammars which are dear do not hold up
/// the answers beside them. First come, first served, but a share is kept for each sequence: who
/// needs little is never refused for what others took. So all together may take twice
/// batch_cost_max, and what was taken in vain where a matcher's memory was full.
class MaskBudget {
  public:
    /// For a batch with that many sequences, at least 1.
    explicit MaskBudget(size_t sequence_count)
        : share_(batch_cost_max / std::max<size_t>(sequence_count, 1)) {}

    /// Of the next mask.
    uint64_t limit() const { return std::min(mask_cost_max, std::max(left_, share_)); }
    void take(uint64_t cost) { left_ -= std::min(left_, cost); }

  private:
    uint64_t left_ = batch_cost_max;
    uint64_t share_;
};

}  // namespace teetee::grammar
