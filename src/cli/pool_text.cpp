// SPDX-License-Identifier: Apache-2.0
#include "cli/pool_text.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "cli/amount_text.hpp"

namespace teetee::cli {
namespace {

namespace json = boost::json;

/// First layer, and one past the last.
std::pair<uint64_t, uint64_t> layers_of(const chain::PoolRecord& pool, size_t slot) {
    uint64_t begin = 0;
    for (size_t i = 0; i < slot; ++i) begin += pool.slot_layers[i];
    return {begin, begin + pool.slot_layers[slot]};
}

std::vector<std::pair<uint64_t, const chain::NodeRecord*>> nodes_of(const PoolSight& sight,
                                                                    uint64_t slot) {
    std::vector<std::pair<uint64_t, const chain::NodeRecord*>> out;
    for (const auto& [id, node] : sight.state->nodes())
        if (node.pool == sight.id && node.slot == slot && !node.left) out.emplace_back(id, &node);
    return out;
}

json::object to_json(const chain::Prices& prices) {
    return {{"prompt", prices.prompt}, {"completion", prices.completion}};
}

json::array slots_json(const PoolSight& sight) {
    json::array slots;
    for (size_t slot = 0; slot < sight.pool->slot_layers.size(); ++slot) {
        json::array nodes;
        for (const auto& [id, node] : nodes_of(sight, slot)) {
            nodes.push_back({{"node", id},
                             {"host", chain::to_checksum_text(node->host)},
                             {"receipt_key", chain::to_checksum_text(node->receipt_key)},
                             {"endpoint", node->endpoint},
                             {"measurement", "0x" + to_hex(node->measurement)},
                             {"statement_hash", "0x" + to_hex(node->statement_hash)},
                             {"evidence_hash", "0x" + to_hex(node->evidence_hash)},
                             {"expiry", node->expiry},
                             {"live", sight.state->is_live(id, sight.now)}});
        }
        const auto [begin, end] = layers_of(*sight.pool, slot);
        slots.push_back(
            {{"slot", slot}, {"layers", json::array{begin, end}}, {"nodes", std::move(nodes)}});
    }
    return slots;
}

json::array measurements_json(const PoolSight& sight) {
    json::array out;
    for (const auto& [measurement, acceptance] : sight.pool->measurements) {
        out.push_back({{"measurement", "0x" + to_hex(measurement)},
                       {"accepted", sight.pool->accepts(measurement, sight.now)},
                       {"from", acceptance.from},
                       {"revoked", acceptance.revoked}});
    }
    return out;
}

std::string slots_text(const PoolSight& sight) {
    std::string text;
    for (size_t slot = 0; slot < sight.pool->slot_layers.size(); ++slot) {
        const auto [begin, end] = layers_of(*sight.pool, slot);
        text += fmt::format("slot {}: layers {}-{}, {} live\n", slot, begin, end - 1,
                            sight.live_nodes(slot));
        for (const auto& [id, node] : nodes_of(sight, slot)) {
            text += fmt::format("  node {} at {}, host {}, {} {}\n", id,
                                quote_foreign(node->endpoint), chain::to_checksum_text(node->host),
                                sight.state->is_live(id, sight.now) ? "until" : "NOT LIVE, expiry",
                                time_text(node->expiry));
        }
    }
    return text;
}

std::string measurements_text(const PoolSight& sight) {
    std::string text;
    for (const auto& [measurement, acceptance] : sight.pool->measurements) {
        const bool is_accepted = sight.pool->accepts(measurement, sight.now);
        text += fmt::format("code 0x{}: {}\n", to_hex(measurement),
                            acceptance.revoked ? "REVOKED"
                            : is_accepted      ? "accepted"
                                               : "accepted from " + time_text(acceptance.from));
    }
    return text;
}

}  // namespace

size_t PoolSight::live_nodes(uint64_t slot) const {
    size_t count = 0;
    for (const auto& [number, node] : nodes_of(*this, slot))
        count += state->is_live(number, now) ? 1 : 0;
    return count;
}

std::string prices_text(const chain::Prices& prices, const chain::U256& wei_per_credit) {
    return credits_text(prices.prompt, wei_per_credit) + " a prompt token, " +
           credits_text(prices.completion, wei_per_credit) + " a completion token";
}

std::string pool_line(const PoolSight& sight) {
    size_t filled = 0;
    const size_t slots = sight.pool->slot_layers.size();
    for (size_t slot = 0; slot < slots; ++slot) filled += sight.live_nodes(slot) > 0 ? 1 : 0;
    const chain::Prices& prices = sight.pool->prices.at(sight.now);
    return fmt::format("pool {}: model 0x{}.., {} of {} slots served, {} + {} credits a token{}\n",
                       sight.id, to_hex(sight.pool->model_root).substr(0, 16), filled, slots,
                       prices.prompt, prices.completion, sight.pool->closed ? ", CLOSED" : "");
}

std::string pool_text(const PoolSight& sight) {
    const chain::PoolRecord& pool = *sight.pool;
    const auto& policy = pool.policy.at(sight.now);
    std::string text =
        fmt::format("pool {}{}\nmodel root 0x{}\nmanifest {}\ncreator {}, fee {}.{:02} %\n{}\n",
                    sight.id, pool.closed ? ": CLOSED" : "", to_hex(pool.model_root),
                    pool.manifest_uri.empty() ? "not named" : quote_foreign(pool.manifest_uri),
                    chain::to_checksum_text(pool.creator), pool.fee_bps / 100, pool.fee_bps % 100,
                    prices_text(pool.prices.at(sight.now), sight.wei_per_credit));
    if (sight.now < pool.prices.from) {
        text += fmt::format("from {}: {}\n", time_text(pool.prices.from),
                            prices_text(pool.prices.next, sight.wei_per_credit));
    }
    text += fmt::format("policy 0x{}{}\n", to_hex(policy.hash),
                        policy.uri.empty() ? "" : " at " + quote_foreign(policy.uri));
    if (sight.now < pool.policy.from) {
        text += fmt::format("from {}: policy 0x{}\n", time_text(pool.policy.from),
                            to_hex(pool.policy.next.hash));
    }
    text += "verifier " + chain::to_checksum_text(pool.verifier) + "\n";
    return text + measurements_text(sight) + slots_text(sight);
}

json::object pool_json(const PoolSight& sight) {
    const chain::PoolRecord& pool = *sight.pool;
    const auto& policy = pool.policy.at(sight.now);
    json::object out = {{"pool", sight.id},
                        {"creator", chain::to_checksum_text(pool.creator)},
                        {"model_root", "0x" + to_hex(pool.model_root)},
                        {"manifest_uri", pool.manifest_uri},
                        {"prices", to_json(pool.prices.at(sight.now))},
                        {"next_prices", nullptr},
                        {"fee_bps", pool.fee_bps},
                        {"policy_hash", "0x" + to_hex(policy.hash)},
                        {"policy_uri", policy.uri},
                        {"verifier", chain::to_checksum_text(pool.verifier)},
                        {"closed", pool.closed},
                        {"measurements", measurements_json(sight)},
                        {"slots", slots_json(sight)}};
    if (sight.now < pool.prices.from) {
        json::object next = to_json(pool.prices.next);
        next["from"] = pool.prices.from;
        out["next_prices"] = std::move(next);
    }
    if (sight.now < pool.policy.from) {
        out["next_policy"] = {{"policy_hash", "0x" + to_hex(pool.policy.next.hash)},
                              {"policy_uri", pool.policy.next.uri},
                              {"from", pool.policy.from}};
    }
    return out;
}

}  // namespace teetee::cli
