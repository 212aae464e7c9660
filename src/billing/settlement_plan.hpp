// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>

#include "billing/ledger.hpp"
#include "chain/money_view.hpp"

namespace teetee::billing {

/// Of Limits.sol, and receipts of one settlement.
inline constexpr size_t settlement_claims_max = 256;
inline constexpr size_t settlement_nodes_max = 128;
inline constexpr size_t settlement_charges_max = 1024;

/// Under a settlement's root; merkle_leaf("teetee receipt v1", receipt).
Digest receipt_leaf(const Digest& receipt);

struct SettlementPlan {
    /// Without the signatures of its nodes.
    chain::tee_tee::Batch batch{};
    /// What it settles, in the order of the leaves under receipts_root.
    std::vector<Charge> charges{};
    /// Receipt keys of batch.work, in its order.
    std::vector<crypto::Address> signers{};
};

/// Why a charge is in no plan.
struct LeftOut {
    RequestId request{};
    /// Errors: limit_exceeded (the plan is full), not_ready (may pass: a node or voucher is not
    /// settled on the chain, or nothing is left to claim), settlement_rejected (it is too late).
    Error why;
};

struct PlanResult {
    std::optional<SettlementPlan> plan{};
    std::vector<LeftOut> left_out{};
};

struct PlanInput {
    chain::Deployment deployment{};
    uint64_t pool = 0;
    /// Receipt key of the entry.
    crypto::Address entry{};
    uint64_t now = 0;
    /// Receipt keys of nodes whose work is left out: they do not sign, or are revoked.
    std::set<crypto::Address> without{};
    /// Vouchers that an announced settlement claims from. What it will add to their claims is what
    /// it was signed for as long as nothing else is claimed from them meanwhile.
    std::set<Digest> held{};
};

/// As many of the charges as go into one settlement, in their order. `accounts` are those of the
/// charges' vouchers. Claims are cumulative: they go on from what the entry has claimed, where that
/// is settled, to at most what was charged to the voucher and signed for. No charge may be in a
/// settlement whose anchor `view` has settled: those MUST have been told to the ledger before.
PlanResult plan_settlement(const PlanInput& input, const chain::MoneyView& view,
                           std::span<const Charge> charges, std::span<const SpendAccount> accounts);

}  // namespace teetee::billing
