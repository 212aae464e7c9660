// SPDX-License-Identifier: Apache-2.0
// Which charges are settled next, and when; the rest of the settler is in settler.cpp.
#include <algorithm>

#include "billing/settler.hpp"

namespace teetee::billing {
namespace {

constexpr size_t told_max = 10'000;
/// Of 1,024 charges each.
constexpr int steps_max = 8;

}  // namespace

bool Settler::is_due(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                     std::span<const Charge> charges, bool begins) const {
    const auto is_urgent = [&](const Charge& charge) {
        const uint64_t end = settle_by(charge, view, unix_now);
        return end <= unix_now + static_cast<uint64_t>(options_.urgency);
    };
    if (is_hurried_ || std::ranges::any_of(charges, is_urgent)) return true;
    const auto time = static_cast<UnixSeconds>(unix_now);
    const bool is_over = time >= static_cast<UnixSeconds>(round_at_) + options_.interval;
    const bool is_retry = retry_at_ && now >= *retry_at_;
    if (begins && !is_over && !is_retry) return false;
    // They were worth it together, before they were taken apart.
    if (!begins && charges_max_ < settlement_charges_max) return true;
    Credits worth = 0;
    for (const Charge& charge : charges) {
        if (time - charge.charged_at >= options_.age_max) return true;
        worth += std::min(charge.amount, UINT64_MAX - worth);
    }
    if (worth < options_.worth_min) return false;
    if (options_.gas_percent == 0) return true;
    return gas_ && is_worth_gas(charges, *gas_, options_.gas_percent);
}

bool Settler::is_aside(Instant now, const Charge& charge) const {
    const auto found = setbacks_.find(charge.request);
    return found != setbacks_.end() && now < found->second.until;
}

Settler::Setback& Settler::set_back(Instant now, const RequestId& request) {
    Setback& setback = setbacks_[request];
    setback.pause = std::clamp(2 * setback.pause, options_.aside, options_.aside_max);
    setback.until = now + setback.pause;
    ++setback.count;
    return setback;
}

void Settler::narrow(Instant now, std::span<const Charge> charges) {
    charges_max_ = std::max<size_t>(charges.size() / 2, 1);
    if (charges.size() == 1) set_back(now, charges[0].request);
}

void Settler::begin_round() {
    passed_.reset();
    has_waiting_ = false;
    round_at_ = 0;
    look_soon();
}

/// Nodes that were absent for a moment are not waited for until the next settlement is due.
void Settler::end_round(Instant now) {
    const Duration most = std::max(options_.absence, options_.absence_min);
    retry_pause_ =
        has_waiting_ ? std::clamp(2 * retry_pause_, options_.absence_min, most) : Duration{};
    retry_at_ = has_waiting_ ? std::optional(now + retry_pause_) : std::nullopt;
    has_waiting_ = false;
    look_later(now);
}

void Settler::look_later(Instant now) {
    const auto look_at =
        now + std::chrono::seconds(std::min(options_.interval, options_.look_interval));
    look_at_ = retry_at_ ? std::min(*retry_at_, look_at) : look_at;
}

Result<std::vector<SpendAccount>> Settler::accounts_of(std::span<const Charge> charges) {
    std::set<Digest> vouchers;
    for (const Charge& charge : charges) {
        if (charge.query == 0) vouchers.insert(charge.voucher);
    }
    std::vector<SpendAccount> out;
    for (const Digest& voucher : vouchers) {
        TT_TRY(auto account, store_.account(voucher));
        if (account) out.push_back(std::move(*account));
    }
    return out;
}

void Settler::note_left_out(const LeftOut& left_out, SettlerEffects& effects) {
    const bool is_over = left_out.why.code == ErrorCode::settlement_rejected;
    if (told_.size() >= told_max) told_.clear();
    if (!is_over && !told_.insert(left_out.request).second) return;
    effects.notes.push_back(std::string(is_over ? "given up: " : "not settled yet: ") +
                            to_hex(left_out.request.bytes) + ": " + left_out.why.detail);
}

Result<void> Settler::leave_out(std::span<const LeftOut> left_out, SettlerEffects& effects) {
    for (const LeftOut& one : left_out) {
        if (one.why.code != ErrorCode::limit_exceeded) note_left_out(one, effects);
        if (one.why.code != ErrorCode::settlement_rejected) {
            has_waiting_ = true;
            continue;
        }
        TT_CHECK(store_.give_up(one.request));
        setbacks_.erase(one.request);
    }
    return {};
}

/// Those that have their turn now, in the order of the ledger but for those that failed alone: they
/// come behind those that were not tried. Empty at the end of a round.
Result<std::vector<Charge>> Settler::next_charges(Instant now, bool begins) {
    for (;;) {
        TT_TRY(auto charges, store_.unsettled(settlement_charges_max, passed_));
        // What came since is of the next round.
        if (!begins) {
            std::erase_if(charges, [&](const Charge& charge) {
                return charge.charged_at > static_cast<UnixSeconds>(round_at_);
            });
        }
        if (charges.empty()) return charges;
        const RequestId last = charges.back().request;
        std::erase_if(charges, [&](const Charge& charge) { return is_aside(now, charge); });
        if (!charges.empty()) return charges;
        passed_ = last;
    }
}

Result<void> Settler::plan(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                           SettlerEffects& effects) {
    // The rest of a long round is for later, lest it hold up what else this thread has to do.
    for (int step = 0; step < steps_max && now >= look_at_ && !order_; ++step) {
        TT_TRY(const bool goes_on, plan_step(now, unix_now, view, effects));
        if (!goes_on) break;
    }
    return {};
}

/// False at the end of a round.
Result<bool> Settler::plan_step(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                                SettlerEffects& effects) {
    const bool begins = !passed_;
    TT_TRY(const auto waiting, next_charges(now, begins));
    if (waiting.empty()) is_hurried_ = false;
    if (waiting.empty() || !is_due(now, unix_now, view, waiting, begins)) {
        passed_.reset();
        begins ? look_later(now) : end_round(now);
        return false;
    }
    if (begins) round_at_ = unix_now;
    std::vector<Charge> charges;
    size_t furthest = 0;
    for (const bool is_tried : {false, true}) {
        for (size_t i = 0; i < waiting.size() && charges.size() < charges_max_; ++i) {
            if (setbacks_.contains(waiting[i].request) != is_tried) continue;
            charges.push_back(waiting[i]);
            furthest = std::max(furthest, i);
        }
    }
    passed_ = waiting[furthest].request;

    PlanInput input = {.deployment = options_.deployment,
                       .pool = options_.pool,
                       .entry = options_.entry,
                       .now = unix_now};
    for (const auto& [signer, absence] : absences_) {
        if (now < absence.until) input.without.insert(signer);
    }
    input.held = held_vouchers();
    TT_TRY(const auto accounts, accounts_of(charges));
    PlanResult result = plan_settlement(input, view, charges, accounts);
    TT_CHECK(leave_out(result.left_out, effects));
    if (!result.plan) return true;
    begin_order(now,
                {.batch = std::move(result.plan->batch),
                 .signers = std::move(result.plan->signers),
                 .charges = std::move(result.plan->charges)},
                effects);
    return true;
}

}  // namespace teetee::billing
