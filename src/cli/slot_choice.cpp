// SPDX-License-Identifier: Apache-2.0
#include "cli/slot_choice.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace teetee::cli {

std::vector<SlotSight> see_slots(const PoolSight& sight, const chain::Address& host) {
    std::vector<SlotSight> out;
    uint64_t begin = 0;
    for (const uint64_t layers : sight.pool->slot_layers) {
        const uint64_t end = begin + layers;
        out.push_back({.slot = out.size(),
                       .layers = {static_cast<uint32_t>(begin), static_cast<uint32_t>(end)}});
        begin = end;
    }
    for (const auto& [id, node] : sight.state->nodes()) {
        if (node.pool != sight.id || node.slot >= out.size() ||
            !sight.state->is_live(id, sight.now))
            continue;
        ++out[node.slot].live;
        if (node.host == host && host != chain::Address{}) ++out[node.slot].own;
    }
    return out;
}

const SlotSight& worst_served(const std::vector<SlotSight>& slots) {
    TT_ASSERT(!slots.empty());
    return *std::ranges::min_element(slots, {}, &SlotSight::live);
}

Result<void> ensure_open(const PoolSight& sight) {
    if (!sight.pool->closed) return {};
    return fail(ErrorCode::call_reverted,
                fmt::format("pool {} is closed and takes no nodes: teetee pool list names those "
                            "that do",
                            sight.id));
}

Result<SlotSight> choose_slot(const PoolSight& sight, const std::vector<SlotSight>& slots,
                              std::optional<uint64_t> wanted) {
    if (!wanted) return worst_served(slots);
    if (*wanted < slots.size()) return slots[*wanted];
    return fail(ErrorCode::invalid_argument,
                fmt::format("--slot: have {}, need one below {}, the slots of pool {}", *wanted,
                            slots.size(), sight.id));
}

}  // namespace teetee::cli
