// SPDX-License-Identifier: Apache-2.0
#include "chain/chain_view.hpp"

#include <algorithm>
#include <utility>

namespace teetee::chain {
namespace {

using Kind = RpcPanel::Question::Kind;

constexpr uint64_t ranges_before_growth = 16;

// Not so soon after a change of the chain, when another poll will tell.
Error differing(uint64_t number) {
    return fail(ErrorCode::rpc_disagreement,
                "block " + std::to_string(number) + " does not go with those before");
}

std::string named(const BlockRef& block) {
    return "block " + std::to_string(block.number);
}

}  // namespace

ChainView::ChainView(const ChainViewOptions& options)
    : options_(options),
      panel_(options.panel),
      span_(std::max<uint64_t>(1, options.range_blocks_max)) {
    options_.range_blocks_max = span_;
    options_.window_blocks = std::max<uint64_t>(1, options_.window_blocks);
}

Result<void> ChainView::restore(const SettledBatch& batch) {
    TT_ASSERT(!started_);
    TT_CHECK(ensure_logs(batch.logs, next_block(), batch.end.number));
    TT_CHECK(history_.append_settled(batch.end, batch.logs));
    (void)history_.take_settled_logs();
    if (!origin_) origin_ = batch.end;
    settled_told_ = batch.end;
    return {};
}

void ChainView::start(Instant now, ChainViewEffects& effects) {
    started_ = true;
    begin_poll(now, effects);
}

void ChainView::on_answer(Instant now, uint64_t id, Result<RpcAnswer> answer,
                          ChainViewEffects& effects) {
    panel_.on_answer(now, id, std::move(answer), effects.asks);
    advance(now, effects);
}

void ChainView::on_time(Instant now, ChainViewEffects& effects) {
    panel_.on_time(now);
    if (step_ == Step::idle && now >= next_poll_at_) return begin_poll(now, effects);
    advance(now, effects);
}

void ChainView::poll_soon(Instant now, ChainViewEffects& effects) {
    if (!started_) return;
    if (step_ == Step::idle) return begin_poll(now, effects);
    poll_again_ = true;
}

Result<MoneyView> ChainView::money(Instant now) const {
    if (status_.problem) return *status_.problem;
    if (!status_.confirmed_at) {
        return fail(ErrorCode::not_ready, "the chain is being read: at block " +
                                              std::to_string(next_block()) + " of " +
                                              std::to_string(status_.head));
    }
    if (now - *status_.confirmed_at >= options_.stale_after)
        return fail(ErrorCode::rpc_unavailable, "the chain was not heard of for too long");
    const auto number = [](const std::optional<BlockRef>& block) {
        return block ? block->number : 0;
    };
    return MoneyView(history_.settled(), history_.latest(), number(history_.settled_block()),
                     number(history_.latest_block()), status_.restarts);
}

ChainViewStatus ChainView::status() const {
    ChainViewStatus out = status_;
    out.settled = history_.settled_block();
    out.latest = history_.latest_block();
    out.latest_timestamp = history_.latest_timestamp();
    out.is_single_endpoint = panel_.endpoints().size() == 1;
    out.state = out.problem         ? ChainViewState::failed
                : is_behind_        ? ChainViewState::behind
                : !out.confirmed_at ? ChainViewState::catching_up
                                    : ChainViewState::following;
    return out;
}

uint64_t ChainView::next_block() const {
    const auto& latest = history_.latest_block();
    return latest ? latest->number + 1 : options_.start_block;
}

LogFilter ChainView::filter(uint64_t from, uint64_t to) const {
    return {.from_block = from, .to_block = to, .contract = options_.contract};
}

void ChainView::begin_poll(Instant now, ChainViewEffects& effects) {
    step_ = Step::heads;
    panel_.begin_poll(now, effects.asks);
    advance(now, effects);
}

// Takes steps until one waits for answers.
void ChainView::advance(Instant now, ChainViewEffects& effects) {
    while (step_ != Step::idle) {
        const bool is_done = step_ == Step::heads
                                 ? panel_.poll_done(now)
                                 : std::ranges::all_of(questions_, [&](uint64_t question) {
                                       return panel_.verdict(question) != nullptr;
                                   });
        if (!is_done) break;
        finish_step(now, effects);
    }
    const auto deadline = panel_.deadline();
    effects.wake_at = step_ == Step::idle ? next_poll_at_ : deadline.value_or(now);
}

void ChainView::finish_step(Instant now, ChainViewEffects& effects) {
    switch (step_) {
        case Step::idle:
            return;
        case Step::heads:
            return on_heads(now, effects);
        case Step::check:
            return on_checked(now, effects);
        case Step::unwind:
            return on_unwind_checked(now, effects);
        case Step::range:
            return on_range(now, effects);
        case Step::headers:
            return on_headers(now, effects);
        case Step::logs:
            return on_logs(now, effects);
    }
}

Result<std::vector<PanelValue>> ChainView::verdicts() const {
    std::vector<PanelValue> out;
    for (const uint64_t question : questions_) {
        TT_TRY(PanelValue value, Result<PanelValue>(*panel_.verdict(question)));
        out.push_back(std::move(value));
    }
    return out;
}

void ChainView::ask_block(Instant now, uint64_t number, ChainViewEffects& effects) {
    questions_.push_back(panel_.ask(
        now, {.kind = Kind::block, .call = call_block(BlockTag::at(number)), .needs_block = number},
        effects.asks));
}

void ChainView::on_heads(Instant now, ChainViewEffects& effects) {
    const auto head = panel_.quorum_head();
    if (!head) return fail_poll(now, panel_.no_quorum(), effects);
    target_ = *head;
    status_.head = *head;
    final_ = target_ >= options_.finality_depth ? std::optional(target_ - options_.finality_depth)
                                                : std::nullopt;
    if (options_.panel.use_finalized) {
        const auto finalized = panel_.quorum_finalized();
        final_ = final_ && finalized ? std::optional(std::min(*final_, *finalized)) : std::nullopt;
    }
    const auto& latest = history_.latest_block();
    if (!latest) return go_on(now, effects);
    // The block that was seen last must still be there, or where the endpoints are behind it, the
    // last that they have.
    const auto known = history_.block_at(std::min(target_, latest->number));
    if (!known && (!origin_ || target_ < origin_->number)) {
        is_behind_ = true;
        return end_poll(now, effects);
    }
    checked_ = known ? *known : *origin_;
    questions_.clear();
    step_ = Step::check;
    ask_block(now, checked_.number, effects);
}

void ChainView::on_checked(Instant now, ChainViewEffects& effects) {
    const auto values = verdicts();
    if (!values) return fail_poll(now, values.error(), effects);
    const auto* block = std::get_if<BlockHeader>(&values->front());
    if (block == nullptr) return fail_poll(now, differing(checked_.number), effects);
    const auto& settled = history_.settled_block();
    if (block->hash == checked_.hash) {
        is_behind_ = settled && target_ < settled->number;
        return go_on(now, effects);
    }
    if (settled && checked_.number <= settled->number) {
        return restart(
            now,
            fail(ErrorCode::chain_reorganised, named(checked_) + " was settled and is another now"),
            effects);
    }
    ++status_.reorganisations;
    unwind_by_ = 1;
    ask_unwind(now, effects);
}

// Steps back by ever more blocks: what is taken back too far is read again.
void ChainView::ask_unwind(Instant now, ChainViewEffects& effects) {
    const auto& settled = history_.settled_block();
    const uint64_t lowest = settled ? settled->number : options_.start_block;
    const uint64_t at =
        checked_.number > lowest + unwind_by_ ? checked_.number - unwind_by_ : lowest;
    unwind_by_ *= 2;
    const auto known = history_.block_at(at);
    if (!known || at >= checked_.number) {
        // Nothing is settled yet, and not even the first block is the same.
        return restart(now, fail(ErrorCode::chain_reorganised, named(checked_) + " is another"),
                       effects);
    }
    checked_ = *known;
    questions_.clear();
    step_ = Step::unwind;
    ask_block(now, checked_.number, effects);
}

void ChainView::on_unwind_checked(Instant now, ChainViewEffects& effects) {
    const auto values = verdicts();
    if (!values) return fail_poll(now, values.error(), effects);
    const auto* block = std::get_if<BlockHeader>(&values->front());
    const auto& settled = history_.settled_block();
    if (block == nullptr || block->hash != checked_.hash) {
        if (block != nullptr && settled && checked_.number == settled->number) {
            return restart(now,
                           fail(ErrorCode::chain_reorganised,
                                named(checked_) + " was settled and is another now"),
                           effects);
        }
        return ask_unwind(now, effects);
    }
    effects.changed = true;
    if (auto unwound = history_.unwind(checked_.number); !unwound)
        return restart(now, unwound.error(), effects);
    go_on(now, effects);
}

// What is the next step on the way to the poll's target.
void ChainView::go_on(Instant now, ChainViewEffects& effects) {
    questions_.clear();
    panel_.forget_questions();
    if (final_) {
        if (auto settled = history_.settle(*final_); !settled)
            return restart(now, settled.error(), effects);
        emit_settled(effects);
    }
    const uint64_t from = next_block();
    if (from > target_) return end_poll(now, effects);
    if (final_ && from <= *final_) {
        range_end_ = from + std::min(span_ - 1, *final_ - from);
        step_ = Step::range;
        ask_block(now, range_end_, effects);
        questions_.push_back(panel_.ask(now,
                                        {.kind = Kind::logs,
                                         .call = call_logs(filter(from, range_end_)),
                                         .needs_block = range_end_},
                                        effects.asks));
        return;
    }
    step_ = Step::headers;
    const uint64_t count = std::min(options_.window_blocks, target_ - from + 1);
    for (uint64_t i = 0; i < count; ++i) ask_block(now, from + i, effects);
}

void ChainView::on_range(Instant now, ChainViewEffects& effects) {
    const auto values = verdicts();
    const uint64_t from = next_block();
    if (!values) {
        const Error& error = values.error();
        if (error.code == ErrorCode::rpc_refused && range_end_ > from) {
            span_ = (range_end_ - from + 1) / 2;
            taken_ranges_ = 0;
            return go_on(now, effects);
        }
        return fail_poll(now, error, effects);
    }
    const auto* block = std::get_if<BlockHeader>(&values->at(0));
    const auto* logs = std::get_if<std::vector<Log>>(&values->at(1));
    if (block == nullptr || logs == nullptr || block->number != range_end_)
        return fail_poll(now, fail(ErrorCode::rpc_malformed, "another block than asked for"),
                         effects);
    const BlockRef end = {.number = block->number, .hash = block->hash};
    auto taken = ensure_logs(*logs, from, range_end_);
    if (taken) taken = history_.append_settled(end, *logs);
    if (!taken) return restart(now, taken.error(), effects);
    if (!origin_) origin_ = end;
    // What was refused is not asked for again each time.
    if (++taken_ranges_ >= ranges_before_growth)
        span_ = std::min(options_.range_blocks_max, span_ + span_ / 4 + 1);
    effects.changed = true;
    go_on(now, effects);
}

void ChainView::on_headers(Instant now, ChainViewEffects& effects) {
    const auto values = verdicts();
    if (!values) return fail_poll(now, values.error(), effects);
    window_.clear();
    std::optional<Digest> parent;
    if (const auto& latest = history_.latest_block()) parent = latest->hash;
    for (const PanelValue& value : *values) {
        const auto* block = std::get_if<BlockHeader>(&value);
        const bool follows = block != nullptr && block->number == next_block() + window_.size() &&
                             (!parent || block->parent_hash == *parent);
        // The chain changed while it was asked for: the next poll sees how.
        if (!follows) break;
        window_.push_back(*block);
        parent = block->hash;
    }
    if (window_.empty()) return fail_poll(now, differing(next_block()), effects);
    questions_.clear();
    step_ = Step::logs;
    for (const BlockHeader& block : window_) {
        questions_.push_back(panel_.ask(now,
                                        {.kind = Kind::logs,
                                         .call = call_logs_of_block(block.hash, filter(0, 0)),
                                         .needs_block = block.number},
                                        effects.asks));
    }
}

void ChainView::on_logs(Instant now, ChainViewEffects& effects) {
    const auto values = verdicts();
    if (!values) return fail_poll(now, values.error(), effects);
    for (size_t i = 0; i < window_.size(); ++i) {
        const auto& logs = std::get<std::vector<Log>>(values->at(i));
        const BlockHeader& block = window_[i];
        auto taken = ensure_logs(logs, block.number, block.number);
        const bool are_its_own =
            std::ranges::all_of(logs, [&](const Log& log) { return log.block_hash == block.hash; });
        if (taken && !are_its_own)
            taken = fail(ErrorCode::events_inconsistent, "logs of another block");
        if (taken) taken = history_.append(block, logs);
        if (!taken) return restart(now, taken.error(), effects);
        if (!origin_) origin_ = BlockRef{.number = block.number, .hash = block.hash};
    }
    effects.changed = true;
    go_on(now, effects);
}

Result<void> ChainView::ensure_logs(const std::vector<Log>& logs, uint64_t from,
                                    uint64_t to) const {
    const Log* before = nullptr;
    for (const Log& log : logs) {
        const bool in_order = before == nullptr || before->block_number < log.block_number ||
                              (before->block_number == log.block_number &&
                               before->index < log.index && before->block_hash == log.block_hash);
        if (!in_order || log.removed || log.contract != options_.contract ||
            log.block_number < from || log.block_number > to) {
            return fail(ErrorCode::events_inconsistent,
                        "logs: out of order, or of another contract or block");
        }
        before = &log;
    }
    return {};
}

void ChainView::emit_settled(ChainViewEffects& effects) {
    std::vector<Log> logs = history_.take_settled_logs();
    const auto& settled = history_.settled_block();
    if (!settled || settled_told_ == settled) return;
    settled_told_ = settled;
    effects.changed = true;
    effects.settled.push_back({.end = *settled, .logs = std::move(logs)});
}

void ChainView::end_poll(Instant now, ChainViewEffects& effects) {
    step_ = Step::idle;
    questions_.clear();
    panel_.forget_questions();
    next_poll_at_ = poll_again_ ? now : now + options_.poll_interval;
    poll_again_ = false;
    if (is_behind_) return;
    if (status_.problem) effects.changed = true;
    status_.problem.reset();
    differing_since_.reset();
    if (history_.latest_block()) status_.confirmed_at = now;
}

void ChainView::fail_poll(Instant now, Error error, ChainViewEffects& effects) {
    const bool may_pass = error.code == ErrorCode::rpc_disagreement && step_ != Step::range;
    if (error.code == ErrorCode::rpc_disagreement && !differing_since_) differing_since_ = now;
    step_ = Step::idle;
    questions_.clear();
    panel_.forget_questions();
    // What a wrong history was made of is not read again at once.
    const bool is_wrong = error.code == ErrorCode::events_inconsistent;
    next_poll_at_ = now + (is_wrong ? options_.stale_after : options_.poll_interval);
    if (may_pass && now - *differing_since_ < options_.disagreement_grace) return;
    effects.changed = true;
    status_.problem = std::move(error);
}

void ChainView::restart(Instant now, Error why, ChainViewEffects& effects) {
    ++status_.restarts;
    status_.confirmed_at.reset();
    history_ = {};
    origin_.reset();
    settled_told_.reset();
    is_behind_ = false;
    effects.restarted = true;
    effects.settled.clear();
    fail_poll(now, std::move(why), effects);
}

}  // namespace teetee::chain
