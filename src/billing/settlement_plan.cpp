// SPDX-License-Identifier: Apache-2.0
#include "billing/settlement_plan.hpp"

#include <algorithm>
#include <map>

#include "base/assert.hpp"
#include "crypto/merkle.hpp"

namespace teetee::billing {
namespace {

using chain::tee_tee::Batch;

class Planner {
  public:
    Planner(const PlanInput& input, const chain::MoneyView& view,
            std::span<const SpendAccount> accounts)
        : input_(input), view_(view) {
        for (const SpendAccount& account : accounts)
            accounts_.emplace(account.signed_spend.voucher, &account);
        if (const auto entry = view.settleable(input.entry, input.now)) entry_node_ = entry->id;
    }

    PlanResult run(std::span<const Charge> charges) {
        for (const Charge& charge : charges) {
            if (plan_.charges.size() == settlement_charges_max) break;
            if (auto added = add(charge); !added)
                out_.left_out.push_back({charge.request, std::move(added).error()});
        }
        if (!plan_.charges.empty()) out_.plan = finished();
        return std::move(out_);
    }

  private:
    struct Claim {
        Credits before = 0;
        Credits added = 0;
        Credits most = 0;
    };

    Result<void> add(const Charge& charge) {
        if (view_.is_node_over(input_.entry, input_.now))
            return fail(ErrorCode::settlement_rejected,
                        "the time of this entry to be settled is over");
        if (entry_node_ == 0)
            return fail(ErrorCode::not_ready, "this entry is not registered, or no longer");
        TT_TRY(const auto nodes, nodes_of(charge));
        TT_CHECK(ensure_within_price(charge));
        const bool is_new = charge.query != 0 || !claims_.contains(charge.voucher);
        Credits total = 0;
        if (__builtin_add_overflow(total_, charge.amount, &total))
            return fail(ErrorCode::limit_exceeded, "the settlement is full");
        if (is_new && claims_.size() + plan_.batch.queries.size() == settlement_claims_max)
            return fail(ErrorCode::limit_exceeded, "the settlement is full");
        if (charge.query != 0) {
            TT_CHECK(add_query(charge));
        } else {
            TT_CHECK(add_spend(charge));
        }
        for (const auto& [id, key] : nodes) {
            work_[id] += charge.tokens();
            keys_[id] = key;
        }
        plan_.batch.prompt_tokens += charge.prompt_tokens;
        plan_.batch.completion_tokens += charge.completion_tokens;
        total_ = total;
        plan_.charges.push_back(charge);
        return {};
    }

    /// One of each slot, in its order.
    Result<std::map<uint64_t, crypto::Address>> nodes_of(const Charge& charge) const {
        const size_t slots = view_.slot_count(input_.pool);
        if (charge.nodes.size() != slots) {
            return fail(ErrorCode::settlement_rejected,
                        "have " + std::to_string(charge.nodes.size()) + " nodes, the pool has " +
                            std::to_string(slots) + " slots");
        }
        std::map<uint64_t, crypto::Address> out;
        size_t added = 0;
        for (size_t slot = 0; slot < slots; ++slot) {
            if (input_.without.contains(charge.nodes[slot]))
                return fail(ErrorCode::not_ready,
                            "node 0x" + to_hex(charge.nodes[slot]) + " does not sign");
            const auto node = view_.settleable(charge.nodes[slot], input_.now);
            if (view_.is_node_over(charge.nodes[slot], input_.now))
                return fail(
                    ErrorCode::settlement_rejected,
                    "the time of node 0x" + to_hex(charge.nodes[slot]) + " to be settled is over");
            if (!node || node->pool != input_.pool || node->slot != slot) {
                return fail(ErrorCode::not_ready, "node 0x" + to_hex(charge.nodes[slot]) +
                                                      " is not registered for slot " +
                                                      std::to_string(slot) + ", or no longer");
            }
            if (!work_.contains(node->id)) ++added;
            out[node->id] = charge.nodes[slot];
        }
        if (work_.size() + added > settlement_nodes_max)
            return fail(ErrorCode::limit_exceeded, "the settlement is full");
        return out;
    }

    Result<void> ensure_within_price(const Charge& charge) const {
        const auto most = view_.highest_prices(input_.pool, input_.now);
        const auto price = most ? price_of(*most, charge.prompt_tokens, charge.completion_tokens)
                                : Result<Credits>(Credits{0});
        if (price && *price < charge.amount) {
            return fail(ErrorCode::settlement_rejected,
                        "it was charged at prices that are no longer settled");
        }
        return {};
    }

    Result<void> add_query(const Charge& charge) {
        const auto* query = view_.settleable_query(charge.query, input_.now);
        if (!view_.has_query(charge.query))
            return fail(ErrorCode::not_ready, "the query's payment is not settled");
        if (!view_.is_query_settled(charge.query))
            return fail(ErrorCode::not_ready, "the query's end is not settled");
        if (query == nullptr || query->entry != input_.entry || query->locked < charge.amount)
            return fail(ErrorCode::settlement_rejected, "the query has ended");
        plan_.batch.queries.push_back({.query = charge.query, .amount = charge.amount});
        return {};
    }

    Result<void> add_spend(const Charge& charge) {
        auto found = claims_.find(charge.voucher);
        if (found == claims_.end()) {
            TT_TRY(const Claim claim, claim_of(charge.voucher));
            found = claims_.emplace(charge.voucher, claim).first;
        }
        Claim& claim = found->second;
        if (charge.amount > claim.most - claim.added) {
            if (claim.added == 0) claims_.erase(found);
            return fail(ErrorCode::not_ready,
                        "the voucher has not that much left, it was not signed for, or as much as "
                        "was charged to it is claimed already");
        }
        claim.added += charge.amount;
        return {};
    }

    Result<Claim> claim_of(const Digest& id) const {
        if (input_.held.contains(id))
            return fail(ErrorCode::not_ready, "the voucher is in a settlement that was announced");
        if (!view_.has_voucher(id))
            return fail(ErrorCode::not_ready, "the voucher's opening is not settled");
        const auto account = accounts_.find(id);
        const auto voucher = view_.settleable_voucher(id, input_.now);
        if (account == accounts_.end() || !voucher || voucher->pool != input_.pool)
            return fail(ErrorCode::settlement_rejected, "the voucher has ended");
        const auto claimed = view_.claimed(id, input_.entry);
        if (!claimed)
            return fail(ErrorCode::not_ready, "another claim of the voucher is not settled");
        Claim out = {.before = claimed->to_u64().value_or(UINT64_MAX)};
        const Credits remaining = voucher->remaining.to_u64().value_or(UINT64_MAX);
        // Sessions sign for more than they are charged.
        const Credits owed =
            std::min(account->second->signed_spend.amount, account->second->charged);
        out.most = std::min(remaining, owed - std::min(owed, out.before));
        return out;
    }

    SettlementPlan finished() {
        Batch& batch = plan_.batch;
        batch.pool = input_.pool;
        batch.entry_node = entry_node_;
        batch.total = total_;
        for (const auto& [id, claim] : claims_) {
            const SignedSpend& spend = accounts_.at(id)->signed_spend;
            // Whatever becomes of settlements, and whoever sends them: no claim that this entry
            // signs is higher than what it has charged.
            TT_ASSERT(claim.added <= UINT64_MAX - claim.before &&
                      claim.before + claim.added <= accounts_.at(id)->charged);
            const auto signature = chain::to_compact(spend.signature);
            batch.spends.push_back({.voucher = id,
                                    .amount = claim.before + claim.added,
                                    .signed_ = spend.amount,
                                    .r = signature.r,
                                    .vs = signature.vs});
        }
        for (const auto& [id, tokens] : work_) {
            batch.work.push_back({.node = id, .tokens = tokens});
            plan_.signers.push_back(keys_.at(id));
        }
        std::vector<Digest> leaves;
        for (const Charge& charge : plan_.charges) leaves.push_back(receipt_leaf(charge.receipt));
        batch.receipts_root = crypto::merkle_root(leaves);
        return std::move(plan_);
    }

    const PlanInput& input_;
    const chain::MoneyView& view_;
    std::map<Digest, const SpendAccount*> accounts_;
    uint64_t entry_node_ = 0;
    SettlementPlan plan_;
    PlanResult out_;
    Credits total_ = 0;
    std::map<Digest, Claim> claims_;
    std::map<uint64_t, uint64_t> work_;
    std::map<uint64_t, crypto::Address> keys_;
};

}  // namespace

Digest receipt_leaf(const Digest& receipt) {
    return crypto::merkle_leaf("teetee receipt v1", {receipt});
}

PlanResult plan_settlement(const PlanInput& input, const chain::MoneyView& view,
                           std::span<const Charge> charges,
                           std::span<const SpendAccount> accounts) {
    return Planner(input, view, accounts).run(charges);
}

}  // namespace teetee::billing
