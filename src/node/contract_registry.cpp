// SPDX-License-Identifier: Apache-2.0
#include "node/contract_registry.hpp"

#include "net/address.hpp"

namespace teetee::node {

Result<std::vector<RegistryEntry>> nodes_of_pool(const chain::ContractState& state, uint64_t pool,
                                                 uint64_t time) {
    const chain::PoolRecord* record = state.pool(pool);
    if (record == nullptr)
        return fail(ErrorCode::not_ready, "pool " + std::to_string(pool) + " is not there");
    std::vector<LayerRange> slots;
    uint32_t layer = 0;
    for (const uint64_t count : record->slot_layers) {
        // The contract's numbers are of 16 bits, and so many slots.
        const auto end = layer + static_cast<uint32_t>(count);
        slots.push_back({layer, end});
        layer = end;
    }
    std::vector<RegistryEntry> out;
    for (const auto& [id, node] : state.nodes()) {
        if (node.pool != pool || node.slot >= slots.size() || !state.is_live(id, time)) continue;
        // Foreign text: one that nobody can dial is one host's own loss.
        if (!net::parse_address(node.endpoint)) continue;
        out.push_back({.url = node.endpoint,
                       .node_id = node.receipt_key,
                       .layers = slots[static_cast<size_t>(node.slot)]});
    }
    return out;
}

Result<std::vector<RegistryEntry>> ContractRegistry::nodes() {
    // A node starts before it has read the chain.
    if (!chain_.view().status().confirmed_at) return std::vector<RegistryEntry>();
    return nodes_of_pool(chain_.view().latest(), pool_, static_cast<uint64_t>(clock_.unix_now()));
}

}  // namespace teetee::node
