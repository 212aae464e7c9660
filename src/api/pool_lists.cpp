// SPDX-License-Identifier: Apache-2.0
#include "api/pool_lists.hpp"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "api/limits.hpp"
#include "api/query.hpp"
#include "base/ascii.hpp"

namespace teetee::api {
namespace {

namespace json = boost::json;

/// No pool has it.
constexpr uint64_t no_pool = UINT64_MAX;

/// Of a pool, its nodes by slots.
using NodesOfSlots = std::map<uint64_t, json::array>;

json::object node_view(const chain::ContractState& state, uint64_t number,
                       const chain::NodeRecord& node, uint64_t time) {
    return {{"node", number},
            {"host", chain::to_checksum_text(node.host)},
            {"endpoint", node.endpoint},
            {"receipt_key", chain::to_checksum_text(node.receipt_key)},
            {"measurement", to_hex(node.measurement)},
            {"expires", node.expiry},
            {"live", state.is_live(number, time)}};
}

json::object pool_view(uint64_t number, const chain::PoolRecord& pool, NodesOfSlots nodes,
                       uint64_t time) {
    json::array slots;
    uint64_t begin = 0;
    for (size_t i = 0; i < pool.slot_layers.size(); ++i) {
        const uint64_t end = begin + pool.slot_layers[i];
        slots.push_back(
            {{"slot", i}, {"layers", json::array{begin, end}}, {"nodes", std::move(nodes[i])}});
        begin = end;
    }
    const chain::Prices& prices = pool.prices.at(time);
    const chain::PolicyReference& policy = pool.policy.at(time);
    return {{"pool", number},
            {"creator", chain::to_checksum_text(pool.creator)},
            {"model_root", to_hex(pool.model_root)},
            {"manifest_uri", pool.manifest_uri},
            {"policy_hash", to_hex(policy.hash)},
            {"policy_uri", policy.uri},
            {"prompt_price", std::to_string(prices.prompt)},
            {"completion_price", std::to_string(prices.completion)},
            {"fee_bps", pool.fee_bps},
            {"verifier", chain::to_checksum_text(pool.verifier)},
            {"open", !pool.closed},
            {"slots", std::move(slots)}};
}

}  // namespace

Result<SharedText> PoolLists::list(std::string_view query) {
    uint64_t after = 0;
    if (const auto given = query_parameter(query, "after")) {
        const auto number = parse_decimal(*given);
        if (!number) return fail(ErrorCode::field_invalid, "'after' must be a pool's number");
        after = *number;
    }
    const Instant now = clock_.now();
    if (pace_.is_due(now)) {
        pace_.begin(now);
        look();
        pace_.spend(clock_.now() - now);
    }
    uint64_t first = no_pool;
    if (chain_ != nullptr) {
        // One list, whatever number before its first pool is asked for.
        const auto& pools = chain_->state().pools();
        const auto found = pools.upper_bound(after);
        if (found != pools.end()) first = found->first;
    }
    return list_from(first);
}

/// Those that serve, or whose work may yet be settled.
void PoolLists::look() {
    nodes_.clear();
    texts_.clear();
    text_bytes_ = 0;
    lists_.clear();
    time_ = static_cast<uint64_t>(clock_.unix_now());
    if (chain_ == nullptr) return;
    block_ = chain_->block();
    for (const auto& [number, node] : chain_->state().nodes()) {
        if (node.left || time_ > node.expiry + chain::settle_grace_s) continue;
        nodes_[node.pool].push_back(number);
    }
}

SharedText PoolLists::list_from(uint64_t first) {
    if (const auto kept = lists_.find(first); kept != lists_.end()) return kept->second;
    auto made = std::make_shared<const std::string>(write_list(first));
    if (lists_.size() < pool_lists_kept_max) lists_.emplace(first, made);
    return made;
}

std::string PoolLists::write_list(uint64_t first) {
    std::string data;
    bool has_more = false;
    if (first != no_pool) {
        const auto& pools = chain_->state().pools();
        size_t count = 0;
        for (auto pool = pools.lower_bound(first); pool != pools.end(); ++pool) {
            const std::string text = text_of(pool->first, pool->second);
            has_more = count > 0 && (count == pools_listed_max ||
                                     data.size() + text.size() > pool_list_bytes_max);
            if (has_more) break;
            if (count++ > 0) data += ',';
            data += text;
        }
    }
    return R"({"object":"list","block":)" + std::to_string(block_) + R"(,"has_more":)" +
           (has_more ? "true" : "false") + R"(,"data":[)" + data + "]}\n";
}

std::string PoolLists::text_of(uint64_t number, const chain::PoolRecord& pool) {
    if (const auto kept = texts_.find(number); kept != texts_.end()) return kept->second;
    const Instant began = clock_.now();
    const chain::ContractState& state = chain_->state();
    NodesOfSlots slots;
    size_t count = 0;
    for (const uint64_t id : nodes_[number]) {
        // The chain goes on between two looks.
        const chain::NodeRecord* node = state.node(id);
        if (node == nullptr || node->pool != number || ++count > pool_nodes_listed_max) continue;
        slots[node->slot].push_back(node_view(state, id, *node, time_));
    }
    json::object view = pool_view(number, pool, std::move(slots), time_);
    view["nodes_left_out"] = count - std::min(count, pool_nodes_listed_max);
    std::string text = json::serialize(view);
    if (text_bytes_ + text.size() <= pool_texts_bytes_max) {
        text_bytes_ += text.size();
        texts_.emplace(number, text);
        // What is not kept does not count: else whoever asks for it again and again could keep the
        // next look away.
        pace_.spend(clock_.now() - began);
    }
    return text;
}

}  // namespace teetee::api
