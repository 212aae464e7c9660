// SPDX-License-Identifier: Apache-2.0
#include "chain/money_view.hpp"

#include <algorithm>

namespace teetee::chain {
namespace {

/// Of the slot; nothing where the pool has none of that number.
LayerRange layers_of(const PoolRecord& pool, uint64_t slot) {
    if (slot >= pool.slot_layers.size()) return {};
    LayerRange out;
    for (uint64_t i = 0; i <= slot; ++i) {
        out.begin = out.end;
        // The contract's numbers are of 16 bits, and so many slots.
        out.end += static_cast<uint32_t>(pool.slot_layers[i]);
    }
    return out;
}

}  // namespace

const PoolRecord* MoneyView::open_pool(uint64_t pool) const {
    const PoolRecord* settled = settled_->pool(pool);
    const PoolRecord* latest = latest_->pool(pool);
    if (settled == nullptr || latest == nullptr || settled->closed || latest->closed)
        return nullptr;
    return settled;
}

bool MoneyView::is_live(uint64_t node, uint64_t time) const {
    return settled_->is_live(node, time) && latest_->is_live(node, time);
}

Result<uint64_t> MoneyView::live_until(uint64_t pool, const Address& receipt_key, LayerRange layers,
                                       uint64_t time) const {
    const auto refused = [&](const std::string& why) {
        return fail(ErrorCode::not_ready, "node 0x" + to_hex(receipt_key) + " " + why);
    };
    const std::string place = " in pool " + std::to_string(pool);
    const NodeRecord* latest = latest_->node_of_key(receipt_key);
    if (latest == nullptr || latest->pool != pool) return refused("is not registered" + place);
    const NodeRecord* settled = settled_->node_of_key(receipt_key);
    if (settled == nullptr) return refused("is registered" + place + ", which is not settled yet");
    const PoolRecord* its_pool = settled_->pool(pool);
    if (its_pool == nullptr || layers_of(*its_pool, settled->slot) != layers)
        return refused("is registered" + place + " for other layers");
    if (latest->left) return refused("has left pool " + std::to_string(pool));
    const uint64_t end = std::min(settled->expiry, latest->expiry);
    if (time >= end) return refused("is registered" + place + " no longer: it expired");
    if (!is_live(settled_->node_id_of_key(receipt_key), time))
        return refused("runs code that pool " + std::to_string(pool) + " does not accept");
    return end;
}

bool MoneyView::is_host(uint64_t pool, const Address& wallet, uint64_t time) const {
    const auto nodes = settled_->nodes_of_host(pool, wallet);
    return std::any_of(nodes.begin(), nodes.end(),
                       [&](uint64_t node) { return is_live(node, time); });
}

std::optional<Address> MoneyView::host_of(const Address& receipt_key) const {
    const NodeRecord* node = settled_->node_of_key(receipt_key);
    return node == nullptr ? std::nullopt : std::optional(node->host);
}

U256 MoneyView::balance(const Address& account) const {
    return std::min(settled_->account(account).balance, latest_->account(account).balance);
}

U256 MoneyView::earnings(const Address& account) const {
    return std::min(settled_->account(account).earnings, latest_->account(account).earnings);
}

std::optional<VoucherRecord> MoneyView::voucher_until(const Digest& id, uint64_t time,
                                                      uint64_t grace_s) const {
    const VoucherRecord* settled = settled_->voucher(id);
    const VoucherRecord* latest = latest_->voucher(id);
    if (settled == nullptr || latest == nullptr) return std::nullopt;
    VoucherRecord out = *latest;
    out.remaining = std::min(settled->remaining, latest->remaining);
    out.expiry = std::min(settled->expiry, latest->expiry);
    // Expiries are those of a uint48: no sum of them overflows.
    if (settled->reclaimed || latest->reclaimed || time >= out.expiry + grace_s)
        return std::nullopt;
    return out;
}

std::optional<VoucherRecord> MoneyView::voucher(const Digest& id, uint64_t time) const {
    return voucher_until(id, time, 0);
}

std::optional<VoucherRecord> MoneyView::settleable_voucher(const Digest& id, uint64_t time) const {
    return voucher_until(id, time, settle_grace_s);
}

std::optional<U256> MoneyView::claimed(const Digest& voucher, const Address& entry) const {
    const auto in = [&](const ContractState& state) {
        const VoucherRecord* record = state.voucher(voucher);
        const auto claim = record == nullptr ? std::map<Address, ClaimRecord>::const_iterator()
                                             : record->claims.find(entry);
        return record == nullptr || claim == record->claims.end() ? U256(0) : claim->second.claimed;
    };
    const U256 out = in(*settled_);
    return out == in(*latest_) ? std::optional(out) : std::nullopt;
}

const QueryRecord* MoneyView::query_until(uint64_t id, uint64_t time, uint64_t grace_s) const {
    const QueryRecord* settled = settled_->query(id);
    if (settled == nullptr || latest_->query(id) == nullptr) return nullptr;
    return time < settled->deadline + grace_s ? settled : nullptr;
}

const QueryRecord* MoneyView::query(uint64_t id, uint64_t time) const {
    return query_until(id, time, 0);
}

const QueryRecord* MoneyView::settleable_query(uint64_t id, uint64_t time) const {
    return query_until(id, time, query_grace_s);
}

const AnchorRecord* MoneyView::anchor(uint64_t entry_node, const Digest& receipts_root) const {
    return settled_->anchor(entry_node, receipts_root);
}

std::optional<Prices> MoneyView::prices(uint64_t pool, uint64_t time) const {
    const PoolRecord* settled = settled_->pool(pool);
    const PoolRecord* latest = latest_->pool(pool);
    if (settled == nullptr || latest == nullptr) return std::nullopt;
    // What was announced and is not settled yet comes into force later than it settles, or the
    // lower of both is right all the same.
    const Prices a = settled->prices.at(time);
    const Prices b = latest->prices.at(time);
    return Prices{.prompt = std::min(a.prompt, b.prompt),
                  .completion = std::min(a.completion, b.completion)};
}

std::optional<SettleableNode> MoneyView::settleable(const Address& receipt_key,
                                                    uint64_t time) const {
    const NodeRecord* settled = settled_->node_of_key(receipt_key);
    const NodeRecord* latest = latest_->node_of_key(receipt_key);
    if (settled == nullptr || latest == nullptr) return std::nullopt;
    if (time > std::min(settled->expiry, latest->expiry) + settle_grace_s) return std::nullopt;
    const PoolRecord* its_pool = latest_->pool(latest->pool);
    return SettleableNode{
        .id = settled_->node_id_of_key(receipt_key),
        .pool = settled->pool,
        .slot = settled->slot,
        .expiry = std::min(settled->expiry, latest->expiry),
        .is_revoked = its_pool == nullptr || !its_pool->accepts(latest->measurement, time)};
}

bool MoneyView::is_node_over(const Address& receipt_key, uint64_t time) const {
    const NodeRecord* settled = settled_->node_of_key(receipt_key);
    const NodeRecord* latest = latest_->node_of_key(receipt_key);
    if (settled == nullptr || latest == nullptr) return false;
    return time > std::max(settled->expiry, latest->expiry) + settle_grace_s;
}

std::optional<Timed<Prices>> MoneyView::price_change(uint64_t pool) const {
    const PoolRecord* latest = latest_->pool(pool);
    return latest == nullptr ? std::nullopt : std::optional(latest->prices);
}

size_t MoneyView::slot_count(uint64_t pool) const {
    const PoolRecord* settled = settled_->pool(pool);
    return settled == nullptr ? 0 : settled->slot_layers.size();
}

std::optional<Prices> MoneyView::highest_prices(uint64_t pool, uint64_t time) const {
    const PoolRecord* settled = settled_->pool(pool);
    if (settled == nullptr) return std::nullopt;
    return settled->highest_prices(time);
}

}  // namespace teetee::chain
