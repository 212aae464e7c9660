// SPDX-License-Identifier: Apache-2.0
// Batches of the entry: how they are formed and what their tokens lead to; the rest of it is in
// entry.cpp.
#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "pipeline/batch.hpp"
#include "pipeline/entry.hpp"
#include "wire/limits.hpp"

namespace teetee::pipeline {

/// Gives the idle engine its next job, for the next route in turn that has something to do.
void Entry::schedule(Instant now, Effects& effects) {
    end_overdue(now, effects);
    if (!running_) admit(now, effects);
    for (auto& [number, lane] : lanes_) replay(now, *lane, effects);
    ask_for_drafts(now, effects);
    if (running_) return;
    ComputeJob job{.batch_id = next_batch_id_};
    Lane::Batch batch{.formed = now};
    auto turn = lanes_.upper_bound(last_lane_);
    for (size_t i = 0; i < lanes_.size() && batch.rows.empty(); ++i) {
        if (turn == lanes_.end()) turn = lanes_.begin();
        last_lane_ = turn->first;
        schedule_lane(*turn->second, job, batch);
        ++turn;
    }
    if (batch.rows.empty() && closes_.empty() && prefix_changes_.is_empty()) return;
    job.prefixes = std::exchange(prefix_changes_, {});
    job.closes = std::exchange(closes_, {});
    job.opens = std::exchange(opens_, {});
    job.rows = engine_rows(batch.rows);
    running_ = {next_batch_id_++, last_lane_};
    if (!batch.rows.empty()) {
        running_->began = now;
        meter_.rows.add(static_cast<double>(batch.rows.size()));
        ++counters_.batches;
        counters_.rows += batch.rows.size();
        lanes_.at(last_lane_)->in_flight[running_->batch_id] = std::move(batch);
    }
    effects.jobs.push_back(std::move(job));
}

void Entry::schedule_lane(Lane& lane, ComputeJob& job, Lane::Batch& batch) {
    if (!lane.route.ready() || lane.in_flight.size() > lane.route.stage_count()) return;
    const size_t rows_max =
        std::min({options_.batch_rows_max, options_.engine.rows_max, wire::Limits{}.rows_max});
    add_decode_rows(lane, job, batch, rows_max);
    add_prompt_rows(lane, job, batch, rows_max);
}

/// Wherever they are; every stage frees at once what it holds of them.
void Entry::end_overdue(Instant now, Effects& effects) {
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        const auto found = requests_.find(deadlines_.begin()->second);
        give_up(found, fail(ErrorCode::deadline_exceeded, "request: not done in its time"),
                effects);
    }
}

/// Strictly in the order of the queue: a small request does not overtake a large one whose turn it
/// is.
void Entry::admit(Instant now, Effects& effects) {
    while (!queue_.empty()) {
        const auto found = requests_.find(queue_.front());
        Request& request = found->second;
        const Choice choice = choose_lane(request);
        if (choice.lane == nullptr) {
            if (choice.lacks_own_room && drop_kept_of_another(found->first)) continue;
            return;
        }
        Lane& lane = *choice.lane;
        queue_.pop(request.positions_max());
        if (request.kept) kept_.close(found->first);
        request.start = choice.start;
        TT_ASSERT(lane.ledger.open(found->first, request.positions_max(), request.start));
        make_room(lane, effects);
        entry_meter_.queue.add(now - request.waits_since);
        open(lane, request, effects);
    }
}

/// The route on which the request should be over first, of those that have room for it now.
Entry::Choice Entry::choose_lane(const Request& request) {
    Choice choice;
    // One that drains takes what no other could hold.
    const bool has_preferred = std::ranges::any_of(lanes_, [&](const auto& lane) {
        return lane.second->is_preferred() && could_hold(*lane.second, request.positions_max());
    });
    Duration best{};
    for (auto& [number, lane] : lanes_) {
        if (!lane->is_open() || (has_preferred && lane->is_draining)) continue;
        const PrefixStart start = start_of(*lane, request);
        const auto need = lane->ledger.need(request.positions_max(), start);
        TT_ASSERT(need);
        if (!lane->route.knows_capacity() ||
            !fits(lane->ledger.busy(), *need, lane->route.capacity())) {
            continue;
        }
        if (!fits_here(request, *need)) {
            choice.lacks_own_room = true;
            continue;
        }
        const Duration time = expected_time(*lane, request, start);
        if (choice.lane != nullptr && time >= best) continue;
        choice.lane = lane.get();
        choice.start = start;
        best = time;
    }
    return choice;
}

/// Were it alone there.
bool Entry::could_hold(const Lane& lane, Position positions) {
    const auto need = lane.ledger.need(positions);
    return need && fits({}, *need, lane.route.whole());
}

/// A pass through the stages for each token and each chunk of the prompt, shared with the others on
/// the route as soon as there are more than it has stages.
Duration Entry::expected_time(const Lane& lane, const Request& request, PrefixStart start) const {
    const Duration known = lane.batch_time > Duration{} ? lane.batch_time : lane.route.round_trip();
    const Duration pass = std::max(known, Duration(1));
    const size_t chunks = 1 + (request.tokens.size() - start.positions) / options_.chunk_rows;
    const auto passes = static_cast<int64_t>(chunks + request.submission.max_tokens);
    const auto others = static_cast<int64_t>(lane.active.size());
    const auto stages = static_cast<int64_t>(lane.route.stage_count());
    return passes * pass * (stages + others) / stages;
}

Duration Entry::next_end() const {
    std::optional<Duration> least;
    for (const auto& [id, request] : requests_) {
        if (request.lane == nullptr) continue;
        const auto left =
            static_cast<int64_t>(request.submission.max_tokens - request.usage.completion_tokens);
        const Duration time = left * request.lane->batch_time;
        least = std::min(least.value_or(time), time);
    }
    return least.value_or(Duration{});
}

bool Entry::fits_here(const Request& request, KvAmount need) const {
    KvAmount busy = kept_.busy();
    if (request.kept) {
        --busy.sequences;
        busy.positions -= kept_.own_positions(request.submission.request);
    }
    for (const auto& [number, other] : lanes_) {
        busy.sequences += other->ledger.busy().sequences;
        busy.positions += other->ledger.busy().positions;
    }
    return fits(busy, need, capacity_);
}

void Entry::open(Lane& lane, Request& request, Effects& effects) {
    const Submission& submission = request.submission;
    const auto prompt_positions = static_cast<Position>(request.prompt_count);
    request.lane = &lane;
    request.serial = next_serial_++;
    request.interruption.reset();
    lane.active[request.serial] = submission.request;
    lane.prompt_turns.push(submission.request, submission.tenant);
    request.next_position = request.start.positions;
    request.usage.cached_tokens = request.start.positions;
    request.usage.prompt_tokens = std::max(request.usage.prompt_tokens, request.start.positions);
    request.resumes = resumes_on(lane, request);
    if (!request.resumes.empty()) {
        resume(request);
    } else {
        if (std::exchange(request.kept, {})) closes_.push_back(submission.request);
        opens_.push_back({.request = submission.request,
                          .epoch = request.epoch,
                          .sampling = submission.sampling,
                          .positions_max = request.positions_max(),
                          .prompt_positions = prompt_positions,
                          .start = request.start,
                          .salt = submission.salt});
        request.trace = SequenceTrace(opens_.back());
    }
    send(lane,
         wire::Open{.request = submission.request,
                    .epoch = request.epoch,
                    .sampling = submission.sampling,
                    .positions_max = request.positions_max(),
                    .prompt_positions = prompt_positions,
                    .start = request.start,
                    .salt = submission.salt,
                    .resumed_positions = request.resumed,
                    .resumes = request.resumes},
         effects);
}

void Entry::add_decode_rows(Lane& lane, ComputeJob& job, Lane::Batch& batch, size_t rows_max) {
    size_t decoding = 0;
    for (const auto& [serial, id] : lane.active) decoding += requests_.at(id).is_decoding() ? 1 : 0;
    // With all of them in one batch, one stage would work and the others wait.
    const size_t stages = lane.route.stage_count();
    size_t share = (decoding + stages - 1) / stages;
    auto turn = lane.active.upper_bound(lane.last_decoded);
    for (size_t turns = lane.active.size(); turns > 0; --turns, ++turn) {
        if (share == 0 || batch.rows.size() >= rows_max) return;
        if (turn == lane.active.end()) turn = lane.active.begin();
        Request& request = requests_.at(turn->second);
        if (!request.is_decoding() || request.unscheduled() != 1 || request.drafts.is_awaited)
            continue;
        --share;
        lane.last_decoded = turn->first;
        add_row(request, {request.tokens.back()}, job, batch);
        add_guesses(lane, request, job, batch, rows_max);
    }
}

bool Entry::is_wrong(const Request& request, Position position, Lane::Source source) {
    return position >= request.tokens.size() || request.tokens[position] != source.token;
}

void Entry::add_prompt_rows(Lane& lane, ComputeJob& job, Lane::Batch& batch, size_t rows_max) {
    // One chunk of each at most.
    std::vector<RequestId> unfinished;
    while (!lane.prompt_turns.empty() && batch.rows.size() < rows_max) {
        const RequestId id = lane.prompt_turns.front();
        Request& request = requests_.at(id);
        const size_t left = request.is_replaying() ? 0 : request.unscheduled();
        const size_t count =
            std::min<size_t>({options_.chunk_rows, left, rows_max - batch.rows.size()});
        for (size_t i = 0; i < count; ++i)
            add_row(request, {request.tokens[request.next_position]}, job, batch);
        lane.prompt_turns.pop(count);
        if (request.unscheduled() > 0) unfinished.push_back(id);
    }
    for (const RequestId& id : unfinished)
        lane.prompt_turns.push(id, requests_.at(id).submission.tenant);
}

void Entry::add_row(Request& request, Lane::Source source, ComputeJob& job, Lane::Batch& batch) {
    const TokenId token = source.token;
    // Only the last token of the prompt, and every one after it, leads to a new token.
    const bool wants_token = request.next_position + 1 >= request.prompt_count;
    batch.rows.push_back(
        {request.submission.request, request.epoch, request.next_position, wants_token});
    if (request.submission.sampling.needs_tokens()) batch.rows.back().token = token;
    batch.sources.push_back(source);
    job.tokens.push_back(token);
    if (records_.is_on()) request.trace.add_input(token);
    ++request.next_position;
    const size_t of_prompt = std::min<size_t>(request.next_position, request.prompt_count);
    request.usage.prompt_tokens =
        std::max(request.usage.prompt_tokens, static_cast<uint32_t>(of_prompt));
}

void Entry::on_computed(Instant now, ComputeResult result, Effects& effects) {
    if (!running_ || result.batch_id != running_->batch_id) {
        ++counters_.messages_dropped;
        return;
    }
    const uint64_t number = running_->lane;
    if (running_->began) meter_.compute.add(now - *running_->began);
    running_.reset();
    fail_sequences(result.failures, effects);
    const auto lane = lanes_.find(number);
    // Not there: the job only closed, or the route was lost meanwhile.
    if (lane != lanes_.end()) {
        const auto batch = lane->second->in_flight.find(result.batch_id);
        if (batch != lane->second->in_flight.end())
            deliver(now, *lane->second, batch->second, std::move(result), effects);
    }
    schedule(now, effects);
}

/// No request is admitted while the engine works: an active one is the one that failed, and one
/// that waits has nothing any more to go on with.
void Entry::fail_sequences(const std::vector<SequenceFailure>& failures, Effects& effects) {
    for (const SequenceFailure& failure : failures) {
        const auto request = requests_.find(failure.request);
        if (request == requests_.end()) continue;
        if (request->second.lane != nullptr)
            fail_sequence(request, failure.error, effects);
        else
            drop_kept(request->second);
    }
}

void Entry::deliver(Instant now, Lane& lane, Lane::Batch& batch, ComputeResult result,
                    Effects& effects) {
    const uint64_t batch_id = result.batch_id;
    auto message = message_of(batch.rows, std::move(result), options_.engine, options_.activations);
    if (message) trace_output(*message);
    if (!message) {
        effects.log.push_back({LogLevel::error, message.error().message()});
        for (const wire::ForwardRow& row : batch.rows) {
            const auto request = live(row);
            if (request != requests_.end()) give_up(request, message.error(), effects);
        }
        lane.in_flight.erase(batch_id);
    } else if (const auto* tokens = std::get_if<wire::Tokens>(&*message)) {
        on_tokens(now, lane, *tokens, effects);
    } else if (std::get<wire::Forward>(*message).rows.empty()) {
        lane.in_flight.erase(batch_id);
    } else {
        note_output(std::get<wire::Forward>(*message));
        send(lane, std::move(message).value(), effects);
    }
}

/// Of the entry's own layers.
void Entry::trace_output(const wire::Message& message) {
    if (!records_.is_on()) return;
    if (const auto* tokens = std::get_if<wire::Tokens>(&message)) {
        for (const wire::TokenRow& row : tokens->rows) {
            const auto found = requests_.find(row.request);
            if (found != requests_.end() && found->second.epoch == row.epoch)
                found->second.trace.add_output(row.position, row.token);
        }
    } else if (const auto* forward = std::get_if<wire::Forward>(&message)) {
        const size_t row_bytes = forward->row_bytes();
        for (size_t i = 0; i < forward->rows.size(); ++i) {
            const auto found = live(forward->rows[i]);
            if (found == requests_.end()) continue;
            found->second.trace.add_output(
                forward->rows[i].position,
                ByteView(forward->activations).subspan(i * row_bytes, row_bytes));
        }
    }
}

/// Tokens behind those that the client has are none of its answer.
void Entry::take_back(Request& request, uint32_t delivered) {
    if (delivered >= request.usage.completion_tokens) return;
    request.usage.completion_tokens = delivered;
    request.tokens.resize(request.prompt_count + delivered);
    const auto rows = static_cast<Position>(request.tokens.size() - 1);
    request.computed = delivered == 0 ? 0 : std::min(request.computed, rows);
}

/// Of a request that ends; a stage must hear it before the Close.
void Entry::ask_for_records(const Request& request, Effects& effects) {
    if (!records_.is_on()) return;
    const RequestId id = request.submission.request;
    const auto fail_records = [&](Error error) {
        effects.events.emplace_back(ClientRecords{.request = id, .failure = std::move(error)});
    };
    const bool is_reachable = request.lane != nullptr && request.lane->route.ready();
    if (request.usage.completion_tokens > 0 &&
        (!is_reachable || request.computed + 1 < request.tokens.size())) {
        // Its present route, if it has one, has not computed yet what the client has got.
        return fail_records(fail(ErrorCode::route_unavailable, "route: lost"));
    }
    if (request.computed == 0) return;
    auto own = request.trace.sign(request.computed, records_.signer());
    if (!own) return fail_records(fail(ErrorCode::internal, "records: rows are missing"));
    send(*request.lane, wire::Sign{id, request.epoch, request.computed}, effects);
    records_.begin(request.lane->route.id(), std::move(*own), request.trace.input(), effects);
}

void Entry::on_tokens(Instant now, Lane& lane, const wire::Tokens& tokens, Effects& effects) {
    const auto found = lane.in_flight.find(tokens.batch_id);
    if (found == lane.in_flight.end() || (running_ && running_->batch_id == tokens.batch_id)) {
        counters_.rows_dropped += tokens.rows.size();
        ++counters_.messages_dropped;
        return;
    }
    // The tail keeps the order of rows, so its answer is a subsequence of what was asked. Anything
    // else is no answer to this batch.
    const std::vector<wire::ForwardRow>& rows = found->second.rows;
    std::vector<const wire::TokenRow*> answers(rows.size());
    size_t at = 0;
    for (size_t i = 0; i < rows.size() && at < tokens.rows.size(); ++i) {
        const wire::TokenRow& answer = tokens.rows[at];
        if (!rows[i].wants_token || answer.request != rows[i].request ||
            answer.epoch != rows[i].epoch || answer.position != rows[i].position) {
            continue;
        }
        answers[i] = &answer;
        ++at;
    }
    if (at < tokens.rows.size()) {
        counters_.rows_dropped += tokens.rows.size();
        ++counters_.messages_dropped;
        return;
    }
    const Lane::Batch batch = std::move(found->second);
    lane.in_flight.erase(found);
    const Duration took = now - batch.formed;
    if (!batch.is_replay) {
        entry_meter_.pass.add(took);
        lane.batch_time = lane.batch_time == Duration{} ? took : (7 * lane.batch_time + took) / 8;
        lane.row_cost.add(batch.rows.size(), std::chrono::duration<double>(took).count());
    }
    for (size_t i = 0; i < batch.rows.size(); ++i) {
        if (!batch.rows[i].wants_token) continue;
        const auto request = live(batch.rows[i]);
        if (request == requests_.end()) {
            counters_.rows_dropped += answers[i] != nullptr ? 1 : 0;
        } else if (answers[i] != nullptr) {
            if (is_wrong(request->second, batch.rows[i].position, batch.sources[i])) continue;
            counters_.drafts_right += batch.sources[i].is_guess ? 1 : 0;
            counters_.model_drafts_right += batch.sources[i].is_models ? 1 : 0;
            accept(request, *answers[i], effects);
        } else if (lane.route.is_alone()) {
            give_up(request, fail(ErrorCode::internal, "engine: a row got lost"), effects);
        } else {
            // A stage has left the route and joined it again; its Lost is still on the way.
            lose_route(now, lane, fail(ErrorCode::stage_failed, "route: a row got lost"), effects);
            send_probe(now, lane, effects);
        }
    }
    for (const Lane::Guess& guess : batch.guesses) settle(guess);
}

Result<void> Entry::check_answer(const Request& request, const wire::TokenRow& answer) const {
    const SamplingOptions& sampling = request.submission.sampling;
    const auto is_known = [&](const TokenLogprob& top) {
        return top.token < options_.engine.vocabulary_size;
    };
    if (answer.logprobs.has_value() != sampling.logprobs ||
        (answer.logprobs && answer.logprobs->top.size() > sampling.top_logprobs)) {
        return fail(ErrorCode::stage_failed, "tail: not the logprobs asked for");
    }
    const bool is_first = size_t{answer.position} + 1 == request.prompt_count;
    const size_t embedding =
        sampling.pooling != Pooling::none && is_first ? options_.engine.width : 0;
    if (answer.embedding.size() != embedding)
        return fail(ErrorCode::stage_failed, "tail: not the embedding asked for");
    if (!is_known({answer.token, 0.0F}) ||
        (answer.logprobs && !std::ranges::all_of(answer.logprobs->top, is_known))) {
        return fail(ErrorCode::token_out_of_range, "tail: no such token");
    }
    return {};
}

void Entry::accept(Requests::iterator found, const wire::TokenRow& answer, Effects& effects) {
    Request& request = found->second;
    if (auto checked = check_answer(request, answer); !checked)
        return give_up(found, std::move(checked).error(), effects);
    if (answer.position >= request.resumed && !request.resumes.empty()) {
        ++counters_.resumes;
        request.resumes.clear();
    }
    const size_t place = size_t{answer.position} + 1;
    request.computed = answer.position + 1;
    if (place == request.prompt_count) {
        if (request.usage.completion_tokens == 0) {
            // Not before: until then it may start over.
            counters_.prompt_tokens += request.usage.prompt_tokens - request.usage.cached_tokens;
            counters_.cached_tokens += request.usage.cached_tokens;
        }
        retain(request, effects);
    }
#ifndef TEETEE_PLANTED_BUG  // For tests/planted_bug: the simulator must find this.
    if (place < request.tokens.size()) {
        // The client has it already, from an earlier route.
        if (request.tokens[place] == answer.token) return;
        // What the stages would sign for is another answer.
        request.computed = 0;
        return give_up(found,
                       fail(ErrorCode::stage_failed, "tail: another token than was picked before"),
                       effects);
    }
#endif
    // An embedding is handed out whatever would follow it.
    const bool is_stop = std::ranges::count(request.submission.stop_tokens, answer.token) > 0;
    if (is_stop && answer.embedding.empty()) return finish(found, FinishReason::stop, effects);
    effects.events.emplace_back(ClientToken{.request = found->first,
                                            .token = answer.token,
                                            .index = request.usage.completion_tokens,
                                            .logprobs = answer.logprobs,
                                            .embedding = answer.embedding});
    ++request.usage.completion_tokens;
    ++counters_.completion_tokens;
    request.tokens.push_back(answer.token);
    request.interruptions = 0;
    request.was_refused = false;
    if (request.usage.completion_tokens == request.submission.max_tokens)
        finish(found, FinishReason::length, effects);
}

}  // namespace teetee::pipeline
