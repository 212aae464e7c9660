// SPDX-License-Identifier: Apache-2.0
#include "node/contract_registry.hpp"

#include "net/address.hpp"

namespace teetee::node {
namespace {

constexpr Duration doubt_max = std::chrono::minutes(10);
/// Twice the nodes that a directory remembers.
constexpr size_t known_max = 2048;

}  // namespace

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
    std::vector<RegistryEntry> out;
    // A node starts before it has read the chain.
    if (chain_.view().status().confirmed_at) {
        const auto time = static_cast<uint64_t>(clock_.unix_now());
        TT_TRY(out, nodes_of_pool(chain_.view().latest(), pool_, time));
    }
    if (beside_ == nullptr) return out;
    TT_TRY(const auto more, beside_->nodes());
    out.insert(out.end(), more.begin(), more.end());
    return out;
}

Result<void> ContractRegistry::admits(const ByteArray<20>& node_id, LayerRange layers) {
    const Instant now = clock_.now();
    const auto time = static_cast<uint64_t>(clock_.unix_now());
    const auto view = chain_.money();
    const auto key = std::pair(node_id, layers);
    if (view) {
        forget_old(now);
        known_.insert_or_assign(key, Known{now, view->live_until(pool_, node_id, layers, time)});
    }
    const auto known = known_.find(key);
    if (known == known_.end() || now - known->second.at >= doubt_max) return view.error();
    TT_TRY(const uint64_t end, known->second.live_until);
    if (time < end) return {};
    return fail(ErrorCode::not_ready, "node 0x" + to_hex(node_id) + "'s registration has expired");
}

/// Nodes come and go.
void ContractRegistry::forget_old(Instant now) {
    if (known_.size() < known_max) return;
    std::erase_if(known_, [&](const auto& known) { return now - known.second.at >= doubt_max; });
}

}  // namespace teetee::node
