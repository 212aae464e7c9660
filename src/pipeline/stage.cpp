// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stage.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/assert.hpp"
#include "crypto/hash.hpp"
#include "pipeline/batch.hpp"
#include "pipeline/quote_collector.hpp"

namespace teetee::pipeline {

Stage::Stage(StageOptions options) : options_(std::move(options)), ledger_(options_.engine) {
    TT_ASSERT(options_.engine.layers.begin > 0);
    TT_ASSERT(options_.engine.layers.begin < options_.engine.layers.end);
    TT_ASSERT(options_.engine.layers.end <= options_.engine.layer_count);
}

void Stage::on_link_up(Instant, Direction direction, Effects&) {
    links_.at(direction) = true;
}

void Stage::on_link_down(Instant, Direction direction, Effects& effects) {
    links_.at(direction) = false;
    if (!sequences_.empty()) {
        effects.log.push_back({LogLevel::warn, "link lost: " + std::to_string(sequences_.size()) +
                                                   " sequences given up"});
    }
    counters_.sequences_failed += sequences_.size();
    if (direction == Direction::next) {
        for (const auto& [request, sequence] : sequences_) {
            send_failed(request, sequence.epoch, ErrorCode::stage_failed, effects);
        }
    } else if (links_.next && !options_.engine.is_tail()) {
        wire::Close over;
        for (const auto& [request, sequence] : sequences_) {
            over.requests.push_back(request);
            if (over.requests.size() == wire::Limits{}.requests_max) {
                effects.sends.push_back({Direction::next, std::exchange(over, {})});
            }
        }
        if (!over.requests.empty()) effects.sends.push_back({Direction::next, std::move(over)});
        effects.sends.push_back({Direction::next, wire::Evict{.all = true}});
    }
    close_all();
    drop_prefixes();
    start_next(effects);
}

void Stage::on_message(Instant, Direction from, wire::Message message, Effects& effects) {
    if (!links_.at(from)) {
        ++counters_.messages_dropped;
    } else if (const auto* failed = std::get_if<wire::Failed>(&message)) {
        on_failed(from, *failed, effects);
    } else if (from == Direction::next) {
        ++counters_.messages_dropped;
    } else if (const auto* open = std::get_if<wire::Open>(&message)) {
        on_open(*open, effects);
    } else if (auto* forward = std::get_if<wire::Forward>(&message)) {
        on_forward(std::move(*forward), effects);
    } else if (const auto* over = std::get_if<wire::Close>(&message)) {
        on_close(*over, effects);
    } else if (const auto* retain = std::get_if<wire::Retain>(&message)) {
        on_retain(*retain, effects);
    } else if (auto* evict = std::get_if<wire::Evict>(&message)) {
        on_evict(std::move(*evict), effects);
    } else if (const auto* sign = std::get_if<wire::Sign>(&message)) {
        on_sign(*sign, effects);
    } else if (auto* record = std::get_if<wire::Record>(&message)) {
        if (links_.next) effects.sends.push_back({Direction::next, std::move(*record)});
    } else if (const auto* order = std::get_if<wire::Attest>(&message)) {
        on_attest(*order, effects);
    } else if (auto* quote = std::get_if<wire::Quote>(&message)) {
        if (links_.next) effects.sends.push_back({Direction::next, std::move(*quote)});
    } else if (auto* probe = std::get_if<wire::Probe>(&message)) {
        on_probe(std::move(*probe), effects);
    } else {
        ++counters_.messages_dropped;
    }
}

void Stage::on_computed(Instant, ComputeResult result, Effects& effects) {
    if (!running_ || result.batch_id != running_->batch_id) {
        ++counters_.messages_dropped;
        return;
    }
    Running running = std::move(*running_);
    running_.reset();
    if (!running.discard) deliver(std::move(running), std::move(result), effects);
    start_next(effects);
}

void Stage::on_quoted(Instant, QuoteResult result, Effects& effects) {
    if (links_.next) send_quote(std::move(result), effects);
}

void Stage::send_quote(QuoteResult result, Effects& effects) const {
    // What the next node would not take would cost the link.
    if (result.quote &&
        (result.quote->empty() || result.quote->size() > wire::Limits{}.quote_bytes_max)) {
        result.quote = fail(ErrorCode::evidence_unavailable,
                            "have a quote of " + std::to_string(result.quote->size()) + " bytes");
    }
    effects.sends.push_back(
        {Direction::next, message_of(std::move(result), options_.engine.layers)});
}

void Stage::set_evidence(Bytes statement, Bytes quote) {
    former_statement_ = std::exchange(statement_, std::move(statement));
    quote_ = std::move(quote);
}

void Stage::on_open(const wire::Open& open, Effects& effects) {
    const auto known = sequences_.find(open.request);
    if (known != sequences_.end()) {
        if (open.epoch <= known->second.epoch) {
            ++counters_.messages_dropped;
            return;
        }
        close(known);
    }
    if (const auto refusal = refusal_of(open)) {
        ++counters_.sequences_failed;
        counters_.prefixes_unknown += *refusal == ErrorCode::prefix_unknown ? 1 : 0;
        send_failed(open.request, open.epoch, *refusal, effects);
        start_next(effects);
        return;
    }
    TT_ASSERT(ledger_.open(open.request, open.positions_max, open.start));
    counters_.cached_tokens += open.start.positions;
    sequences_[open.request] = {.epoch = open.epoch,
                                .sampling = open.sampling,
                                .positions_max = open.positions_max,
                                .prompt_positions = open.prompt_positions,
                                .start = open.start,
                                .salt = open.salt,
                                .next_position = open.start.positions};
    sequences_[open.request].trace = SequenceTrace({.request = open.request,
                                                    .epoch = open.epoch,
                                                    .sampling = open.sampling,
                                                    .prompt_positions = open.prompt_positions,
                                                    .start = open.start,
                                                    .salt = open.salt});
    opens_.push_back(open.request);
    if (!options_.engine.is_tail()) effects.sends.push_back({Direction::next, open});
}

std::optional<ErrorCode> Stage::refusal_of(const wire::Open& open) const {
    if (!links_.next) return ErrorCode::route_unavailable;
    if (open.positions_max <= open.start.positions ||
        open.positions_max > options_.engine.sequence_positions_max) {
        return ErrorCode::context_exceeded;
    }
    const auto fitting = ledger_.ensure_fits(open.positions_max, open.start);
    return fitting ? std::optional<ErrorCode>() : fitting.error().code;
}

void Stage::on_forward(wire::Forward batch, Effects& effects) {
    if (!links_.next) {
        counters_.rows_dropped += batch.rows.size();
    } else if (batch.width != options_.engine.width ||
               batch.activations.size() != uint64_t{4} * batch.rows.size() * batch.width) {
        refuse(batch, ErrorCode::message_unexpected, effects);
    } else if (batch.rows.size() > options_.engine.rows_max) {
        refuse(batch, ErrorCode::limit_exceeded, effects);
    } else if (queue_.size() >= options_.batches_queued_max ||
               queued_bytes_ + batch.activations.size() > options_.bytes_queued_max) {
        refuse(batch, ErrorCode::overloaded, effects);
    } else {
        queued_bytes_ += batch.activations.size();
        queue_.push_back(std::move(batch));
        start_next(effects);
    }
}

void Stage::on_close(const wire::Close& over, Effects& effects) {
    for (const RequestId& request : over.requests) {
        const auto sequence = sequences_.find(request);
        if (sequence != sequences_.end()) close(sequence);
    }
    if (links_.next && !options_.engine.is_tail()) {
        effects.sends.push_back({Direction::next, over});
    }
    start_next(effects);
}

void Stage::on_sign(const wire::Sign& sign, Effects& effects) {
    if (!links_.next) return;
    if (!options_.engine.is_tail()) effects.sends.push_back({Direction::next, sign});
    const auto found = sequences_.find(sign.request);
    if (found == sequences_.end() || found->second.epoch != sign.epoch || !options_.signer) {
        ++counters_.messages_dropped;
        return;
    }
    const auto record = found->second.trace.sign(sign.position_end, *options_.signer);
    if (!record) {
        ++counters_.messages_dropped;
        return;
    }
    effects.sends.push_back({Direction::next, message_of(*record)});
}

void Stage::on_attest(const wire::Attest& order, Effects& effects) {
    if (!links_.next) return;
    if (!options_.engine.is_tail()) effects.sends.push_back({Direction::next, order});
    for (const Bytes* statement : {&statement_, &former_statement_}) {
        if (statement->empty() ||
            std::ranges::count(order.statements, crypto::sha256(*statement)) == 0) {
            continue;
        }
        effects.quotes.push_back({order.request, attest::report_data(*statement, order.nonce)});
        return;
    }
    send_quote(
        {order.request, fail(ErrorCode::evidence_unavailable, "the receipt has another statement")},
        effects);
}

/// Of rows that were checked: each is the next of its sequence.
void Stage::trace_input(const wire::Forward& batch) {
    if (!options_.signer) return;
    const size_t row_bytes = size_t{4} * batch.width;
    for (size_t i = 0; i < batch.rows.size(); ++i) {
        sequences_.at(batch.rows[i].request)
            .trace.add_input(ByteView(batch.activations).subspan(i * row_bytes, row_bytes));
    }
}

void Stage::trace_output(const wire::Message& message) {
    if (!options_.signer) return;
    const auto trace_of = [&](const RequestId& request, Epoch epoch) -> SequenceTrace* {
        const auto found = sequences_.find(request);
        const bool is_live = found != sequences_.end() && found->second.epoch == epoch;
        return is_live ? &found->second.trace : nullptr;
    };
    if (const auto* tokens = std::get_if<wire::Tokens>(&message)) {
        for (const wire::TokenRow& row : tokens->rows) {
            if (auto* trace = trace_of(row.request, row.epoch))
                trace->add_output(row.position, row.token);
        }
    } else if (const auto* forward = std::get_if<wire::Forward>(&message)) {
        const size_t row_bytes = size_t{4} * forward->width;
        for (size_t i = 0; i < forward->rows.size(); ++i) {
            const wire::ForwardRow& row = forward->rows[i];
            if (auto* trace = trace_of(row.request, row.epoch)) {
                trace->add_output(row.position,
                                  ByteView(forward->activations).subspan(i * row_bytes, row_bytes));
            }
        }
    }
}

void Stage::on_retain(const wire::Retain& retain, Effects& effects) {
    const auto found = sequences_.find(retain.request);
    const bool is_computed = found != sequences_.end() && found->second.epoch == retain.epoch &&
                             uint64_t{retain.span.page_end} * options_.engine.block_positions <=
                                 found->second.next_position;
    if (is_computed && ledger_.retain(retain.request, retain.span)) {
        counters_.prefix_pages_retained += retain.span.page_count();
        prefix_changes_.retains.push_back({retain.request, retain.span});
    } else {
        ++counters_.messages_dropped;
    }
    if (links_.next && !options_.engine.is_tail())
        effects.sends.push_back({Direction::next, retain});
    start_next(effects);
}

void Stage::on_evict(wire::Evict evict, Effects& effects) {
    if (evict.all) drop_prefixes();
    for (const PrefixId prefix : evict.prefixes) {
        if (!ledger_.drop(prefix)) continue;
        ++counters_.prefix_pages_evicted;
        prefix_changes_.drops.push_back(prefix);
    }
    if (links_.next && !options_.engine.is_tail())
        effects.sends.push_back({Direction::next, std::move(evict)});
    start_next(effects);
}

void Stage::drop_prefixes() {
    ledger_.drop_all();
    prefix_changes_ = {.drop_all = true};
}

void Stage::on_failed(Direction from, const wire::Failed& failed, Effects& effects) {
    // What has turned back once keeps its direction, so that it cannot go to and fro.
    if (from == Direction::previous && links_.next) {
        effects.sends.push_back({Direction::next, failed});
    } else if (links_.previous) {
        effects.sends.push_back({Direction::previous, failed});
    }
}

void Stage::on_probe(wire::Probe probe, Effects& effects) {
    if (!links_.next || probe.hops.size() >= wire::Limits{}.hops_max) {
        ++counters_.messages_dropped;
        return;
    }
    const KvAmount free = ledger_.free();
    wire::Hop hop{.node_id = options_.node_id,
                  .layers = options_.engine.layers,
                  .sequences_free = static_cast<uint32_t>(free.sequences),
                  .positions_free = free.positions};
    if (probe.want_evidence) {
        hop.statement = statement_;
        hop.quote = quote_;
    }
    probe.hops.push_back(std::move(hop));
    effects.sends.push_back({Direction::next, std::move(probe)});
}

/// Gives up the batch's sequences; the empty batch still goes round, or the entry waits for it.
void Stage::refuse(const wire::Forward& batch, ErrorCode code, Effects& effects) {
    for (const wire::ForwardRow& row : batch.rows) {
        const auto sequence = sequences_.find(row.request);
        if (sequence != sequences_.end() && sequence->second.epoch == row.epoch) {
            give_up(sequence, code, effects);
        }
    }
    counters_.rows_dropped += batch.rows.size();
    effects.sends.push_back({Direction::next, empty_message(batch.batch_id, options_.engine)});
    start_next(effects);
}

std::optional<ErrorCode> Stage::check_row(Sequence& sequence, const wire::ForwardRow& row) const {
    if (row.position != sequence.next_position ||
        row.token.has_value() != sequence.sampling.needs_tokens()) {
        return ErrorCode::message_unexpected;
    }
    if (row.position >= sequence.positions_max) return ErrorCode::context_exceeded;
    ++sequence.next_position;
    return {};
}

/// Leaves the rows that the engine is to compute. A sequence given up at a later row loses its
/// earlier ones as well, hence the second pass.
void Stage::take_rows(wire::Forward& batch, Effects& effects) {
    const auto live = [&](const wire::ForwardRow& row) {
        const auto sequence = sequences_.find(row.request);
        return sequence != sequences_.end() && sequence->second.epoch == row.epoch
                   ? sequence
                   : sequences_.end();
    };
    for (const wire::ForwardRow& row : batch.rows) {
        const auto sequence = live(row);
        if (sequence == sequences_.end()) continue;
        const auto broken = check_row(sequence->second, row);
        if (broken) give_up(sequence, *broken, effects);
    }
    std::vector<bool> keep;
    keep.reserve(batch.rows.size());
    for (const wire::ForwardRow& row : batch.rows) keep.push_back(live(row) != sequences_.end());
    counters_.rows_dropped += static_cast<uint64_t>(std::ranges::count(keep, false));
    keep_rows(batch, keep);
}

void Stage::start_next(Effects& effects) {
    while (!running_ && !queue_.empty()) {
        wire::Forward batch = std::move(queue_.front());
        queue_.pop_front();
        queued_bytes_ -= batch.activations.size();
        take_rows(batch, effects);
        if (batch.rows.empty()) {
            effects.sends.push_back(
                {Direction::next, empty_message(batch.batch_id, options_.engine)});
        } else {
            start(std::move(batch), effects);
        }
    }
    // Nothing to compute, but memory to keep or to give back.
    if (!running_ && !(closes_.empty() && prefix_changes_.is_empty())) start({}, effects);
}

void Stage::start(wire::Forward batch, Effects& effects) {
    trace_input(batch);
    ComputeJob job{.batch_id = batch.batch_id,
                   .prefixes = std::exchange(prefix_changes_, {}),
                   .closes = std::exchange(closes_, {}),
                   .rows = engine_rows(batch.rows),
                   .activations = std::move(batch.activations)};
    for (const RequestId& request : std::exchange(opens_, {})) {
        const auto found = sequences_.find(request);
        if (found == sequences_.end() || found->second.in_engine) continue;
        Sequence& sequence = found->second;
        sequence.in_engine = true;
        job.opens.push_back({request, sequence.epoch, sequence.sampling, sequence.positions_max,
                             sequence.prompt_positions, sequence.start, sequence.salt});
    }
    if (!job.rows.empty()) ++counters_.batches;
    counters_.rows += job.rows.size();
    running_ = {.batch_id = batch.batch_id, .rows = std::move(batch.rows)};
    effects.jobs.push_back(std::move(job));
}

void Stage::deliver(Running running, ComputeResult result, Effects& effects) {
    for (const SequenceFailure& failure : result.failures) {
        const auto sequence = sequences_.find(failure.request);
        // Closed, or opened anew while the engine was busy: the failure is of the old one.
        if (sequence == sequences_.end() || !sequence->second.in_engine) continue;
        const ErrorCode code = failure.error.code;
        const bool reserved =
            code == ErrorCode::stage_failed || code == ErrorCode::route_unavailable;
        give_up(sequence, reserved ? ErrorCode::internal : code, effects);
    }
    if (running.rows.empty()) return;
    auto message = message_of(running.rows, std::move(result), options_.engine);
    if (!message) {
        effects.log.push_back({LogLevel::error, message.error().message()});
        refuse({.batch_id = running.batch_id, .rows = std::move(running.rows)}, ErrorCode::internal,
               effects);
        return;
    }
    trace_output(*message);
    effects.sends.push_back({Direction::next, std::move(message).value()});
}

void Stage::close(Sequences::iterator sequence) {
    ledger_.close(sequence->first);
    if (sequence->second.in_engine)
        closes_.push_back(sequence->first);
    else
        std::erase(opens_, sequence->first);
    sequences_.erase(sequence);
}

void Stage::close_all() {
    while (!sequences_.empty()) close(sequences_.begin());
    queue_.clear();
    queued_bytes_ = 0;
    if (running_) running_->discard = true;
}

void Stage::give_up(Sequences::iterator sequence, ErrorCode code, Effects& effects) {
    ++counters_.sequences_failed;
    send_failed(sequence->first, sequence->second.epoch, code, effects);
    close(sequence);
}

void Stage::send_failed(RequestId request, Epoch epoch, ErrorCode code, Effects& effects) const {
    if (!links_.next && !links_.previous) return;
    effects.sends.push_back({links_.next ? Direction::next : Direction::previous,
                             wire::Failed{request, epoch, code, options_.engine.layers.begin}});
}

}  // namespace teetee::pipeline
