// SPDX-License-Identifier: Apache-2.0
#include "billing/settler.hpp"

#include <algorithm>

namespace teetee::billing {
namespace {

constexpr size_t told_max = 10'000;

}  // namespace

std::string Settler::key_of(const SettlementRecord& record) const {
    // Charges that were refused and are planned anew have the root of before, and other claims.
    return "settle-" + to_hex(options_.entry) + "-" + to_hex(record.receipts_root) + "-" +
           std::to_string(record.id) + "-" + std::to_string(record.attempt) +
           // What came too soon was not sent, and is not the same as what is sent later.
           (record.stage == SettlementStage::after_notice ? "-" + std::to_string(record.begun_at)
                                                          : "");
}

void Settler::submit(const SettlementRecord& record, SettlerEffects& effects) const {
    effects.submits.push_back(
        {.key = key_of(record), .to = options_.deployment.contract, .data = record.call});
}

Result<void> Settler::start(SettlerEffects& effects) {
    TT_TRY(auto records, store_.open_settlements());
    for (SettlementRecord& record : records) {
        if (record.stage == SettlementStage::announced) {
            TT_CHECK(keep_announced(std::move(record)));
            submit_notice(announced_.back(), effects);
            continue;
        }
        submit(record, effects);
        sending_.push_back({std::move(record)});
    }
    TT_TRY(dissolved_, store_.dissolved_settlements());
    return {};
}

Result<void> Settler::on_time(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                              SettlerEffects& effects) {
    TT_CHECK(watch(now, unix_now, view, effects));
    TT_CHECK(watch_announced(now, unix_now, view, effects));
    if (order_ && now >= order_ends_) {
        std::vector<NodeSignature> none;
        for (const crypto::Address& signer : order_->signers)
            none.push_back({signer, fail(ErrorCode::timed_out, "no answer")});
        TT_CHECK(on_signed(now, unix_now, order_->number, none, effects));
    }
    if (!is_idle() || now < not_before_) return {};
    TT_TRY(const bool has_order, order_absent(now, unix_now, view, effects));
    if (has_order) return {};
    return plan(now, unix_now, view, effects);
}

Result<void> Settler::watch(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                            SettlerEffects& effects) {
    for (auto it = sending_.begin(); it != sending_.end();) {
        TT_TRY(const bool is_over, watch_one(now, unix_now, view, *it, effects));
        it = is_over ? sending_.erase(it) : it + 1;
    }
    return watch_dissolved(view, effects);
}

Result<bool> Settler::end_if_anchored(const SettlementRecord& record, const chain::MoneyView& view,
                                      SettlerEffects& effects) {
    if (view.anchor(record.entry_node, record.receipts_root) == nullptr) return false;
    TT_CHECK(store_.end_settlement(record.id));
    ++settlements_;
    effects.notes.push_back("settled 0x" + to_hex(record.receipts_root));
    // Last, for the record may be one of them.
    TT_TRY(dissolved_, store_.dissolved_settlements());
    return true;
}

/// Somebody had its call, and the contract took it.
Result<void> Settler::watch_dissolved(const chain::MoneyView& view, SettlerEffects& effects) {
    for (;;) {
        const auto found = std::ranges::find_if(dissolved_, [&](const SettlementRecord& record) {
            return view.anchor(record.entry_node, record.receipts_root) != nullptr;
        });
        if (found == dissolved_.end()) return {};
        TT_CHECK(end_if_anchored(*found, view, effects));
        // What is being signed may have the same charges.
        order_.reset();
    }
}

/// A settlement is over when the contract has its anchor, and that is settled.
Result<bool> Settler::watch_one(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                                Sending& sending, SettlerEffects& effects) {
    const SettlementRecord& record = sending.record;
    TT_TRY(const bool is_over, end_if_anchored(record, view, effects));
    if (is_over) {
        charges_max_ = std::min(2 * charges_max_, settlement_charges_max);
        return true;
    }
    // The sender saw it in a block that is settled now, and yet it is not there: the block was
    // another one.
    if (sending.block && view.settled_block() >= *sending.block)
        TT_CHECK(send_again(sending, effects));
    if (!sending.refusal) return false;
    const bool is_too_soon = sending.refusal->code == ErrorCode::call_reverted &&
                             sending.refusal->detail.find("AbsentTooSoon") != std::string::npos;
    if (record.stage == SettlementStage::after_notice && is_too_soon) {
        TT_CHECK(wait_on(unix_now, sending));
        return true;
    }
    // That it is in the chain already, by whomever, is a reason to refuse it too.
    if (!sending.refused_by_block) sending.refused_by_block = view.latest_block();
    if (view.settled_block() < *sending.refused_by_block) return false;
    TT_CHECK(dissolve(now, sending, effects));
    return true;
}

/// At most one of all attempts counts, for the contract takes a root once of an entry.
Result<void> Settler::send_again(Sending& sending, SettlerEffects& effects) {
    sending.block.reset();
    sending.refusal.reset();
    ++sending.record.attempt;
    TT_CHECK(store_.update_settlement(sending.record));
    submit(sending.record, effects);
    return {};
}

Result<void> Settler::dissolve(Instant now, const Sending& sending, SettlerEffects& effects) {
    const SettlementRecord& record = sending.record;
    effects.notes.push_back("settlement 0x" + to_hex(record.receipts_root) +
                            " was refused: " + sending.refusal->message());
    not_before_ = now + options_.refused_pause;
    TT_TRY(const auto charges, store_.charges_of(record.id));
    TT_CHECK(store_.dissolve_settlement(record.id));
    TT_TRY(dissolved_, store_.dissolved_settlements());
    charges_max_ = std::max<size_t>(charges.size() / 2, 1);
    if (charges.size() == 1) aside_until_[charges[0].request] = now + options_.aside;
    return {};
}

bool Settler::is_due(uint64_t unix_now, const chain::MoneyView& view,
                     std::span<const Charge> charges) const {
    const auto is_urgent = [&](const Charge& charge) {
        const uint64_t end = settle_by(charge, view, unix_now);
        return end <= unix_now + static_cast<uint64_t>(options_.urgency);
    };
    if (is_hurried_ || std::ranges::any_of(charges, is_urgent)) return true;
    const auto now = static_cast<UnixSeconds>(unix_now);
    if (now < static_cast<UnixSeconds>(planned_at_) + options_.interval) return false;
    Credits worth = 0;
    for (const Charge& charge : charges) {
        if (now - charge.charged_at >= options_.age_max) return true;
        worth += std::min(charge.amount, UINT64_MAX - worth);
    }
    if (worth < options_.worth_min) return false;
    if (options_.gas_percent == 0) return true;
    return gas_ && is_worth_gas(charges, *gas_, options_.gas_percent);
}

Result<std::vector<Charge>> Settler::charges_to_plan(Instant now) {
    std::erase_if(aside_until_, [&](const auto& entry) { return now >= entry.second; });
    TT_TRY(auto charges, store_.unsettled(charges_max_ + aside_until_.size()));
    std::erase_if(charges,
                  [&](const Charge& charge) { return aside_until_.contains(charge.request); });
    if (charges.size() > charges_max_) charges.resize(charges_max_);
    return charges;
}

/// So that those behind it get their turn: for as long as what it waits for is not asked again.
void Settler::set_aside(Instant now, const Charge& charge) {
    Instant until{};
    for (const crypto::Address& node : charge.nodes) {
        const auto found = absences_.find(node);
        if (found != absences_.end()) until = std::max(until, found->second.until);
    }
    aside_until_[charge.request] = until > now ? until : now + options_.absence;
}

void Settler::note_left_out(const LeftOut& left_out, SettlerEffects& effects) {
    const bool is_over = left_out.why.code == ErrorCode::settlement_rejected;
    if (told_.size() >= told_max) told_.clear();
    if (!is_over && !told_.insert(left_out.request).second) return;
    effects.notes.push_back(std::string(is_over ? "given up: " : "not settled yet: ") +
                            to_hex(left_out.request.bytes) + ": " + left_out.why.detail);
}

Result<void> Settler::plan(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                           SettlerEffects& effects) {
    TT_TRY(const auto charges, charges_to_plan(now));
    if (charges.empty()) is_hurried_ = false;
    if (charges.empty() || !is_due(unix_now, view, charges)) return {};
    is_hurried_ = false;
    planned_at_ = unix_now;
    PlanInput input = {.deployment = options_.deployment,
                       .pool = options_.pool,
                       .entry = options_.entry,
                       .now = unix_now};
    for (const auto& [signer, absence] : absences_) {
        if (now < absence.until) input.without.insert(signer);
    }
    input.held = held_vouchers();
    TT_TRY(const auto accounts, store_.accounts());
    PlanResult result = plan_settlement(input, view, charges, accounts);
    for (const LeftOut& left_out : result.left_out) {
        if (left_out.why.code == ErrorCode::settlement_rejected)
            TT_CHECK(store_.give_up(left_out.request));
        if (left_out.why.code == ErrorCode::not_ready)
            set_aside(now, *std::ranges::find(charges, left_out.request, &Charge::request));
        if (left_out.why.code != ErrorCode::limit_exceeded) note_left_out(left_out, effects);
    }
    if (!result.plan) return {};
    begin_order(now,
                {.batch = std::move(result.plan->batch),
                 .signers = std::move(result.plan->signers),
                 .charges = std::move(result.plan->charges)},
                effects);
    return {};
}

void Settler::begin_order(Instant now, SignOrder order, SettlerEffects& effects) {
    order.number = next_order_++;
    order_ = std::move(order);
    order_ends_ = now + options_.sign_time_max;
    effects.order = order_;
}

Result<void> Settler::on_signed(Instant now, uint64_t unix_now, uint64_t number,
                                const std::vector<NodeSignature>& signatures,
                                SettlerEffects& effects) {
    if (!order_ || order_->number != number) return {};
    SignOrder order = std::move(*order_);
    order_.reset();
    const bool is_whole = take_signatures(now, order, signatures, effects);
    if (order.record != 0) return on_absent_signed(order, effects);
    if (is_whole) return send(unix_now, order, effects);
    if (order.is_last_call) return announce(unix_now, order, effects);
    // What the others worked on is planned at once.
    planned_at_ = 0;
    return {};
}

/// Into the batch; false where one lacks.
bool Settler::take_signatures(Instant now, SignOrder& order,
                              const std::vector<NodeSignature>& signatures,
                              SettlerEffects& effects) {
    const Digest digest = chain::settlement_digest(options_.deployment, order.batch);
    bool is_whole = true;
    for (size_t i = 0; i < order.signers.size(); ++i) {
        const crypto::Address& signer = order.signers[i];
        const auto found = std::find_if(signatures.begin(), signatures.end(),
                                        [&](const auto& one) { return one.signer == signer; });
        const bool has = found != signatures.end() && found->signature;
        const auto recovered =
            has ? crypto::recover_address(digest, *found->signature)
                : Result<crypto::Address>(fail(ErrorCode::signature_invalid, "none"));
        if (!recovered || *recovered != signer) {
            is_whole = false;
            Absence& absence = absences_.try_emplace(signer, Absence{.since = now}).first->second;
            absence.pause = std::clamp(2 * absence.pause, options_.absence_min, options_.absence);
            absence.until = now + absence.pause;
            effects.notes.push_back("node 0x" + to_hex(signer) + " does not sign the settlement: " +
                                    (has || found == signatures.end()
                                         ? "no signature of its own"
                                         : found->signature.error().message()));
            continue;
        }
        absences_.erase(signer);
        const auto compact = chain::to_compact(*found->signature);
        order.batch.work[i].r = compact.r;
        order.batch.work[i].vs = compact.vs;
    }
    return is_whole;
}

Result<void> Settler::send(uint64_t unix_now, const SignOrder& order, SettlerEffects& effects) {
    TT_TRY(const Bytes call, chain::tee_tee::SettleCall{order.batch}.encode());
    SettlementRecord record = {.entry_node = order.batch.entry_node,
                               .receipts_root = order.batch.receipts_root,
                               .call = call,
                               .begun_at = static_cast<UnixSeconds>(unix_now)};
    TT_TRY(record.id, store_.begin_settlement(record, order.charges));
    submit(record, effects);
    sending_.push_back({std::move(record)});
    return {};
}

void Settler::on_outcome(Instant now, const chain::SendOutcome& outcome) {
    const auto found = std::find_if(sending_.begin(), sending_.end(), [&](const Sending& one) {
        return key_of(one.record) == outcome.key;
    });
    if (found == sending_.end()) return on_notice(now, outcome);
    if (outcome.result) {
        found->block = outcome.result->block_number;
        return;
    }
    found->refusal = outcome.result.error();
    found->refused_by_block.reset();
}

}  // namespace teetee::billing
