// SPDX-License-Identifier: Apache-2.0
#include "chain/sender.hpp"

#include <algorithm>
#include <utility>

#include "chain/limits.hpp"
#include "chain/rpc_calls.hpp"

namespace teetee::chain {
namespace {

/// Before a transaction is given up.
constexpr unsigned lost_looks_min = 3;

using Kind = RpcPanel::Question::Kind;
using Rule = RpcPanel::Question::Rule;

RpcPanel::Options without_finalized(RpcPanel::Options options) {
    options.use_finalized = false;
    return options;
}

// Endpoints say it in many ways of what they were sent before.
bool is_known_already(const Error& error) {
    for (const std::string_view words : {"already known", "known transaction", "already imported"})
        if (error.detail.find(words) != std::string::npos) return true;
    return false;
}

Result<Inclusion> inclusion_of(const Receipt& receipt) {
    Inclusion out{.transaction_hash = receipt.transaction_hash,
                  .block_number = receipt.block_number,
                  .block_hash = receipt.block_hash,
                  .gas_used = receipt.gas_used};
    TT_TRY(const U256 gas_cost, receipt.effective_gas_price.times(receipt.gas_used));
    TT_TRY(out.cost, gas_cost.plus(receipt.data_fee));
    return out;
}

Fees fees_of(const SentEntry& entry) {
    const Transaction& last = entry.attempts.back().transaction;
    return {.max_fee = last.max_fee_per_gas, .max_tip = last.max_priority_fee_per_gas};
}

}  // namespace

Sender::Sender(const SenderOptions& options, const crypto::SecpKey& key)
    : options_(options), key_(key), panel_(without_finalized(options.panel)) {
    options_.confirmations = std::max<uint64_t>(1, options.confirmations);
}

Result<void> Sender::restore(ByteView saved) {
    TT_ASSERT(!started_);
    TT_TRY(state_, decode_sender_state(saved, key_.address(), options_.panel.chain_id));
    return {};
}

void Sender::start(Instant now, SenderEffects& effects) {
    started_ = true;
    begin_poll(now, effects);
}

Result<void> Sender::submit(Instant now, SendIntent intent, SenderEffects& effects) {
    const auto differs = [&](const Digest& known) -> Result<void> {
        if (known == digest_of(intent)) return {};
        return fail(ErrorCode::invalid_argument,
                    "intent " + quote_foreign(intent.key) + ": the key is another intent's");
    };
    for (const SenderState::Finished& finished : state_.finished) {
        if (finished.outcome.key != intent.key) continue;
        TT_CHECK(differs(finished.intent_digest));
        effects.outcomes.push_back(finished.outcome);
        return {};
    }
    for (const SentEntry& entry : state_.in_flight)
        if (entry.intent.key == intent.key) return differs(digest_of(entry.intent));
    for (const SendIntent& queued : queue_)
        if (queued.key == intent.key) return differs(digest_of(queued));
    if (queue_.size() >= options_.queue_max)
        return fail(ErrorCode::overloaded, "transactions that wait to be sent");
    queue_.push_back(std::move(intent));
    if (!started_) return {};
    if (step_ == Step::idle) {
        begin_poll(now, effects);
    } else {
        poll_again_ = true;
    }
    return {};
}

bool Sender::cancel(std::string_view key, SenderEffects& effects) {
    const auto found = std::ranges::find(queue_, key, &SendIntent::key);
    if (found == queue_.end()) return false;
    effects.outcomes.push_back(
        {.key = found->key, .result = fail(ErrorCode::cancelled, "before it was signed")});
    queue_.erase(found);
    stuck_.reset();
    return true;
}

bool Sender::knows(std::string_view key) const {
    const auto is_it = [key](const SenderState::Finished& one) { return one.outcome.key == key; };
    return std::ranges::any_of(state_.finished, is_it) ||
           std::ranges::any_of(state_.in_flight,
                               [key](const SentEntry& one) { return one.intent.key == key; }) ||
           std::ranges::find(queue_, key, &SendIntent::key) != queue_.end();
}

bool Sender::is_pending(std::string_view beginning) const {
    const auto is_it = [beginning](const SendIntent& one) {
        return one.key.starts_with(beginning);
    };
    return std::ranges::any_of(queue_, is_it) ||
           std::ranges::any_of(state_.in_flight, is_it, &SentEntry::intent);
}

void Sender::on_answer(Instant now, uint64_t id, Result<RpcAnswer> answer, SenderEffects& effects) {
    panel_.on_answer(now, id, std::move(answer), effects.asks);
    advance(now, effects);
}

void Sender::on_time(Instant now, SenderEffects& effects) {
    panel_.on_time(now);
    if (step_ == Step::idle && now >= next_poll_at_) return begin_poll(now, effects);
    advance(now, effects);
}

void Sender::on_save_failed(Instant now, SenderEffects& effects) {
    panel_.forget_calls();
    // They were signed, so their nonces are theirs; the next poll saves and sends them again.
    for (SentEntry& entry : state_.in_flight) entry.sent_at.reset();
    fail_poll(now, fail(ErrorCode::io_failed, "the sender's state was not saved"), effects);
    advance(now, effects);
}

void Sender::begin_poll(Instant now, SenderEffects& effects) {
    if (queue_.empty() && state_.in_flight.empty()) return;
    step_ = Step::heads;
    panel_.begin_poll(now, effects.asks);
    advance(now, effects);
}

// Takes steps until one waits for answers.
void Sender::advance(Instant now, SenderEffects& effects) {
    while (step_ != Step::idle) {
        const bool is_done = step_ == Step::heads
                                 ? panel_.poll_done(now)
                                 : std::ranges::all_of(questions_, [&](uint64_t question) {
                                       return panel_.verdict(question) != nullptr;
                                   });
        if (!is_done) break;
        finish_step(now, effects);
    }
    if (step_ != Step::idle) {
        effects.wake_at = panel_.deadline().value_or(now);
    } else if (!queue_.empty() || !state_.in_flight.empty()) {
        effects.wake_at = next_poll_at_;
    }
}

void Sender::finish_step(Instant now, SenderEffects& effects) {
    switch (step_) {
        case Step::idle:
            return;
        case Step::heads:
            return on_heads(now, effects);
        case Step::look:
            return on_look(now, effects);
        case Step::prepare:
            return on_prepared(now, effects);
        case Step::send:
            for (const uint64_t question : questions_) {
                const auto& verdict = *panel_.verdict(question);
                if (!verdict && !is_known_already(verdict.error())) stuck_ = verdict.error();
            }
            return prepare(now, effects);
    }
}

uint64_t Sender::ask(Instant now, RpcPanel::Question question, SenderEffects& effects) {
    questions_.push_back(panel_.ask(now, std::move(question), effects.asks));
    return questions_.back();
}

Result<U256> Sender::number(uint64_t question) const {
    const Result<PanelValue>& verdict = *panel_.verdict(question);
    if (!verdict) return verdict.error();
    return std::get<U256>(*verdict);
}

void Sender::on_heads(Instant now, SenderEffects& effects) {
    const auto head = panel_.quorum_head();
    if (!head) return fail_poll(now, panel_.no_quorum(), effects);
    head_ = *head;
    problem_.reset();
    questions_.clear();
    step_ = Step::look;
    look_ = {};
    const auto nonce_at = [&](uint64_t block) {
        return ask(now,
                   {.kind = Kind::quantity,
                    .call = call_nonce(key_.address(), BlockTag::at(block)),
                    .needs_block = head_},
                   effects);
    };
    look_.nonce = nonce_at(head_);
    look_.confirmed = nonce_at(head_ - std::min(head_, options_.confirmations - 1));
    look_.pending = ask(now,
                        {.kind = Kind::quantity,
                         .rule = Rule::highest,
                         .call = call_nonce(key_.address(), BlockTag::pending())},
                        effects);
    for (const SentEntry& entry : state_.in_flight) {
        for (const SignedTransaction& attempt : entry.attempts) {
            look_.receipts.push_back(ask(
                now,
                {.kind = Kind::receipt, .call = call_receipt(attempt.hash), .needs_block = head_},
                effects));
        }
    }
}

void Sender::on_look(Instant now, SenderEffects& effects) {
    auto looked = take_nonces();
    if (looked) looked = take_receipts(now, effects);
    if (!looked) return fail_poll(now, looked.error(), effects);
    prepare(now, effects);
}

Result<void> Sender::take_nonces() {
    const auto small = [&](uint64_t question) -> Result<uint64_t> {
        TT_TRY(const U256 nonce, number(question));
        // EIP-2681; so that one more is a nonce too.
        const auto out = nonce.to_u64();
        if (!out || *out >= UINT64_MAX - 1) return fail(ErrorCode::rpc_malformed, "nonce");
        return *out;
    };
    TT_TRY(const uint64_t at_head, small(look_.nonce));
    TT_TRY(confirmed_nonce_, small(look_.confirmed));
    TT_TRY(const uint64_t pending, small(look_.pending));
    look_.pending = pending;
    chain_nonce_ = at_head;
    return {};
}

Result<void> Sender::take_receipts(Instant, SenderEffects& effects) {
    std::span<const uint64_t> receipts = look_.receipts;
    std::vector<SentEntry> left;
    for (SentEntry& entry : state_.in_flight) {
        TT_TRY(const bool is_over,
               judge_entry(entry, receipts.first(entry.attempts.size()), effects));
        receipts = receipts.subspan(entry.attempts.size());
        if (!is_over) left.push_back(std::move(entry));
    }
    state_.in_flight = std::move(left);
    if (!effects.outcomes.empty())
        effects.save = encode_sender_state(state_, key_.address(), options_.panel.chain_id);
    return {};
}

Result<bool> Sender::judge_entry(SentEntry& entry, std::span<const uint64_t> receipts,
                                 SenderEffects& effects) {
    for (const uint64_t question : receipts) {
        TT_TRY(const PanelValue value, Result<PanelValue>(*panel_.verdict(question)));
        const auto* receipt = std::get_if<Receipt>(&value);
        if (receipt == nullptr) continue;
        entry.included_in = receipt->block_number;
        entry.lost_looks = 0;
        const bool is_deep = head_ >= receipt->block_number &&
                             head_ - receipt->block_number + 1 >= options_.confirmations;
        if (!is_deep) return false;
        TT_TRY(const Inclusion inclusion, inclusion_of(*receipt));
        SendOutcome outcome{.key = entry.intent.key, .result = inclusion};
        if (!receipt->succeeded) {
            outcome.result =
                fail(ErrorCode::transaction_failed, "0x" + to_hex(receipt->transaction_hash) +
                                                        " was reverted in block " +
                                                        std::to_string(receipt->block_number));
        }
        finish_entry(entry, std::move(outcome), effects);
        return true;
    }
    // It was in a block that a reorganisation took away.
    if (entry.included_in) entry.sent_at.reset();
    entry.included_in.reset();
    if (confirmed_nonce_ <= entry.nonce) {
        entry.lost_looks = 0;
        return false;
    }
    // Endpoints know of a nonce before they know of the receipt, or are several behind one name.
    if (++entry.lost_looks < lost_looks_min) return false;
    finish_entry(entry,
                 {.key = entry.intent.key,
                  .result = fail(ErrorCode::transaction_failed,
                                 "nonce " + std::to_string(entry.nonce) +
                                     " went to a transaction of somebody else's")},
                 effects);
    return true;
}

void Sender::finish_entry(const SentEntry& entry, SendOutcome outcome, SenderEffects& effects) {
    state_.finished.push_back({.intent_digest = digest_of(entry.intent), .outcome = outcome});
    if (state_.finished.size() > sender_finished_max) state_.finished.pop_front();
    effects.outcomes.push_back(std::move(outcome));
    stuck_.reset();
}

bool Sender::is_due(const SentEntry& entry, Instant now) const {
    if (entry.included_in || entry.nonce < chain_nonce_) return false;
    return !entry.sent_at || now - *entry.sent_at >= options_.bump_after;
}

// Asks for what the next transaction needs, if there is one to sign or to sign anew.
void Sender::prepare(Instant now, SenderEffects& effects) {
    questions_.clear();
    panel_.forget_questions();
    fees_question_.reset();
    gas_question_.reset();
    const bool has_next = !queue_.empty() && state_.in_flight.size() < options_.in_flight_max;
    const bool has_due = std::ranges::any_of(
        state_.in_flight, [&](const SentEntry& entry) { return is_due(entry, now); });
    if (!has_next && !has_due) return end_poll(now, effects);
    step_ = Step::prepare;
    fees_question_ =
        ask(now,
            {.kind = Kind::fees,
             .rule = Rule::first,
             .call = call_fee_history(options_.fees.history_blocks, {options_.fees.percentile})},
            effects);
    prepared_ = has_next ? queue_.front().key : "";
    if (!has_next || queue_.front().gas_limit) return;
    const SendIntent& intent = queue_.front();
    const CallMessage message = {
        .from = key_.address(), .to = intent.to, .value = intent.value, .data = intent.data};
    gas_question_ = ask(
        now, {.kind = Kind::quantity, .rule = Rule::highest, .call = call_gas_estimate(message)},
        effects);
}

void Sender::on_prepared(Instant now, SenderEffects& effects) {
    const Result<PanelValue>& history = *panel_.verdict(*fees_question_);
    Result<Fees> fees = history ? suggest_fees(std::get<FeeHistory>(*history), options_.fees)
                                : Result<Fees>(history.error());
    std::optional<Result<U256>> gas;
    if (gas_question_) gas = number(*gas_question_);
    questions_.clear();
    step_ = Step::send;
    raise_or_repeat(now, fees ? &*fees : nullptr, effects);
    if (!fees) {
        (fees.error().code == ErrorCode::fee_too_high ? stuck_ : problem_) = fees.error();
        return questions_.empty() ? end_poll(now, effects) : void();
    }
    // It may have been cancelled while this was asked for.
    const bool is_same = !queue_.empty() && queue_.front().key == prepared_;
    if (!is_same || state_.in_flight.size() >= options_.in_flight_max) return;
    if (gas && !*gas && gas->error().code == ErrorCode::call_reverted) {
        effects.outcomes.push_back({.key = queue_.front().key, .result = gas->error()});
        queue_.pop_front();
        return;
    }

    uint64_t gas_limit = queue_.front().gas_limit.value_or(0);
    auto sent = gas && !*gas ? Result<void>(gas->error()) : Result<void>();
    if (sent && gas) {
        const auto limit = (*gas)->to_u64();
        if (!limit || *limit > UINT64_MAX / 2) {
            sent = fail(ErrorCode::rpc_malformed, "gas estimate");
        } else {
            gas_limit = *limit + *limit / 5;
        }
    }
    if (sent) sent = sign_next(now, *fees, gas_limit, effects);
    if (!sent) fail_poll(now, sent.error(), effects);
}

uint64_t Sender::next_nonce() const {
    const uint64_t own = state_.in_flight.empty() ? 0 : state_.in_flight.back().nonce + 1;
    return std::max({chain_nonce_, look_.pending, own});
}

Result<void> Sender::sign_next(Instant now, const Fees& fees, uint64_t gas_limit,
                               SenderEffects& effects) {
    SentEntry entry{.intent = queue_.front(), .nonce = next_nonce(), .gas_limit = gas_limit};
    TT_CHECK(sign(now, entry, fees));
    queue_.pop_front();
    state_.in_flight.push_back(std::move(entry));
    send(now, state_.in_flight.back(), effects);
    return {};
}

Result<void> Sender::sign(Instant now, SentEntry& entry, const Fees& fees) {
    const Transaction transaction = {.chain_id = options_.panel.chain_id,
                                     .nonce = entry.nonce,
                                     .max_priority_fee_per_gas = fees.max_tip,
                                     .max_fee_per_gas = fees.max_fee,
                                     .gas_limit = entry.gas_limit,
                                     .to = entry.intent.to,
                                     .value = entry.intent.value,
                                     .data = entry.intent.data};
    TT_TRY(SignedTransaction attempt, sign_transaction(transaction, key_));
    entry.attempts.push_back(std::move(attempt));
    entry.sent_at = now;
    stuck_.reset();
    return {};
}

void Sender::send(Instant now, const SentEntry& entry, SenderEffects& effects) {
    effects.save = encode_sender_state(state_, key_.address(), options_.panel.chain_id);
    ask(now, {.kind = Kind::data, .rule = Rule::first, .call = call_send(entry.attempts.back())},
        effects);
}

// What is due is signed anew with higher fees, or where that cannot be, sent again as it is.
void Sender::raise_or_repeat(Instant now, const Fees* fees, SenderEffects& effects) {
    for (SentEntry& entry : state_.in_flight) {
        if (!is_due(entry, now)) continue;
        const bool may_raise =
            entry.sent_at && fees != nullptr && entry.attempts.size() < sender_attempts_max;
        entry.sent_at = now;
        if (may_raise) {
            auto raised = raise_fees(fees_of(entry), *fees, options_.fees);
            auto signed_anew = raised ? sign(now, entry, *raised) : Result<void>(raised.error());
            if (!signed_anew) stuck_ = signed_anew.error();
        }
        send(now, entry, effects);
    }
}

void Sender::end_poll(Instant now, SenderEffects&) {
    step_ = Step::idle;
    questions_.clear();
    panel_.forget_questions();
    next_poll_at_ = std::exchange(poll_again_, false) ? now : now + options_.poll_interval;
}

void Sender::fail_poll(Instant now, Error error, SenderEffects& effects) {
    problem_ = std::move(error);
    poll_again_ = false;
    end_poll(now, effects);
}

}  // namespace teetee::chain
