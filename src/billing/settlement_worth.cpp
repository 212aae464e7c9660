// SPDX-License-Identifier: Apache-2.0
#include "billing/settlement_worth.hpp"

#include <algorithm>
#include <set>

namespace teetee::billing {
namespace {

constexpr uint64_t gas_of_any = 80'000;
constexpr uint64_t gas_of_node = 25'000;
constexpr uint64_t gas_of_claim = 22'000;

Result<bool> is_share_small(const chain::U256& worth, uint64_t gas, const GasTerms& terms,
                            uint64_t percent) {
    TT_TRY(const auto cost, terms.gas_price.times(gas));
    TT_TRY(const auto cost_in_hundredths, cost.times(100));
    TT_TRY(const auto wei, worth.times(terms.wei_per_credit));
    TT_TRY(const auto most, wei.times(percent));
    return !wei.is_zero() && cost_in_hundredths <= most;
}

}  // namespace

uint64_t settlement_gas(size_t claims, size_t nodes) {
    return gas_of_any + gas_of_node * nodes + gas_of_claim * claims;
}

uint64_t settlement_gas(std::span<const Charge> charges) {
    std::set<Digest> vouchers;
    std::set<crypto::Address> nodes;
    size_t queries = 0;
    for (const Charge& charge : charges) {
        if (charge.query != 0)
            ++queries;
        else
            vouchers.insert(charge.voucher);
        nodes.insert(charge.nodes.begin(), charge.nodes.end());
    }
    return settlement_gas(vouchers.size() + queries, nodes.size());
}

bool is_worth_gas(std::span<const Charge> charges, const GasTerms& terms, uint64_t percent) {
    Credits worth = 0;
    for (const Charge& charge : charges) worth += std::min(charge.amount, UINT64_MAX - worth);
    return is_share_small(worth, settlement_gas(charges), terms, percent).value_or(false);
}

uint64_t settle_by(const Charge& charge, const chain::MoneyView& view, uint64_t now) {
    uint64_t out = UINT64_MAX;
    if (charge.query != 0) {
        if (const auto* query = view.settleable_query(charge.query, now))
            out = query->deadline + chain::query_grace_s;
    } else if (const auto voucher = view.settleable_voucher(charge.voucher, now)) {
        out = voucher->expiry + chain::settle_grace_s;
    }
    for (const crypto::Address& key : charge.nodes) {
        const auto node = view.settleable(key, now);
        if (!node) continue;
        out = node->is_revoked ? 0 : std::min(out, node->expiry + chain::settle_grace_s);
        if (out == 0) break;
        const auto change = view.price_change(node->pool);
        const auto price =
            change ? price_of(change->next, charge.prompt_tokens, charge.completion_tokens)
                   : Result<Credits>(charge.amount);
        if (price && *price < charge.amount)
            out = std::min(out, change->from + chain::price_grace_s);
    }
    return out;
}

}  // namespace teetee::billing
