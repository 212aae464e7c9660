// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stage.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "base/assert.hpp"
#include "crypto/hash.hpp"
#include "pipeline/batch.hpp"
#include "pipeline/quote_collector.hpp"
#include "pipeline/sign_off_collector.hpp"

namespace teetee::pipeline {

Stage::Stage(StageOptions options)
    : options_(std::move(options)),
      routes_({options_.node_id, options_.engine.is_tail()}),
      ledger_(options_.engine),
      log_(options_.replay_bytes_max) {
    TT_ASSERT(options_.engine.layers.begin > 0);
    TT_ASSERT(options_.engine.layers.begin < options_.engine.layers.end);
    TT_ASSERT(options_.engine.layers.end <= options_.engine.layer_count);
}

void Stage::on_link_up(Instant, const wire::NodeId& peer, Effects&) {
    routes_.on_link_up(peer);
}

void Stage::on_link_down(Instant now, const wire::NodeId& peer, Effects& effects) {
    now_ = now;
    for (const auto& [id, at] : routes_.on_link_down(peer)) {
        const Route route{id, at};
        // The tail of two has the entry on both sides.
        if (at.previous == peer)
            send_on_unless_tail(route, wire::Leave{}, effects);
        else
            effects.sends.push_back({at.previous, {id, wire::Lost{peer}}});
        end_route(now, id, effects);
    }
    start_next(effects);
}

void Stage::on_frame(Instant now, const wire::NodeId& from, wire::Frame frame, Effects& effects) {
    now_ = now;
    if (auto* probe = std::get_if<wire::Probe>(&frame.message)) {
        on_probe(frame.route, from, std::move(*probe), effects);
        return;
    }
    const Neighbours* at = routes_.find(frame.route);
    const bool is_lost = std::holds_alternative<wire::Lost>(frame.message);
    if (at == nullptr || from != (is_lost ? at->next : at->previous)) {
        ++counters_.messages_dropped;
        return;
    }
    const Route route{frame.route, *at};
    if (is_lost) {
        effects.sends.push_back({route.at.previous, std::move(frame)});
        // A probe that was on its way has made the route known there again.
        send_on_unless_tail(route, wire::Leave{}, effects);
        leave(now, route, effects);
    } else {
        on_route_message(now, route, std::move(frame.message), effects);
    }
}

/// Over a route that is up, from the node before this one.
void Stage::on_route_message(Instant now, const Route& route, wire::Message message,
                             Effects& effects) {
    if (const auto* open = std::get_if<wire::Open>(&message)) {
        on_open(route, *open, effects);
    } else if (auto* forward = std::get_if<wire::Forward>(&message)) {
        on_forward(route, std::move(*forward), effects);
    } else if (auto* replay = std::get_if<wire::Replay>(&message)) {
        on_replay(route, std::move(*replay), effects);
    } else if (const auto* over = std::get_if<wire::Close>(&message)) {
        on_close(route, *over, effects);
    } else if (const auto* retain = std::get_if<wire::Retain>(&message)) {
        on_retain(route, *retain, effects);
    } else if (auto* evict = std::get_if<wire::Evict>(&message)) {
        on_evict(route, std::move(*evict), effects);
    } else if (const auto* sign = std::get_if<wire::Sign>(&message)) {
        on_sign(route, *sign, effects);
    } else if (const auto* order = std::get_if<wire::Attest>(&message)) {
        on_attest(route, *order, effects);
    } else if (auto* ask = std::get_if<wire::SignOff>(&message)) {
        on_sign_off(route, std::move(*ask), effects);
    } else if (std::holds_alternative<wire::Leave>(message)) {
        send_on_unless_tail(route, wire::Leave{}, effects);
        leave(now, route, effects);
    } else if (std::holds_alternative<wire::Failed>(message) ||
               std::holds_alternative<wire::Record>(message) ||
               std::holds_alternative<wire::Quote>(message) ||
               std::holds_alternative<wire::SignedOff>(message)) {
        // On their way to the entry.
        send_on(route, std::move(message), effects);
    } else {
        ++counters_.messages_dropped;
    }
}

void Stage::on_computed(Instant now, ComputeResult result, Effects& effects) {
    now_ = now;
    if (!running_ || result.batch_id != running_->job_id) {
        ++counters_.messages_dropped;
        return;
    }
    Running running = std::move(*running_);
    running_.reset();
    if (!running.rows.empty()) meter_.compute.add(now - running.began);
    fail_sequences(result.failures, effects);
    const Neighbours* at = routes_.find(running.route);
    // Without its route nobody waits for the result.
    if (at != nullptr && !running.rows.empty())
        deliver({running.route, *at}, std::move(running), std::move(result), effects);
    start_next(effects);
}

void Stage::on_quoted(Instant, QuoteResult result, Effects& effects) {
    const auto quoting = quoting_.find(result.request);
    if (quoting == quoting_.end()) return;
    const wire::RouteId id = quoting->second;
    quoting_.erase(quoting);
    if (const Neighbours* at = routes_.find(id)) send_quote({id, *at}, std::move(result), effects);
}

void Stage::on_signed_off(Instant, SignOffResult result, Effects& effects) {
    const auto found = signing_off_.extract(result.id);
    if (found.empty()) return;
    const SigningOff& of = found.mapped();
    if (const Neighbours* at = routes_.find(of.route))
        send_on({of.route, *at}, message_of(of.ask, options_.node_id, result), effects);
}

void Stage::send_quote(const Route& route, QuoteResult result, Effects& effects) const {
    // What the next node would not take would cost the link.
    if (result.quote &&
        (result.quote->empty() || result.quote->size() > wire::Limits{}.quote_bytes_max)) {
        result.quote = fail(ErrorCode::evidence_unavailable,
                            "have a quote of " + std::to_string(result.quote->size()) + " bytes");
    }
    send_on(route, message_of(std::move(result), options_.engine.layers), effects);
}

void Stage::set_evidence(Bytes statement, Bytes quote) {
    former_statement_ = std::exchange(statement_, std::move(statement));
    quote_ = std::move(quote);
}

void Stage::on_open(const Route& route, const wire::Open& open, Effects& effects) {
    if (!is_newer(route, open)) {
        ++counters_.messages_dropped;
        return;
    }
    const auto refusal = take(route, open);
    if (refusal) {
        close_all(open.request);
        ++counters_.sequences_failed;
        counters_.prefixes_unknown += *refusal == ErrorCode::prefix_unknown ? 1 : 0;
        send_failed(route, open.request, open.epoch, *refusal, effects);
        start_next(effects);
        return;
    }
    wire::Open further = open;
    if (!further.resumes.empty()) further.resumes.erase(further.resumes.begin());
    send_on_unless_tail(route, std::move(further), effects);
}

std::optional<ErrorCode> Stage::take(const Route& route, const wire::Open& open) {
    // The next stage is to have a word for it as well.
    if (open.resumes.size() == 1 && !options_.engine.is_tail())
        return ErrorCode::message_unexpected;
    const bool keeps = !open.resumes.empty() && open.resumes.front() != wire::Resume::compute;
    return keeps ? resume(route, open) : begin(route, open);
}

/// The entry may be faster to open a request on another route than this stage hears the old one
/// end.
bool Stage::is_newer(const Route& route, const wire::Open& open) const {
    const auto is_older = [&](const Sequence& sequence) {
        return sequence.route.entry == route.id.entry && sequence.epoch < open.epoch;
    };
    const auto known = sequences_.find(open.request);
    const auto parked = parked_.find(open.request);
    return (known == sequences_.end() || is_older(known->second)) &&
           (parked == parked_.end() || is_older(parked->second.sequence));
}

std::optional<ErrorCode> Stage::begin(const Route& route, const wire::Open& open) {
    close_all(open.request);
    if (const auto refusal = refusal_of(route, open)) return refusal;
    if (!make_room(route.id, open)) return ErrorCode::kv_cache_full;
    TT_ASSERT(ledger_.open(open.request, open.positions_max, open.start));
    counters_.cached_tokens += open.start.positions;
    sequences_[open.request] = {.route = route.id,
                                .epoch = open.epoch,
                                .sampling = open.sampling,
                                .positions_max = open.positions_max,
                                .prompt_positions = open.prompt_positions,
                                .start = open.start,
                                .salt = open.salt,
                                .next_position = open.start.positions,
                                .settled = std::max(open.start.positions, open.prompt_positions)};
    sequences_[open.request].trace = SequenceTrace({.request = open.request,
                                                    .epoch = open.epoch,
                                                    .sampling = open.sampling,
                                                    .prompt_positions = open.prompt_positions,
                                                    .start = open.start,
                                                    .salt = open.salt});
    opens_.push_back(open.request);
    return {};
}

void Stage::on_forward(const Route& route, wire::Forward batch, Effects& effects) {
    const auto of_route = static_cast<size_t>(std::ranges::count(queue_, route.id, &Batch::route));
    if (batch.width != options_.engine.width ||
        batch.activations.size() != batch.rows.size() * batch.row_bytes()) {
        refuse(route, batch, ErrorCode::message_unexpected, effects);
    } else if (batch.rows.size() > options_.engine.rows_max) {
        refuse(route, batch, ErrorCode::limit_exceeded, effects);
    } else if (is_kept(route, batch)) {
        on_replay(route, {batch.batch_id, std::move(batch.rows)}, effects);
    } else if (of_route >= options_.batches_queued_max ||
               queued_bytes_ + batch.activations.size() > options_.bytes_queued_max) {
        refuse(route, batch, ErrorCode::overloaded, effects);
    } else {
        queued_bytes_ += batch.activations.size();
        queue_.push_back({route.id, std::move(batch), now_});
        start_next(effects);
    }
}

void Stage::on_close(const Route& route, const wire::Close& over, Effects& effects) {
    for (const RequestId& request : over.requests) {
        const auto sequence = sequences_.find(request);
        if (sequence != sequences_.end() && sequence->second.route == route.id) close(sequence);
        const auto parked = parked_.find(request);
        if (parked != parked_.end() && parked->second.sequence.route.entry == route.id.entry)
            close_parked(parked);
    }
    send_on_unless_tail(route, over, effects);
    start_next(effects);
}

void Stage::on_sign(const Route& route, const wire::Sign& sign, Effects& effects) {
    send_on_unless_tail(route, sign, effects);
    const auto found = live(route.id, sign.request, sign.epoch);
    if (found == sequences_.end() || !options_.signer) {
        ++counters_.messages_dropped;
        return;
    }
    const auto record = found->second.trace.sign(sign.position_end, *options_.signer);
    if (!record) {
        ++counters_.messages_dropped;
        return;
    }
    send_on(route, message_of(*record), effects);
}

void Stage::on_attest(const Route& route, const wire::Attest& order, Effects& effects) {
    send_on_unless_tail(route, order, effects);
    for (const Bytes* statement : {&statement_, &former_statement_}) {
        if (statement->empty() ||
            std::ranges::count(order.statements, crypto::sha256(*statement)) == 0) {
            continue;
        }
        quoting_.emplace(order.request, route.id);
        effects.quotes.push_back({order.request, attest::report_data(*statement, order.nonce)});
        return;
    }
    send_quote(
        route,
        {order.request, fail(ErrorCode::evidence_unavailable, "the receipt has another statement")},
        effects);
}

void Stage::on_sign_off(const Route& route, wire::SignOff ask, Effects& effects) {
    if (ask.node != options_.node_id) {
        if (options_.engine.is_tail()) ++counters_.messages_dropped;
        return send_on_unless_tail(route, std::move(ask), effects);
    }
    const auto of_entry = std::ranges::count_if(signing_off_, [&](const auto& other) {
        return other.second.route.entry == route.id.entry;
    });
    if (signing_off_.size() >= options_.sign_offs_max ||
        of_entry >= static_cast<ptrdiff_t>(options_.sign_offs_per_entry_max)) {
        const SignOffResult refused{0, fail(ErrorCode::overloaded, "others wait to be signed")};
        return send_on(route, message_of(ask.ask, options_.node_id, refused), effects);
    }
    const uint64_t id = next_sign_off_id_++;
    signing_off_[id] = {route.id, ask.ask};
    effects.sign_offs.push_back({id, std::move(ask.body)});
}

/// Of rows that were checked: each is the next of its sequence.
void Stage::trace_input(const wire::Forward& batch) {
    if (!options_.signer) return;
    const size_t row_bytes = batch.row_bytes();
    for (size_t i = 0; i < batch.rows.size(); ++i) {
        sequences_.at(batch.rows[i].request)
            .trace.add_input(ByteView(batch.activations).subspan(i * row_bytes, row_bytes));
    }
}

void Stage::trace_output(const wire::RouteId& route, const wire::Message& message) {
    if (!options_.signer) return;
    if (const auto* tokens = std::get_if<wire::Tokens>(&message)) {
        for (const wire::TokenRow& row : tokens->rows) {
            const auto found = live(route, row.request, row.epoch);
            if (found != sequences_.end()) found->second.trace.add_output(row.position, row.token);
        }
    } else if (const auto* forward = std::get_if<wire::Forward>(&message)) {
        const size_t row_bytes = forward->row_bytes();
        for (size_t i = 0; i < forward->rows.size(); ++i) {
            const wire::ForwardRow& row = forward->rows[i];
            const auto found = live(route, row.request, row.epoch);
            if (found == sequences_.end()) continue;
            found->second.trace.add_output(
                row.position, ByteView(forward->activations).subspan(i * row_bytes, row_bytes));
        }
    }
}

void Stage::on_probe(const wire::RouteId& id, const wire::NodeId& from, wire::Probe probe,
                     Effects& effects) {
    const Neighbours* at = routes_.join(id, from, probe);
    if (at == nullptr) {
        // The entry need not wait until it has missed the probe.
        if (const auto missing = routes_.missing_next(id, from, probe))
            effects.sends.push_back({from, {id, wire::Lost{*missing}}});
        else
            ++counters_.messages_dropped;
        return;
    }
    const KvAmount free = kv_free_for(id);
    wire::Hop hop{.node_id = options_.node_id,
                  .layers = options_.engine.layers,
                  .sequences_free = static_cast<uint32_t>(free.sequences),
                  .positions_free = free.positions,
                  .sequences_max = static_cast<uint32_t>(ledger_.capacity().sequences),
                  .positions_max = ledger_.capacity().positions,
                  .formats = wire::all_formats};
    if (probe.want_evidence) {
        hop.statement = statement_;
        hop.quote = quote_;
    }
    probe.hops.push_back(std::move(hop));
    send_on({id, *at}, std::move(probe), effects);
}

/// Gives up the batch's sequences; the empty batch still goes round, or the entry waits for it.
void Stage::refuse(const Route& route, const wire::Forward& batch, ErrorCode code,
                   Effects& effects) {
    for (const wire::ForwardRow& row : batch.rows) {
        const auto sequence = live(route.id, row.request, row.epoch);
        if (sequence != sequences_.end()) give_up(route, sequence, code, effects);
    }
    counters_.rows_dropped += batch.rows.size();
    send_on(route, empty_message(batch.batch_id, options_.engine), effects);
    start_next(effects);
}

/// The entry had guessed tokens, and the rows from here on were computed from wrong ones.
bool Stage::goes_back(const Sequence& sequence, const wire::ForwardRow& row) const {
    return row.position < sequence.next_position &&
           row.position >= std::max(sequence.settled, sequence.resumed) &&
           !sequence.sampling.needs_tokens();
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
void Stage::take_rows(const Route& route, wire::Forward& batch, Effects& effects) {
    std::set<RequestId> begun;
    for (const wire::ForwardRow& row : batch.rows) {
        const auto sequence = live(route.id, row.request, row.epoch);
        if (sequence == sequences_.end() || sequence->second.has_failed) continue;
        if (begun.insert(row.request).second && goes_back(sequence->second, row)) {
            sequence->second.next_position = row.position;
            sequence->second.trace.rewind(row.position);
        }
        auto broken = check_row(sequence->second, row);
        if (sequence->second.sampling.activations != batch.format)
            broken = ErrorCode::message_unexpected;
        if (broken) give_up(route, sequence, *broken, effects);
    }
    std::vector<bool> keep;
    keep.reserve(batch.rows.size());
    for (const wire::ForwardRow& row : batch.rows) {
        const auto sequence = live(route.id, row.request, row.epoch);
        keep.push_back(sequence != sequences_.end() && !sequence->second.has_failed);
    }
    counters_.rows_dropped += static_cast<uint64_t>(std::ranges::count(keep, false));
    keep_rows(batch, keep);
}

void Stage::start_next(Effects& effects) {
    while (!running_ && !queue_.empty()) {
        auto [id, batch, arrived] = std::move(queue_.front());
        queue_.pop_front();
        queued_bytes_ -= batch.activations.size();
        const Route route{id, *routes_.find(id)};
        take_rows(route, batch, effects);
        if (batch.rows.empty()) {
            send_on(route, empty_message(batch.batch_id, options_.engine), effects);
        } else {
            meter_.wait.add(now_ - arrived);
            start(id, std::move(batch), effects);
        }
    }
    // Nothing to compute, but memory to keep or to give back.
    if (!running_ && !(closes_.empty() && prefix_changes_.is_empty())) start({}, {}, effects);
}

void Stage::start(const wire::RouteId& route, wire::Forward batch, Effects& effects) {
    trace_input(batch);
    ComputeJob job{
        .batch_id = next_job_id_++,
        .prefixes = std::exchange(prefix_changes_, {}),
        .closes = std::exchange(closes_, {}),
        .rows = engine_rows(batch.rows),
        .activations = decode_rows(std::move(batch.activations), batch.width, batch.format)};
    for (const RequestId& request : std::exchange(opens_, {})) {
        const auto found = sequences_.find(request);
        if (found == sequences_.end() || found->second.in_engine) continue;
        Sequence& sequence = found->second;
        sequence.in_engine = true;
        job.opens.push_back({request, sequence.epoch, sequence.sampling, sequence.positions_max,
                             sequence.prompt_positions, sequence.start, sequence.salt});
    }
    if (!job.rows.empty()) {
        ++counters_.batches;
        meter_.rows.add(static_cast<double>(job.rows.size()));
    }
    counters_.rows += job.rows.size();
    running_ = {.job_id = job.batch_id,
                .route = route,
                .batch_id = batch.batch_id,
                .rows = std::move(batch.rows),
                .format = batch.format,
                .began = now_};
    effects.jobs.push_back(std::move(job));
}

void Stage::fail_sequences(const std::vector<SequenceFailure>& failures, Effects& effects) {
    for (const SequenceFailure& failure : failures) {
        const auto parked = parked_.find(failure.request);
        if (parked != parked_.end()) close_parked(parked);
        const auto sequence = sequences_.find(failure.request);
        // Closed, or opened anew while the engine was busy: the failure is of the old one.
        if (sequence == sequences_.end() || !sequence->second.in_engine) continue;
        if (sequence->second.has_failed) continue;
        const wire::RouteId id = sequence->second.route;
        const Route route{id, *routes_.find(id)};
        if (failure.error.code != ErrorCode::grammar_stuck) {
            give_up(route, sequence, failure.error.code, effects);
            continue;
        }
        // Its client's doing: what was computed before is right, and is to be paid for.
        sequence->second.has_failed = true;
        ++counters_.sequences_failed;
        send_failed(route, failure.request, sequence->second.epoch, failure.error.code, effects);
    }
}

void Stage::deliver(const Route& route, Running running, ComputeResult result, Effects& effects) {
    result.batch_id = running.batch_id;
    auto message = message_of(running.rows, std::move(result), options_.engine, running.format);
    if (!message) {
        effects.log.push_back({LogLevel::error, message.error().message()});
        refuse(route, {.batch_id = running.batch_id, .rows = std::move(running.rows)},
               ErrorCode::internal, effects);
        return;
    }
    if (const auto* forward = std::get_if<wire::Forward>(&*message))
        note_output(route.id, *forward);
    trace_output(route.id, *message);
    send_on(route, std::move(message).value(), effects);
}

Stage::Sequences::iterator Stage::live(const wire::RouteId& route, const RequestId& request,
                                       Epoch epoch) {
    const auto found = sequences_.find(request);
    const bool is_live =
        found != sequences_.end() && found->second.route == route && found->second.epoch == epoch;
    return is_live ? found : sequences_.end();
}

void Stage::close(Sequences::iterator sequence) {
    ledger_.close(sequence->first);
    log_.forget(sequence->first);
    if (sequence->second.in_engine)
        closes_.push_back(sequence->first);
    else
        std::erase(opens_, sequence->first);
    sequences_.erase(sequence);
}

void Stage::leave(Instant now, const Route& route, Effects& effects) {
    routes_.leave(route.id);
    end_route(now, route.id, effects);
    start_next(effects);
}

/// Of a route that is no longer among routes_.
void Stage::end_route(Instant now, const wire::RouteId& route, Effects& effects) {
    size_t count = 0;
    for (auto at = sequences_.begin(); at != sequences_.end();) {
        const auto found = at++;
        if (found->second.route != route) continue;
        park(now, found, effects);
        ++count;
    }
    if (count > 0) {
        effects.log.push_back({LogLevel::warn, "route lost: its " + std::to_string(count) +
                                                   " sequences may go on over another"});
    }
    std::erase_if(queue_, [&](const Batch& batch) {
        if (batch.route != route) return false;
        queued_bytes_ -= batch.forward.activations.size();
        return true;
    });
    drop_pages(route);
}

void Stage::give_up(const Route& route, Sequences::iterator sequence, ErrorCode code,
                    Effects& effects) {
    ++counters_.sequences_failed;
    send_failed(route, sequence->first, sequence->second.epoch, code, effects);
    close(sequence);
}

void Stage::send_failed(const Route& route, const RequestId& request, Epoch epoch, ErrorCode code,
                        Effects& effects) const {
    send_on(route, wire::Failed{request, epoch, code, options_.engine.layers.begin}, effects);
}

void Stage::send_on(const Route& route, wire::Message message, Effects& effects) const {
    effects.sends.push_back({route.at.next, {route.id, std::move(message)}});
}

void Stage::send_on_unless_tail(const Route& route, wire::Message message, Effects& effects) const {
    if (!options_.engine.is_tail()) send_on(route, std::move(message), effects);
}

}  // namespace teetee::pipeline
