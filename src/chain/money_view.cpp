// SPDX-License-Identifier: Apache-2.0
#include "chain/money_view.hpp"

#include <algorithm>

namespace teetee::chain {

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

bool MoneyView::is_host(uint64_t pool, const Address& wallet, uint64_t time) const {
    const auto nodes = settled_->nodes_of_host(pool, wallet);
    return std::any_of(nodes.begin(), nodes.end(),
                       [&](uint64_t node) { return is_live(node, time); });
}

U256 MoneyView::balance(const Address& account) const {
    return std::min(settled_->account(account).balance, latest_->account(account).balance);
}

U256 MoneyView::earnings(const Address& account) const {
    return std::min(settled_->account(account).earnings, latest_->account(account).earnings);
}

std::optional<VoucherRecord> MoneyView::voucher(const Digest& id, uint64_t time) const {
    const VoucherRecord* settled = settled_->voucher(id);
    const VoucherRecord* latest = latest_->voucher(id);
    if (settled == nullptr || latest == nullptr) return std::nullopt;
    VoucherRecord out = *latest;
    out.remaining = std::min(settled->remaining, latest->remaining);
    out.expiry = std::min(settled->expiry, latest->expiry);
    if (settled->reclaimed || latest->reclaimed || time >= out.expiry) return std::nullopt;
    return out;
}

const QueryRecord* MoneyView::query(uint64_t id, uint64_t time) const {
    const QueryRecord* settled = settled_->query(id);
    if (settled == nullptr || latest_->query(id) == nullptr) return nullptr;
    return time < settled->deadline ? settled : nullptr;
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

}  // namespace teetee::chain
