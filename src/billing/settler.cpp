// SPDX-License-Identifier: Apache-2.0
#include "billing/settler.hpp"

#include <algorithm>

namespace teetee::billing {
namespace {

using chain::tee_tee::SettleCall;

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
    TT_CHECK(recheck(unix_now, view, effects));
    TT_CHECK(watch(now, unix_now, view, effects));
    TT_CHECK(watch_announced(now, unix_now, view, effects));
    if (order_ && now >= order_ends_) {
        SignReply none;
        for (const crypto::Address& signer : order_->signers)
            none.signatures.push_back({signer, fail(ErrorCode::timed_out, "no answer")});
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
    if (!setbacks_.empty()) {
        TT_TRY(const auto charges, store_.charges_of(record.id));
        for (const Charge& charge : charges) setbacks_.erase(charge.request);
    }
    // Nothing may fail behind what is done once.
    TT_CHECK(store_.end_settlement(record.id));
    ++settlements_;
    look_soon();
    effects.notes.push_back("settled 0x" + to_hex(record.receipts_root));
    // Last, for the record may be one of them.
    std::erase_if(dissolved_, [id = record.id](const auto& other) { return other.id == id; });
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
        TT_CHECK(wait_on(unix_now, sending, effects));
        return true;
    }
    // That it is in the chain already, by whomever, is a reason to refuse it too.
    if (!sending.refused_by_block) sending.refused_by_block = view.latest_block();
    if (view.settled_block() < *sending.refused_by_block) return false;
    TT_CHECK(dissolve(now, unix_now, view, sending, effects));
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

Result<void> Settler::dissolve(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                               const Sending& sending, SettlerEffects& effects) {
    const SettlementRecord& record = sending.record;
    effects.notes.push_back("settlement 0x" + to_hex(record.receipts_root) +
                            " was refused: " + sending.refusal->message());
    not_before_ = now + options_.refused_pause;
    TT_TRY(const auto charges, store_.charges_of(record.id));
    TT_CHECK(store_.dissolve_settlement(record.id));
    dissolved_.push_back(record);
    narrow(now, charges);
    begin_round();
    if (charges.size() != 1) return {};
    // Events do not tell when code was revoked. What is refused twice, with an hour between, was
    // for longer than the contract takes it.
    const Charge& charge = charges[0];
    if (setbacks_[charge.request].count < 2 || settle_by(charge, view, unix_now) != 0) return {};
    // Where it fails it is refused a third time.
    static_cast<void>(leave_out(
        std::vector<LeftOut>{
            {charge.request, fail(ErrorCode::settlement_rejected, "a node's code was revoked")}},
        effects));
    return {};
}

/// What was settled is another chain's perhaps.
Result<void> Settler::recheck(uint64_t unix_now, const chain::MoneyView& view,
                              SettlerEffects& effects) {
    if (restarts_ == view.restarts()) return {};
    TT_TRY(const auto records,
           store_.settled_settlements(static_cast<UnixSeconds>(unix_now) - options_.recheck));
    for (const SettlementRecord& known : records) {
        if (view.anchor(known.entry_node, known.receipts_root) != nullptr) continue;
        TT_TRY(auto record, store_.reopen_settlement(known.id));
        TT_TRY(const auto call, SettleCall::decode(record.call));
        const bool is_whole = is_signed_by_all(call.batch);
        if (!is_whole) record.stage = SettlementStage::after_notice;
        effects.notes.push_back("settlement 0x" + to_hex(record.receipts_root) +
                                " is not in the chain any more");
        submit(record, effects);
        sending_.push_back({std::move(record)});
        if (!is_whole) TT_CHECK(store_.update_settlement(sending_.back().record));
    }
    if (!sending_.empty()) order_.reset();
    restarts_ = view.restarts();
    return {};
}

void Settler::begin_order(Instant now, SignOrder order, SettlerEffects& effects) {
    order.number = next_order_++;
    order_ = std::move(order);
    order_ends_ = now + options_.sign_time_max;
    effects.order = order_;
}

Result<void> Settler::on_signed(Instant now, uint64_t unix_now, uint64_t number,
                                const SignReply& reply, SettlerEffects& effects) {
    if (!order_ || order_->number != number) return {};
    SignOrder order = std::move(*order_);
    order_.reset();
    if (!reply.unreadable.empty()) {
        begin_round();
        for (const RequestId& request : reply.unreadable) {
            set_back(now, request);
            effects.notes.push_back("not settled yet: " + to_hex(request.bytes) +
                                    ": its receipt cannot be read");
        }
        return {};
    }
    const Taken taken = take_signatures(now, order, reply.signatures, effects);
    if (order.record != 0) return on_absent_signed(order, effects);
    if (taken.is_whole) return send(unix_now, order, effects);
    if (order.is_last_call) return announce(unix_now, order, effects);
    // What the others worked on is planned at once.
    begin_round();
    if (!taken.is_rejected) return {};
    narrow(now, order.charges);
    if (order.charges.size() > 1) return {};
    Setback& setback = setbacks_[order.charges[0].request];
    if (!setback.unsigned_since) setback.unsigned_since = now;
    return {};
}

void Settler::note_absence(Instant now, const crypto::Address& signer, const std::string& why,
                           SettlerEffects& effects) {
    Absence& absence = absences_.try_emplace(signer, Absence{.since = now}).first->second;
    absence.pause = std::clamp(2 * absence.pause, options_.absence_min, options_.absence);
    absence.until = now + absence.pause;
    effects.notes.push_back("node 0x" + to_hex(signer) + " does not sign the settlement: " + why);
}

/// Into the batch.
Settler::Taken Settler::take_signatures(Instant now, SignOrder& order,
                                        const std::vector<NodeSignature>& signatures,
                                        SettlerEffects& effects) {
    const Digest digest = chain::settlement_digest(options_.deployment, order.batch);
    Taken out;
    for (size_t i = 0; i < order.signers.size(); ++i) {
        const crypto::Address& signer = order.signers[i];
        const auto found = std::find_if(signatures.begin(), signatures.end(),
                                        [&](const auto& one) { return one.signer == signer; });
        const bool has = found != signatures.end() && found->signature;
        const auto recovered =
            has ? crypto::recover_address(digest, *found->signature)
                : Result<crypto::Address>(fail(ErrorCode::signature_invalid, "none"));
        if (recovered && *recovered == signer) {
            absences_.erase(signer);
            const auto compact = chain::to_compact(*found->signature);
            order.batch.work[i].r = compact.r;
            order.batch.work[i].vs = compact.vs;
            continue;
        }
        out.is_whole = false;
        const bool is_refusal = !has && found != signatures.end() &&
                                found->signature.error().code == ErrorCode::settlement_rejected;
        out.is_rejected = out.is_rejected || is_refusal;
        // Who finds one of many wrong would sign the others.
        if (is_refusal && order.charges.size() > 1 && !order.is_last_call && order.record == 0)
            continue;
        note_absence(now, signer,
                     has || found == signatures.end() ? "no signature of its own"
                                                      : found->signature.error().message(),
                     effects);
    }
    return out;
}

Result<void> Settler::send(uint64_t unix_now, const SignOrder& order, SettlerEffects& effects) {
    TT_TRY(const Bytes call, SettleCall{order.batch}.encode());
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
