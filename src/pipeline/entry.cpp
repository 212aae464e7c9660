// SPDX-License-Identifier: Apache-2.0
#include "pipeline/entry.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/assert.hpp"
#include "pipeline/batch.hpp"
#include "wire/limits.hpp"

// Requests and messages; routes are in entry_routes.cpp, batches in entry_schedule.cpp, retained
// pages in entry_prefixes.cpp, what concerns the draft model in entry_drafts.cpp, what is signed of
// settlements in entry_sign_offs.cpp.
namespace teetee::pipeline {

Entry::Entry(EntryOptions options)
    : options_(std::move(options)),
      capacity_(KvLedger(options_.engine).capacity()),
      kept_(options_.engine),
      log_(options_.replay_bytes_max),
      records_(options_.records),
      quotes_(options_.quotes),
      sign_offs_(options_.sign_offs) {
    TT_ASSERT(options_.engine.layers.begin == 0 && options_.engine.layers.end > 0);
    TT_ASSERT(options_.engine.layers.end <= options_.engine.layer_count);
    TT_ASSERT(options_.chunk_rows > 0 && options_.batch_rows_max > 0);
    TT_ASSERT(options_.engine.rows_max > 0);
    TT_ASSERT(options_.probe_interval > Duration{0});
    TT_ASSERT(options_.probe_timeout >= options_.probe_interval);
    // Alone it sends no rows.
    if (options_.engine.is_tail()) options_.activations = ActivationFormat::f32;
}

Result<void> Entry::submit(Instant now, Submission submission, Effects& effects) {
    TT_CHECK(check(now, submission));
    const RequestId id = submission.request;
    Request& request = requests_[id];
    request.tokens = std::move(submission.prompt);
    request.prompt_count = request.tokens.size();
    request.submission = std::move(submission);
    request.submission.sampling.activations = options_.activations;
    request.waits_since = now;
    if (request.submission.deadline) deadlines_.emplace(*request.submission.deadline, id);
    queue_.push(id, request.submission.tenant);
    schedule(now, effects);
    return {};
}

Result<Usage> Entry::cancel(Instant now, RequestId request, Effects& effects, uint32_t delivered) {
    const auto found = requests_.find(request);
    if (found == requests_.end())
        return fail(ErrorCode::request_unknown, "cancel: no such request");
    take_back(found->second, delivered);
    const Usage usage = found->second.usage;
    ask_for_records(found->second, effects);
    retain(found->second, effects);
    end(found, effects);
    schedule(now, effects);
    return usage;
}

void Entry::ask_for_quotes(Instant now, QuoteOrder order, Effects& effects) {
    const Lane* lane = find_lane(order.route);
    if (lane == nullptr || !lane->route.ready()) {
        return QuoteCollector::refuse(order, fail(ErrorCode::route_unavailable, "route: not ready"),
                                      effects);
    }
    if (quotes_.is_full()) {
        return QuoteCollector::refuse(
            order, fail(ErrorCode::overloaded, "others wait for fresh quotes"), effects);
    }
    send(*lane, wire::Attest{order.request, order.nonce, order.statements}, effects);
    effects.quotes.push_back({order.request, order.report_data.at(options_.engine.layers)});
    quotes_.begin(now, std::move(order), effects);
}

void Entry::on_link_up(Instant now, const wire::NodeId& peer, Effects& effects) {
    peers_.insert(peer);
    for (auto& [number, lane] : lanes_) {
        if (lane->route.on_link_up(peer) && lane->route.is_linked())
            send_probe(now, *lane, effects);
    }
}

void Entry::on_link_down(Instant now, const wire::NodeId& peer, Effects& effects) {
    peers_.erase(peer);
    for (auto& [number, lane] : lanes_) {
        const bool was_ready = lane->route.ready();
        if (!lane->route.on_link_down(peer)) continue;
        if (was_ready) effects.log.push_back({LogLevel::warn, "route: a neighbour was lost"});
        lose_route(now, *lane, fail(ErrorCode::stage_failed, "route: a neighbour was lost"),
                   effects);
    }
    schedule(now, effects);
}

void Entry::on_frame(Instant now, const wire::NodeId& from, wire::Frame frame, Effects& effects) {
    Lane* lane = find_lane(frame.route);
    const bool is_lost = std::holds_alternative<wire::Lost>(frame.message);
    if (lane == nullptr || !lane->route.is_linked() ||
        from != (is_lost ? lane->route.first() : lane->route.tail())) {
        ++counters_.messages_dropped;
    } else if (const auto* lost = std::get_if<wire::Lost>(&frame.message)) {
        on_lost(now, *lane, lost->node, effects);
    } else {
        on_route_message(now, *lane, std::move(frame.message), effects);
    }
    schedule(now, effects);
}

void Entry::on_lost(Instant now, Lane& lane, const wire::NodeId& node, Effects& effects) {
    const bool was_ready = lane.route.ready();
    const Error error = fail(ErrorCode::stage_failed, "route: lost node 0x" + to_hex(node));
    if (was_ready) effects.log.push_back({LogLevel::warn, error.message()});
    lose_route(now, lane, error, effects);
    // A newcomer has yet to be linked by its neighbours.
    const bool is_young = !was_ready && now - lane.made < options_.probe_timeout;
    if (!is_young && std::ranges::count(lane.route.path(), node) > 0)
        effects.suspects.push_back(node);
    // It may be whole again already; if not, the next probe is soon enough.
    if (was_ready) send_probe(now, lane, effects);
}

void Entry::on_route_message(Instant now, Lane& lane, wire::Message message, Effects& effects) {
    if (const auto* failed = std::get_if<wire::Failed>(&message)) {
        on_failed(lane, *failed, effects);
    } else if (const auto* tokens = std::get_if<wire::Tokens>(&message)) {
        on_tokens(now, lane, *tokens, effects);
    } else if (auto* probe = std::get_if<wire::Probe>(&message)) {
        on_probe(now, lane, std::move(*probe), effects);
    } else if (auto* record = std::get_if<wire::Record>(&message)) {
        if (!records_.on_record(lane.route, std::move(*record), effects))
            ++counters_.messages_dropped;
    } else if (auto* quote = std::get_if<wire::Quote>(&message)) {
        const LayerRange layers = quote->layers;
        on_quote(result_of(std::move(*quote)), layers, effects);
    } else if (const auto* signed_off = std::get_if<wire::SignedOff>(&message)) {
        on_signed_off(lane, *signed_off, effects);
    } else {
        ++counters_.messages_dropped;
    }
}

void Entry::on_quoted(Instant, QuoteResult result, Effects& effects) {
    on_quote(std::move(result), options_.engine.layers, effects);
}

void Entry::on_quote(QuoteResult result, LayerRange layers, Effects& effects) {
    if (!quotes_.on_quote(std::move(result), layers, effects)) ++counters_.messages_dropped;
}

void Entry::on_timer(Instant now, uint64_t id, Effects& effects) {
    if (id == QuoteCollector::timer_id) return quotes_.expire(now, effects);
    if (id == SignOffCollector::timer_id) return sign_offs_.expire(now, effects);
    if (id != tick_timer_id || !tick_at_ || now < *tick_at_) return;
    for (auto& [number, lane] : lanes_) {
        if (lane->route.is_alone()) continue;
        const bool was_ready = lane->route.ready();
        if (const auto stalled = lane->route.check_stall(now, lane->links()); !stalled) {
            if (was_ready) effects.log.push_back({LogLevel::warn, stalled.error().message()});
            lose_route(now, *lane, stalled.error(), effects);
        }
        forget_batches(now, *lane, effects);
        if (lane->route.is_linked()) send_probe(now, *lane, effects);
    }
    end_drained(now, effects);
    records_.expire(now, effects);
    await_no_longer(now, effects);
    give_up_queued(now, effects);
    tick_at_ = now + options_.probe_interval;
    effects.timers.push_back({tick_timer_id, *tick_at_});
    schedule(now, effects);
}

void Entry::set_evidence(Bytes statement, Bytes quote) {
    statement_ = std::move(statement);
    quote_ = std::move(quote);
    refresh_evidence();
}

void Entry::refresh_evidence() {
    for (auto& [number, lane] : lanes_) lane->route.refresh_evidence();
}

size_t Entry::active_count() const {
    size_t count = 0;
    for (const auto& [number, lane] : lanes_) count += lane->active.size();
    return count;
}

bool Entry::is_active(const RequestId& request) const {
    const auto found = requests_.find(request);
    return found != requests_.end() && found->second.lane != nullptr;
}

size_t Entry::in_flight_count() const {
    size_t count = 0;
    for (const auto& [number, lane] : lanes_) count += lane->in_flight.size();
    return count;
}

KvAmount Entry::kv_used() const {
    KvAmount used = kept_.used();
    for (const auto& [number, lane] : lanes_) {
        used.sequences += lane->ledger.used().sequences;
        used.positions += lane->ledger.used().positions;
    }
    return used;
}

KvAmount Entry::kv_free() const {
    const KvAmount used = kv_used();
    return {capacity_.sequences - std::min(capacity_.sequences, used.sequences),
            capacity_.positions - std::min(capacity_.positions, used.positions)};
}

/// With what would be dropped for it: what queued requests keep, and pages of other routes that
/// nobody uses.
KvAmount Entry::kv_free_for(const Lane& lane) const {
    KvAmount free = kv_free();
    free.sequences += kept_.used().sequences;
    free.positions += kept_.used().positions;
    for (const auto& [number, other] : lanes_) {
        if (other.get() != &lane) free.positions += other->ledger.idle_positions();
    }
    return free;
}

size_t Entry::retained_page_count() const {
    size_t count = 0;
    for (const auto& [number, lane] : lanes_) count += lane->ledger.retained_count();
    return count;
}

Result<void> Entry::check(Instant now, const Submission& submission) const {
    if (submission.prompt.empty() || submission.max_tokens == 0) {
        return fail(ErrorCode::invalid_argument, "request: need a prompt and max_tokens above 0");
    }
    if (submission.stop_tokens.size() > stop_tokens_max) {
        return fail(ErrorCode::invalid_argument,
                    "stop tokens: have " + std::to_string(submission.stop_tokens.size()) +
                        ", at most " + std::to_string(stop_tokens_max));
    }
    TT_CHECK(validate(submission.sampling));
    if (submission.sampling.answer_given >= submission.prompt.size())
        return fail(ErrorCode::invalid_argument, "answer: need a prompt before what is given");
    if (requests_.contains(submission.request)) {
        return fail(ErrorCode::invalid_argument, "request: id is in use");
    }
    const uint64_t positions = uint64_t{submission.prompt.size()} + submission.max_tokens;
    const uint64_t positions_max =
        std::min<uint64_t>(options_.engine.sequence_positions_max, wire::Limits{}.positions_max);
    if (positions > positions_max) {
        return fail(ErrorCode::context_exceeded,
                    "prompt and max_tokens: have " + std::to_string(positions) +
                        " positions, at most " + std::to_string(positions_max));
    }
    const TokenId token_max = std::ranges::max(submission.prompt);
    if (token_max >= options_.engine.vocabulary_size) {
        return fail(ErrorCode::token_out_of_range,
                    "prompt: need tokens below " + std::to_string(options_.engine.vocabulary_size));
    }
    const std::vector<LogitBias>& bias = submission.sampling.logit_bias;
    if (!bias.empty() && bias.back().token >= options_.engine.vocabulary_size) {
        return fail(ErrorCode::token_out_of_range,
                    "logit_bias: have token " + std::to_string(bias.back().token) +
                        ", need tokens below " + std::to_string(options_.engine.vocabulary_size));
    }
    if (ready()) {
        TT_CHECK(check_room(submission));
    } else if (!routeless_since_ || now - *routeless_since_ >= options_.reroute_timeout) {
        return fail(ErrorCode::route_unavailable, "route: none is ready");
    }
    if (submission.deadline && *submission.deadline <= now)
        return fail(ErrorCode::deadline_exceeded, "request: its time was over before it began");
    return check_queue(submission);
}

/// Dynamic thresholds (Choudhury, Hahne 1998): a tenant that keeps asking leaves places to others.
/// Those that have lost their route had their turn, and take no place.
Result<void> Entry::check_queue(const Submission& submission) const {
    const size_t own = queue_.waiting_count(submission.tenant);
    const size_t all = queue_.waiting_count();
    if (all + own < options_.queued_max) return {};
    return fail(ErrorCode::overloaded,
                "queue: have " + std::to_string(all) + " requests that wait for room, " +
                    std::to_string(own) + " of this tenant, at most " +
                    std::to_string(options_.queued_max) + " and no more than are free of a tenant");
}

/// Some route could hold it, were it alone there; one that is not ready may be in a moment.
Result<void> Entry::check_room(const Submission& submission) const {
    const uint64_t positions = uint64_t{submission.prompt.size()} + submission.max_tokens;
    uint64_t most = 0;
    bool fits_somewhere = false;
    for (const auto& [number, lane] : lanes_) {
        most = std::max(most, lane->route.whole().positions);
        fits_somewhere = fits_somewhere || could_hold(*lane, static_cast<Position>(positions));
    }
    if (!fits_somewhere) {
        return fail(ErrorCode::kv_cache_full, "KV cache: have " + std::to_string(most) +
                                                  " positions on the tightest stage, need " +
                                                  std::to_string(positions) +
                                                  " for prompt and max_tokens");
    }
    return {};
}

void Entry::on_failed(const Lane& lane, const wire::Failed& failed, Effects& effects) {
    const auto found = requests_.find(failed.request);
    if (found == requests_.end() || found->second.lane != &lane ||
        found->second.epoch != failed.epoch) {
        ++counters_.messages_dropped;
        return;
    }
    fail_sequence(found,
                  fail(failed.code, "stage from layer " + std::to_string(failed.layer_begin)),
                  effects);
}

void Entry::on_probe(Instant now, Lane& lane, wire::Probe probe, Effects& effects) {
    const bool was_ready = lane.route.ready();
    const auto accepted = lane.route.on_probe(now, std::move(probe));
    if (!accepted) {
        ++counters_.messages_dropped;
        if (accepted.error().code != ErrorCode::route_unavailable) return;
        const std::string why = accepted.error().message();
        if (was_ready || std::exchange(lane.refusal, why) != why)
            effects.log.push_back({LogLevel::warn, why});
        lose_route(now, lane, accepted.error(), effects);
    } else if (!was_ready) {
        if (!lane.is_barred) routeless_since_.reset();
        lane.refusal.clear();
        effects.log.push_back(
            {LogLevel::info,
             "route: ready, " + std::to_string(lane.route.stage_count()) + " stages"});
    }
}

void Entry::send_probe(Instant now, Lane& lane, Effects& effects) {
    const KvAmount free = kv_free_for(lane);
    wire::Hop own{.node_id = options_.node_id,
                  .layers = options_.engine.layers,
                  .sequences_free = static_cast<uint32_t>(free.sequences),
                  .positions_free = free.positions,
                  .sequences_max = static_cast<uint32_t>(capacity_.sequences),
                  .positions_max = capacity_.positions,
                  .formats = wire::all_formats};
    if (lane.route.wants_evidence()) {
        own.statement = statement_;
        own.quote = quote_;
    }
    send(lane, lane.route.make_probe(now, std::move(own), lane.ledger.used()), effects);
}

Duration Entry::patience(const Lane& lane, const Lane::Batch& batch) const {
    const double expected = lane.row_cost.seconds(batch.rows.size());
    if (expected <= 0) return options_.batch_timeout;
    const auto several = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(std::min(8 * expected, 1e6)));
    return std::min(options_.batch_timeout, options_.batch_patience + several);
}

/// A route that answers probes can still have lost a batch: where an engine hangs, or where a link
/// was down so briefly that only requests cancelled since were hurt.
void Entry::forget_batches(Instant now, Lane& lane, Effects& effects) {
    bool is_lost = false;
    std::erase_if(lane.in_flight, [&](const auto& entry) {
        const Duration age = now - entry.second.formed;
        const bool wanted = std::ranges::any_of(
            entry.second.rows, [&](const auto& row) { return live(row) != requests_.end(); });
        is_lost = is_lost || (wanted && age >= patience(lane, entry.second));
        return !wanted && age >= options_.probe_timeout;
    });
    if (!is_lost) return;
    const Error error = fail(ErrorCode::stage_timeout, "route: a batch took too long");
    effects.log.push_back({LogLevel::warn, error.message()});
    lose_route(now, lane, error, effects);
}

/// Its stages are told, as far as they can be reached; it may come back.
void Entry::lose_route(Instant now, Lane& lane, const Error& error, Effects& effects) {
    if (!lane.route.is_alone() && peers_.contains(lane.route.first()))
        send(lane, wire::Leave{}, effects);
    lane.route.reset();
    lane.in_flight.clear();
    const Error unavailable = fail(ErrorCode::route_unavailable, "route: lost");
    records_.fail_route(lane.route.id(), unavailable, effects);
    quotes_.fail_route(lane.route.id(), unavailable, effects);
    sign_offs_.fail_route(lane.route.id(), unavailable, effects);
    // The oldest is to be the first in the queue.
    while (!lane.active.empty())
        interrupt(now, requests_.find(std::prev(lane.active.end())->second), error, effects);
    forget_prefixes(lane, effects);
    give_up_queued(now, effects);
}

/// The request is to go on over another route.
void Entry::interrupt(Instant now, Requests::iterator found, const Error& error, Effects& effects) {
    Request& request = found->second;
    if (++request.interruptions > options_.reroutes_max) return give_up(found, error, effects);
    ++counters_.reroutes;
    if (can_keep(request)) request.kept = {request.lane->route.path(), request.computed};
    queue_again(found, effects);
    request.interruption = error;
    // One that was refused room has waited since before.
    if (!request.was_refused) request.waits_since = now;
}

/// From its first position, in a new epoch, before all others that wait.
void Entry::queue_again(Requests::iterator found, Effects& effects) {
    leave_route(found, effects);
    Request& request = found->second;
    ++request.epoch;
    request.next_position = 0;
    request.computed = 0;
    request.replayed = 0;
    request.resumed = 0;
    request.start = {};
    request.drafts.is_awaited = false;
    queue_.push_first(found->first);
}

/// There are routes, but it has waited too long for room on them, or for one that could hold it.
void Entry::give_up_if_unfit(Instant now, Requests::iterator found, Effects& effects) {
    Request& request = found->second;
    const Error no_room = fail(ErrorCode::overloaded, "request: found no room in time");
    if (now - request.waits_since >= options_.room_timeout) return give_up(found, no_room, effects);
    const bool is_fit = std::ranges::any_of(lanes_, [&](const auto& lane) {
        return lane.second->is_open() && could_hold(*lane.second, request.positions_max());
    });
    if (is_fit) return request.unfit_since.reset();
    if (!request.unfit_since) request.unfit_since = now;
    if (now - *request.unfit_since < options_.reroute_timeout) return;
    give_up(found,
            request.interruption.value_or(
                fail(ErrorCode::route_unavailable, "route: none that is ready could hold it")),
            effects);
}

/// As long as some route is ready they wait for room.
void Entry::give_up_queued(Instant now, Effects& effects) {
    if (ready()) {
        routeless_since_.reset();
        for (const RequestId& id : queue_.requests())
            give_up_if_unfit(now, requests_.find(id), effects);
        return;
    }
    if (!routeless_since_) routeless_since_ = now;
    if (now - *routeless_since_ < options_.reroute_timeout) return;
    while (!queue_.empty()) {
        const auto found = requests_.find(queue_.front());
        give_up(
            found,
            found->second.interruption.value_or(fail(ErrorCode::route_unavailable, "route: lost")),
            effects);
    }
}

void Entry::finish(Requests::iterator found, FinishReason reason, Effects& effects) {
    effects.events.emplace_back(
        ClientDone{.request = found->first, .reason = reason, .usage = found->second.usage});
    ask_for_records(found->second, effects);
    retain(found->second, effects);
    end(found, effects);
}

void Entry::give_up(Requests::iterator found, Error error, Effects& effects) {
    ++counters_.sequences_failed;
    effects.events.emplace_back(ClientFailed{
        .request = found->first, .error = std::move(error), .usage = found->second.usage});
    // Its client has these tokens, whatever becomes of the rest.
    if (found->second.usage.completion_tokens > 0) ask_for_records(found->second, effects);
    end(found, effects);
}

void Entry::end(Requests::iterator found, Effects& effects) {
    if (found->second.lane != nullptr)
        leave_route(found, effects);
    else
        queue_.erase(found->first);
    if (const auto& deadline = found->second.submission.deadline)
        deadlines_.erase({*deadline, found->first});
    drop_kept(found->second);
    end_drafts(found->second, effects);
    requests_.erase(found);
}

void Entry::leave_route(Requests::iterator found, Effects& effects) {
    const RequestId id = found->first;
    Request& request = found->second;
    Lane& lane = *std::exchange(request.lane, nullptr);
    lane.ledger.close(id);
    lane.active.erase(request.serial);
    lane.prompt_turns.erase(id);
    if (request.kept) {
        TT_ASSERT(kept_.open(id, request.positions_max()));
    } else {
        log_.forget(id);
        if (std::erase_if(opens_, [&](const auto& open) { return open.request == id; }) == 0)
            closes_.push_back(id);
    }
    if (lane.route.ready()) send(lane, wire::Close{{id}}, effects);
}

/// To the stages of the route; there are none where the entry is alone.
void Entry::send(const Lane& lane, wire::Message message, Effects& effects) const {
    if (lane.route.is_alone()) return;
    effects.sends.push_back({lane.route.first(), {lane.route.id(), std::move(message)}});
}

Lane* Entry::find_lane(const wire::RouteId& id) {
    const auto found = lanes_.find(id.number);
    return found == lanes_.end() || found->second->route.id() != id ? nullptr : found->second.get();
}

Entry::Requests::iterator Entry::live(const wire::ForwardRow& row) {
    const auto found = requests_.find(row.request);
    return found != requests_.end() && found->second.epoch == row.epoch ? found : requests_.end();
}

}  // namespace teetee::pipeline
