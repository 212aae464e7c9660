// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "cli/pool_text.hpp"

namespace teetee::cli {

/// How well a slot of a pool is served.
struct SlotSight {
    uint64_t slot = 0;
    LayerRange layers{};
    /// Nodes that are live, and those of them that are the host's own.
    size_t live = 0;
    size_t own = 0;
};

/// All slots, in the order of their layers. A zero `host` owns none.
std::vector<SlotSight> see_slots(const PoolSight& sight, const chain::Address& host);

/// The one that a further node helps most: fewest live nodes, then the lowest layers. The slots
/// MUST NOT be none.
const SlotSight& worst_served(const std::vector<SlotSight>& slots);

/// Error: call_reverted, for a pool that takes no nodes.
Result<void> ensure_open(const PoolSight& sight);

/// The slot that was asked for, or the worst served. Error: invalid_argument for a slot that the
/// pool has not.
Result<SlotSight> choose_slot(const PoolSight& sight, const std::vector<SlotSight>& slots,
                              std::optional<uint64_t> wanted);

}  // namespace teetee::cli
