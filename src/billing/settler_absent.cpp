// SPDX-License-Identifier: Apache-2.0
// Settlements without the signatures of absent nodes; the rest of the settler is in settler.cpp.
#include <algorithm>

#include "billing/settler.hpp"

namespace teetee::billing {
namespace {

using chain::tee_tee::Batch;

/// How often it is looked whether something waits for too long.
constexpr Duration look_interval = std::chrono::minutes(1);
/// At so many at a time.
constexpr size_t look_charges = 4096;
/// A node that was absent for less may just have been started; and what an announcement needs
/// besides the notice, where the contract takes a charge for so long only.
constexpr Duration absence_least = std::chrono::minutes(10);
constexpr uint64_t haste = 2 * 3600;

bool is_signed(const chain::tee_tee::Work& work) {
    return work.r != Digest{} || work.vs != Digest{};
}

bool has_entry_signature(const Batch& batch) {
    return std::ranges::any_of(batch.work, [&](const auto& work) {
        return work.node == batch.entry_node && is_signed(work);
    });
}

/// Receipt keys of batch.work, in its order; none where one of the nodes is settled no more.
std::vector<crypto::Address> signers_of(const Batch& batch, std::span<const Charge> charges,
                                        const chain::MoneyView& view, uint64_t now) {
    std::map<uint64_t, crypto::Address> keys;
    for (const Charge& charge : charges) {
        for (const crypto::Address& key : charge.nodes) {
            if (const auto node = view.settleable(key, now)) keys[node->id] = key;
        }
    }
    std::vector<crypto::Address> out;
    for (const auto& work : batch.work) {
        const auto found = keys.find(work.node);
        if (found == keys.end()) return {};
        out.push_back(found->second);
    }
    return out;
}

}  // namespace

bool Settler::is_signed_by_all(const Batch& batch) {
    return std::ranges::all_of(batch.work, is_signed);
}

Result<void> Settler::keep_announced(SettlementRecord record) {
    TT_TRY(auto call, chain::tee_tee::SettleCall::decode(record.call));
    TT_TRY(auto charges, store_.charges_of(record.id));
    const Digest digest = chain::settlement_digest(options_.deployment, call.batch);
    announced_.push_back({.record = std::move(record),
                          .batch = std::move(call.batch),
                          .digest = digest,
                          .charges = std::move(charges)});
    return {};
}

/// The contract wants its entry's signature in any case.
Result<void> Settler::announce(uint64_t unix_now, const SignOrder& order, SettlerEffects& effects) {
    if (!has_entry_signature(order.batch)) return {};
    TT_TRY(const Bytes call, chain::tee_tee::SettleCall{order.batch}.encode());
    SettlementRecord record = {.entry_node = order.batch.entry_node,
                               .receipts_root = order.batch.receipts_root,
                               .stage = SettlementStage::announced,
                               .call = call,
                               .begun_at = static_cast<UnixSeconds>(unix_now)};
    TT_TRY(record.id, store_.begin_settlement(record, order.charges));
    effects.notes.push_back("settlement 0x" + to_hex(record.receipts_root) +
                            " is announced, to be made without those that do not sign");
    TT_CHECK(keep_announced(std::move(record)));
    submit_notice(announced_.back(), effects);
    return {};
}

std::string Settler::notice_key(const Announced& announced) const {
    return "announce-" + to_hex(announced.digest) + "-" +
           // What turned out to have been too soon may not have been announced at all.
           std::to_string(announced.record.begun_at) + "-" + std::to_string(announced.tries);
}

/// What was announced before, by whomever, is refused and does no harm.
void Settler::submit_notice(Announced& announced, SettlerEffects& effects) const {
    announced.again_at.reset();
    announced.block.reset();
    const auto call = chain::tee_tee::AnnounceSettlementCall{.digest = announced.digest}.encode();
    if (!call) return;
    effects.submits.push_back(
        {.key = notice_key(announced), .to = options_.deployment.contract, .data = *call});
}

void Settler::on_notice(Instant now, const chain::SendOutcome& outcome) {
    for (Announced& announced : announced_) {
        if (notice_key(announced) != outcome.key) continue;
        if (outcome.result)
            announced.block = outcome.result->block_number;
        else if (outcome.result.error().detail.find("AlreadyAnnounced") != std::string::npos)
            announced.is_known = true;
        else
            announced.again_at = now + options_.refused_pause;
    }
}

Result<void> Settler::watch_announced(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                                      SettlerEffects& effects) {
    for (auto it = announced_.begin(); it != announced_.end();) {
        TT_TRY(const bool is_over, watch_announced_one(now, unix_now, view, *it, effects));
        it = is_over ? announced_.erase(it) : it + 1;
    }
    return {};
}

Result<bool> Settler::watch_announced_one(Instant now, uint64_t unix_now,
                                          const chain::MoneyView& view, Announced& announced,
                                          SettlerEffects& effects) {
    SettlementRecord& record = announced.record;
    // It was tried too soon, and whoever saw it has kept it.
    TT_TRY(const bool is_over, end_if_anchored(record, view, effects));
    if (is_over) return true;
    if (announced.block && view.settled_block() >= *announced.block) announced.is_known = true;
    if (!announced.is_known) {
        if (announced.again_at && now >= *announced.again_at) {
            ++announced.tries;
            submit_notice(announced, effects);
        }
        return false;
    }
    if (static_cast<UnixSeconds>(unix_now) < record.begun_at + options_.notice) return false;
    record.stage = SettlementStage::after_notice;
    TT_CHECK(store_.update_settlement(record));
    submit(record, effects);
    sending_.push_back({record});
    return true;
}

/// The announcement got into the chain later than was thought, or its block was another one.
Result<void> Settler::wait_on(uint64_t unix_now, const Sending& sending, SettlerEffects& effects) {
    SettlementRecord record = sending.record;
    record.stage = SettlementStage::announced;
    record.begun_at = static_cast<UnixSeconds>(unix_now) - options_.notice + options_.notice_more;
    TT_CHECK(store_.update_settlement(record));
    TT_CHECK(keep_announced(std::move(record)));
    submit_notice(announced_.back(), effects);
    return {};
}

std::set<Digest> Settler::held_vouchers() const {
    std::set<Digest> out;
    for (const Announced& announced : announced_) {
        for (const auto& claim : announced.batch.spends) out.insert(claim.voucher);
    }
    return out;
}

/// Whether something is to be signed for the sake of those that do not.
Result<bool> Settler::order_absent(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                                   SettlerEffects& effects) {
    for (Announced& announced : announced_) {
        if (now < announced.ask_at) continue;
        announced.ask_at = now + options_.absence;
        SignOrder order{.batch = announced.batch,
                        .signers = signers_of(announced.batch, announced.charges, view, unix_now),
                        .charges = announced.charges,
                        .record = announced.record.id};
        if (order.signers.empty()) continue;
        for (auto& work : order.batch.work) work.r = work.vs = {};
        begin_order(now, std::move(order), effects);
        return true;
    }
    const bool has_refused = std::ranges::any_of(
        setbacks_, [](const auto& entry) { return entry.second.unsigned_since.has_value(); });
    if ((absences_.empty() && !has_refused) || now < absent_look_at_) return false;
    return order_last_call(now, unix_now, view, effects);
}

bool Settler::is_overdue(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                         const Charge& charge) const {
    Duration absent{-1};
    if (const auto found = setbacks_.find(charge.request);
        found != setbacks_.end() && found->second.unsigned_since)
        absent = now - *found->second.unsigned_since;
    for (const crypto::Address& node : charge.nodes) {
        const auto found = absences_.find(node);
        if (found != absences_.end()) absent = std::max(absent, now - found->second.since);
    }
    if (absent < Duration{}) return false;
    if (absent >= std::chrono::seconds(options_.absent_after)) return true;
    const uint64_t end = settle_by(charge, view, unix_now);
    const uint64_t need = static_cast<uint64_t>(options_.notice) + haste;
    return absent >= absence_least && end <= unix_now + need;
}

/// All that has waited too long for somebody, with everybody: whoever signs now is in.
Result<bool> Settler::order_last_call(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                                      SettlerEffects& effects) {
    TT_TRY(auto charges, store_.unsettled(look_charges, absent_passed_));
    if (charges.size() < look_charges) {
        absent_passed_.reset();
        absent_look_at_ = now + look_interval;
    } else {
        absent_passed_ = charges.back().request;
    }
    std::erase_if(charges, [&](const Charge& charge) {
        const auto setback = setbacks_.find(charge.request);
        const bool is_at_fault = setback != setbacks_.end() && !setback->second.unsigned_since;
        return is_at_fault || !is_overdue(now, unix_now, view, charge);
    });
    if (charges.empty()) return false;
    if (charges.size() > charges_max_) charges.resize(charges_max_);
    TT_TRY(const auto accounts, accounts_of(charges));
    PlanResult result = plan_settlement({.deployment = options_.deployment,
                                         .pool = options_.pool,
                                         .entry = options_.entry,
                                         .now = unix_now,
                                         .held = held_vouchers()},
                                        view, charges, accounts);
    if (!result.plan) return false;
    begin_order(now,
                {.batch = std::move(result.plan->batch),
                 .signers = std::move(result.plan->signers),
                 .charges = std::move(result.plan->charges),
                 .is_last_call = true},
                effects);
    return true;
}

/// The batch is the one that was announced, whoever signs it: there is nothing to be claimed twice.
Result<void> Settler::on_absent_signed(const SignOrder& order, SettlerEffects& effects) {
    const auto found = std::ranges::find(
        announced_, order.record, [](const Announced& announced) { return announced.record.id; });
    if (found == announced_.end()) return {};
    bool is_new = false;
    for (size_t i = 0; i < order.batch.work.size(); ++i) {
        auto& work = found->batch.work[i];
        if (is_signed(work) || !is_signed(order.batch.work[i])) continue;
        work = order.batch.work[i];
        is_new = true;
    }
    if (!is_new) return {};
    TT_TRY(found->record.call, chain::tee_tee::SettleCall{found->batch}.encode());
    const bool is_whole = is_signed_by_all(found->batch);
    if (is_whole) found->record.stage = SettlementStage::whole;
    TT_CHECK(store_.update_settlement(found->record));
    if (!is_whole) return {};
    submit(found->record, effects);
    sending_.push_back({std::move(found->record)});
    announced_.erase(found);
    return {};
}

}  // namespace teetee::billing
