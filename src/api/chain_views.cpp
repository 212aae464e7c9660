// SPDX-License-Identifier: Apache-2.0
#include "api/chain_views.hpp"

#include <boost/json/array.hpp>

#include "api/limits.hpp"
#include "api/query.hpp"
#include "base/ascii.hpp"

namespace teetee::api {
namespace {

namespace json = boost::json;

/// Of each pool, its nodes by slots: those that serve, or whose work may yet be settled.
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

std::map<uint64_t, NodesOfSlots> nodes_of_pools(const chain::ContractState& state, uint64_t after,
                                                uint64_t time) {
    std::map<uint64_t, NodesOfSlots> out;
    std::map<uint64_t, size_t> counts;
    for (const auto& [number, node] : state.nodes()) {
        const bool is_over = node.left || time > node.expiry + chain::settle_grace_s;
        if (node.pool <= after || is_over || ++counts[node.pool] > pool_nodes_listed_max) continue;
        out[node.pool][node.slot].push_back(node_view(state, number, node, time));
    }
    return out;
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

json::value chain_view(const ChainWindow* chain) {
    if (chain == nullptr) return nullptr;
    json::array urls;
    for (const std::string& url : chain->rpc_urls) urls.emplace_back(url);
    return json::object{{"chain_id", chain->deployment.chain_id},
                        {"contract", chain::to_checksum_text(chain->deployment.contract)},
                        {"from_block", chain->from_block},
                        {"pool", chain->pool},
                        {"rpc_urls", std::move(urls)}};
}

Result<json::object> pools(const ChainWindow* chain, std::string_view query, UnixSeconds now) {
    uint64_t after = 0;
    if (const auto given = query_parameter(query, "after")) {
        const auto number = parse_decimal(*given);
        if (!number) return fail(ErrorCode::field_invalid, "'after' must be a pool's number");
        after = *number;
    }
    json::array data;
    bool has_more = false;
    if (chain != nullptr) {
        const chain::ContractState& state = chain->state();
        const auto time = static_cast<uint64_t>(now);
        auto nodes = nodes_of_pools(state, after, time);
        auto pool = state.pools().upper_bound(after);
        for (; pool != state.pools().end() && data.size() < pools_listed_max; ++pool)
            data.push_back(pool_view(pool->first, pool->second, nodes[pool->first], time));
        has_more = pool != state.pools().end();
    }
    return json::object{{"object", "list"},
                        {"block", chain == nullptr ? 0 : chain->block()},
                        {"has_more", has_more},
                        {"data", std::move(data)}};
}

}  // namespace teetee::api
