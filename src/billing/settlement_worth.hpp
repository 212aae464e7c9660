// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "billing/ledger.hpp"
#include "chain/money_view.hpp"

namespace teetee::billing {

/// What gas and credits are worth now, both in wei.
struct GasTerms {
    /// Of one gas in the next block, with the tip.
    chain::U256 gas_price{};
    /// The contract's WEI_PER_CREDIT.
    chain::U256 wei_per_credit{};
    bool operator==(const GasTerms&) const = default;
};

/// About what a settlement takes: 80,000, and 25,000 a node, and 22,000 for each voucher and query
/// (docs/contracts.md#gas). A voucher that this entry has claimed nothing from yet takes twice
/// that.
uint64_t settlement_gas(size_t claims, size_t nodes);
/// Of one with all of these.
uint64_t settlement_gas(std::span<const Charge> charges);

/// Whether the gas to settle these charges costs at most so many hundredths of what they come to.
/// False where one of the numbers is too large to say, or a credit is worth nothing.
bool is_worth_gas(std::span<const Charge> charges, const GasTerms& terms, uint64_t percent);

/// Until when the contract takes the charge, in Unix seconds: a day after its query's deadline, a
/// week after the end of its voucher and of its nodes' registrations, a day after lower prices came
/// or come into force, whichever is first. 0 where a node's code was revoked: an hour is left then
/// at the most, and events do not tell of which. What is not on the chain yet says nothing.
uint64_t settle_by(const Charge& charge, const chain::MoneyView& view, uint64_t now);

}  // namespace teetee::billing
