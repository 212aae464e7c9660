// SPDX-License-Identifier: Apache-2.0
#include "pipeline/entry.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "base/assert.hpp"
#include "pipeline/batch.hpp"
#include "wire/limits.hpp"

namespace teetee::pipeline {

Position Entry::Request::positions_max() const {
    return static_cast<Position>(submission.prompt.size() + submission.max_tokens);
}

Entry::Entry(EntryOptions options)
    : options_(std::move(options)),
      is_alone_(options_.engine.is_tail()),
      ledger_(options_.engine),
      prefixes_(options_.engine.block_positions, options_.first_prefix),
      ring_({.node_id = options_.node_id,
             .layers = options_.engine.layers,
             .layer_count = options_.engine.layer_count,
             .probe_interval = options_.probe_interval,
             .probe_timeout = options_.probe_timeout}),
      records_(options_.records),
      quotes_(options_.quotes) {
    TT_ASSERT(options_.engine.layers.begin == 0 && options_.engine.layers.end > 0);
    TT_ASSERT(options_.engine.layers.end <= options_.engine.layer_count);
    TT_ASSERT(options_.chunk_rows > 0 && options_.batch_rows_max > 0);
    TT_ASSERT(options_.engine.rows_max > 0);
}

Result<void> Entry::submit(Instant now, Submission submission, Effects& effects) {
    TT_CHECK(check(submission));
    const RequestId request = submission.request;
    requests_[request].submission = std::move(submission);
    queue_.push_back(request);
    schedule(now, effects);
    return {};
}

Result<Usage> Entry::cancel(Instant now, RequestId request, Effects& effects) {
    const auto found = requests_.find(request);
    if (found == requests_.end())
        return fail(ErrorCode::request_unknown, "cancel: no such request");
    const Usage usage = found->second.usage;
    ask_for_records(found->second, effects);
    retain(found->second, effects);
    end(found, effects);
    schedule(now, effects);
    return usage;
}

void Entry::ask_for_quotes(Instant now, QuoteOrder order, Effects& effects) {
    if (!ready()) {
        return QuoteCollector::refuse(order, fail(ErrorCode::route_unavailable, "ring: not ready"),
                                      effects);
    }
    if (quotes_.is_full()) {
        return QuoteCollector::refuse(
            order, fail(ErrorCode::overloaded, "others wait for fresh quotes"), effects);
    }
    if (!is_alone_) {
        effects.sends.push_back(
            {Direction::next, wire::Attest{order.request, order.nonce, order.statements}});
    }
    effects.quotes.push_back({order.request, order.report_data.at(options_.engine.layers)});
    quotes_.begin(now, std::move(order), effects);
}

void Entry::on_link_up(Instant now, Direction direction, Effects& effects) {
    ring_.on_link_up(now, direction, ledger_, effects);
}

void Entry::on_link_down(Instant now, Direction direction, Effects& effects) {
    ring_.on_link_down(direction);
    lose_ring(fail(ErrorCode::stage_failed, "ring: a neighbour was lost"), effects);
    schedule(now, effects);
}

void Entry::on_message(Instant now, Direction from, wire::Message message, Effects& effects) {
    if (!ring_.links().at(from)) {
        ++counters_.messages_dropped;
    } else if (const auto* failed = std::get_if<wire::Failed>(&message)) {
        on_failed(*failed, effects);
    } else if (from == Direction::next) {
        ++counters_.messages_dropped;
    } else if (const auto* tokens = std::get_if<wire::Tokens>(&message)) {
        on_tokens(*tokens, effects);
    } else if (auto* probe = std::get_if<wire::Probe>(&message)) {
        on_probe(now, std::move(*probe), effects);
    } else if (auto* record = std::get_if<wire::Record>(&message)) {
        if (!records_.on_record(std::move(*record), ring_.route(), effects))
            ++counters_.messages_dropped;
    } else if (auto* quote = std::get_if<wire::Quote>(&message)) {
        const LayerRange layers = quote->layers;
        on_quote(result_of(std::move(*quote)), layers, effects);
    } else {
        ++counters_.messages_dropped;
    }
    schedule(now, effects);
}

void Entry::on_computed(Instant now, ComputeResult result, Effects& effects) {
    if (!running_ || result.batch_id != *running_) {
        ++counters_.messages_dropped;
        return;
    }
    running_.reset();
    // Not there: the job only closed, or the ring was lost meanwhile.
    const auto batch = in_flight_.find(result.batch_id);
    if (batch != in_flight_.end()) deliver(batch->second, std::move(result), effects);
    schedule(now, effects);
}

void Entry::on_quoted(Instant, QuoteResult result, Effects& effects) {
    on_quote(std::move(result), options_.engine.layers, effects);
}

void Entry::on_quote(QuoteResult result, LayerRange layers, Effects& effects) {
    if (!quotes_.on_quote(std::move(result), layers, effects)) ++counters_.messages_dropped;
}

void Entry::on_timer(Instant now, uint64_t id, Effects& effects) {
    if (id == QuoteCollector::timer_id) return quotes_.expire(now, effects);
    if (!ring_.is_due(now, id)) return;
    const auto stalled = ring_.check_stall(now);
    if (!stalled) lose_ring(stalled.error(), effects);
    forget_batches(now, effects);
    records_.expire(now, effects);
    ring_.send_probe(now, ledger_, effects);
    schedule(now, effects);
}

Result<void> Entry::check(const Submission& submission) const {
    if (submission.prompt.empty() || submission.max_tokens == 0) {
        return fail(ErrorCode::invalid_argument, "request: need a prompt and max_tokens above 0");
    }
    if (submission.stop_tokens.size() > stop_tokens_max) {
        return fail(ErrorCode::invalid_argument,
                    "stop tokens: have " + std::to_string(submission.stop_tokens.size()) +
                        ", at most " + std::to_string(stop_tokens_max));
    }
    TT_CHECK(validate(submission.sampling));
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
    if (!ready()) return fail(ErrorCode::route_unavailable, "ring: not ready");
    const auto need = ledger_.need(static_cast<Position>(positions));
    if (!need || !fits({}, *need, capacity())) {
        return fail(ErrorCode::kv_cache_full,
                    "KV cache: have " + std::to_string(capacity().positions) +
                        " positions on the tightest stage, need " + std::to_string(positions) +
                        " for prompt and max_tokens");
    }
    if (queue_.size() >= options_.queued_max) {
        return fail(ErrorCode::overloaded,
                    "queue: have " + std::to_string(queue_.size()) +
                        " requests that wait for room in the KV cache, at most " +
                        std::to_string(options_.queued_max));
    }
    return {};
}

/// Gives the idle engine its next job.
void Entry::schedule(Instant now, Effects& effects) {
    if (running_) return;
    ComputeJob job{.batch_id = next_batch_id_};
    Batch batch{.formed = now};
    if (ready() && in_flight_.size() <= stage_count()) {
        admit(job, effects);
        const size_t rows_max =
            std::min({options_.batch_rows_max, options_.engine.rows_max, wire::Limits{}.rows_max});
        add_decode_rows(job, batch, rows_max);
        add_prompt_rows(job, batch, rows_max);
    }
    if (batch.rows.empty() && closes_.empty() && prefix_changes_.is_empty()) return;
    job.prefixes = std::exchange(prefix_changes_, {});
    job.closes = std::exchange(closes_, {});
    job.rows = engine_rows(batch.rows);
    running_ = next_batch_id_++;
    if (!batch.rows.empty()) {
        ++counters_.batches;
        counters_.rows += batch.rows.size();
        in_flight_[*running_] = std::move(batch);
    }
    effects.jobs.push_back(std::move(job));
}

/// Strictly in order of arrival: a small request does not overtake a large one that waits.
void Entry::admit(ComputeJob& job, Effects& effects) {
    while (!queue_.empty() && ring_.knows_capacity()) {
        const auto found = requests_.find(queue_.front());
        Request& request = found->second;
        request.start = start_of(request);
        const auto need = ledger_.need(request.positions_max(), request.start);
        TT_ASSERT(need);
        if (!fits(ledger_.busy(), *need, capacity())) {
            if (!active_.empty()) return;
            // Fitted when it was submitted; the ring has shrunk since.
            give_up(found, fail(ErrorCode::kv_cache_full, "request: larger than the KV cache"),
                    effects);
            continue;
        }
        queue_.pop_front();
        TT_ASSERT(ledger_.open(found->first, request.positions_max(), request.start));
        make_room(effects);
        open(request, job, effects);
        request.serial = next_serial_++;
        active_[*request.serial] = found->first;
        prompt_turns_.push_back(found->first);
    }
}

KvAmount Entry::capacity() const {
    KvAmount amount = ledger_.capacity();
    if (is_alone_) return amount;
    amount.sequences = std::min(amount.sequences, ring_.capacity().sequences);
    amount.positions = std::min(amount.positions, ring_.capacity().positions);
    return amount;
}

size_t Entry::stage_count() const {
    return is_alone_ ? 1 : ring_.route().size();
}

void Entry::add_decode_rows(ComputeJob& job, Batch& batch, size_t rows_max) {
    size_t decoding = 0;
    for (const auto& [serial, id] : active_) {
        decoding += requests_.at(id).is_prompt_sent() ? 1 : 0;
    }
    // With all of them in one batch, one stage would work and the others wait.
    const size_t share = (decoding + stage_count() - 1) / stage_count();
    for (const auto& [serial, id] : active_) {
        if (batch.rows.size() >= std::min(share, rows_max)) return;
        Request& request = requests_.at(id);
        if (!request.next_token) continue;
        add_row(request, *std::exchange(request.next_token, {}), job, batch);
    }
}

void Entry::add_prompt_rows(ComputeJob& job, Batch& batch, size_t rows_max) {
    for (size_t turns = prompt_turns_.size(); turns > 0 && batch.rows.size() < rows_max; --turns) {
        const RequestId id = prompt_turns_.front();
        prompt_turns_.pop_front();
        Request& request = requests_.at(id);
        const std::vector<TokenId>& prompt = request.submission.prompt;
        const size_t count =
            std::min<size_t>({options_.chunk_rows, prompt.size() - request.next_position,
                              rows_max - batch.rows.size()});
        for (size_t i = 0; i < count; ++i) {
            add_row(request, prompt[request.next_position], job, batch);
        }
        request.usage.prompt_tokens += static_cast<uint32_t>(count);
        if (!request.is_prompt_sent()) prompt_turns_.push_back(id);
    }
}

void Entry::add_row(Request& request, TokenId token, ComputeJob& job, Batch& batch) {
    // Only the last token of the prompt, and every one after it, leads to a new token.
    const bool wants_token = request.next_position + 1 >= request.submission.prompt.size();
    batch.rows.push_back(
        {request.submission.request, request.epoch, request.next_position, wants_token});
    if (request.submission.sampling.needs_tokens()) batch.rows.back().token = token;
    job.tokens.push_back(token);
    if (records_.is_on()) request.trace.add_input(token);
    ++request.next_position;
}

void Entry::open(Request& request, ComputeJob& job, Effects& effects) {
    request.next_position = request.start.positions;
    request.usage.prompt_tokens = request.usage.cached_tokens = request.start.positions;
    const Submission& submission = request.submission;
    job.opens.push_back({.request = submission.request,
                         .epoch = request.epoch,
                         .sampling = submission.sampling,
                         .positions_max = request.positions_max(),
                         .prompt_positions = static_cast<Position>(submission.prompt.size()),
                         .start = request.start,
                         .salt = submission.salt});
    request.trace = SequenceTrace(job.opens.back());
    if (is_alone_) return;
    effects.sends.push_back({Direction::next, wire::Open{.request = submission.request,
                                                         .epoch = request.epoch,
                                                         .sampling = submission.sampling,
                                                         .positions_max = request.positions_max(),
                                                         .prompt_positions = static_cast<Position>(
                                                             submission.prompt.size()),
                                                         .start = request.start,
                                                         .salt = submission.salt}});
}

void Entry::deliver(Batch& batch, ComputeResult result, Effects& effects) {
    const uint64_t batch_id = result.batch_id;
    const std::vector<SequenceFailure> failures = result.failures;
    auto message = message_of(batch.rows, std::move(result), options_.engine);
    // No request is admitted while the engine works: an active one is the one that failed.
    for (const SequenceFailure& failure : failures) {
        const auto request = requests_.find(failure.request);
        if (request != requests_.end() && request->second.serial)
            fail_sequence(request, failure.error, effects);
    }
    if (message) trace_output(*message);
    if (!message) {
        effects.log.push_back({LogLevel::error, message.error().message()});
        for (const wire::ForwardRow& row : batch.rows) {
            const auto request = live(row);
            if (request != requests_.end()) give_up(request, message.error(), effects);
        }
        in_flight_.erase(batch_id);
    } else if (const auto* tokens = std::get_if<wire::Tokens>(&*message)) {
        on_tokens(*tokens, effects);
    } else if (std::get<wire::Forward>(*message).rows.empty()) {
        in_flight_.erase(batch_id);
    } else {
        effects.sends.push_back({Direction::next, std::move(message).value()});
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
        const size_t row_bytes = size_t{4} * forward->width;
        for (size_t i = 0; i < forward->rows.size(); ++i) {
            const auto found = live(forward->rows[i]);
            if (found == requests_.end()) continue;
            found->second.trace.add_output(
                forward->rows[i].position,
                ByteView(forward->activations).subspan(i * row_bytes, row_bytes));
        }
    }
}

/// Of a request that ends; a stage must hear it before the Close.
void Entry::ask_for_records(const Request& request, Effects& effects) {
    if (!records_.is_on() || request.computed == 0) return;
    auto own = request.trace.sign(request.computed, records_.signer());
    if (!own) {
        effects.events.emplace_back(
            ClientRecords{.request = request.submission.request,
                          .failure = fail(ErrorCode::internal, "records: rows are missing")});
        return;
    }
    if (!is_alone_) {
        effects.sends.push_back({Direction::next, wire::Sign{request.submission.request,
                                                             request.epoch, request.computed}});
    }
    records_.begin(std::move(*own), request.trace.input(), effects);
}

void Entry::on_tokens(const wire::Tokens& tokens, Effects& effects) {
    const auto found = in_flight_.find(tokens.batch_id);
    if (found == in_flight_.end() || running_ == tokens.batch_id) {
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
    const Batch batch = std::move(found->second);
    in_flight_.erase(found);
    for (size_t i = 0; i < batch.rows.size(); ++i) {
        if (!batch.rows[i].wants_token) continue;
        const auto request = live(batch.rows[i]);
        if (request == requests_.end()) {
            counters_.rows_dropped += answers[i] != nullptr ? 1 : 0;
        } else if (answers[i] == nullptr) {
            give_up(request, fail(ErrorCode::stage_failed, "ring: a row got lost"), effects);
        } else {
            accept(request, *answers[i], effects);
        }
    }
}

void Entry::accept(Requests::iterator found, const wire::TokenRow& answer, Effects& effects) {
    Request& request = found->second;
    const SamplingOptions& sampling = request.submission.sampling;
    const TokenId token = answer.token;
    const auto is_known = [&](const TokenLogprob& top) {
        return top.token < options_.engine.vocabulary_size;
    };
    if (answer.logprobs.has_value() != sampling.logprobs ||
        (answer.logprobs && answer.logprobs->top.size() > sampling.top_logprobs)) {
        give_up(found, fail(ErrorCode::stage_failed, "tail: not the logprobs asked for"), effects);
        return;
    }
    if (!is_known({token, 0.0F}) ||
        (answer.logprobs && !std::ranges::all_of(answer.logprobs->top, is_known))) {
        give_up(found, fail(ErrorCode::token_out_of_range, "tail: no such token"), effects);
        return;
    }
    request.computed = answer.position + 1;
    if (request.computed == request.submission.prompt.size()) {
        // Not before: until then it may start over.
        counters_.prompt_tokens += request.usage.prompt_tokens - request.usage.cached_tokens;
        counters_.cached_tokens += request.usage.cached_tokens;
        retain(request, effects);
    }
    if (std::ranges::count(request.submission.stop_tokens, token) > 0) {
        finish(found, FinishReason::stop, effects);
        return;
    }
    effects.events.emplace_back(ClientToken{.request = found->first,
                                            .token = token,
                                            .index = request.usage.completion_tokens,
                                            .logprobs = answer.logprobs});
    ++request.usage.completion_tokens;
    ++counters_.completion_tokens;
    if (request.submission.tenant) request.answer.push_back(token);
    if (request.usage.completion_tokens == request.submission.max_tokens) {
        finish(found, FinishReason::length, effects);
        return;
    }
    request.next_token = token;
}

void Entry::on_failed(const wire::Failed& failed, Effects& effects) {
    const auto found = requests_.find(failed.request);
    if (found == requests_.end() || !found->second.serial || found->second.epoch != failed.epoch) {
        ++counters_.messages_dropped;
        return;
    }
    Error error = fail(failed.code, "stage from layer " + std::to_string(failed.layer_begin));
    if (failed.code == ErrorCode::stage_failed || failed.code == ErrorCode::route_unavailable) {
        // A link between two stages is down, and every request goes over it.
        lose_ring(error, effects);
    } else {
        fail_sequence(found, std::move(error), effects);
    }
}

void Entry::on_probe(Instant now, wire::Probe probe, Effects& effects) {
    const bool was_ready = ring_.ready();
    const auto accepted = ring_.on_probe(now, std::move(probe));
    if (!accepted) {
        ++counters_.messages_dropped;
        if (accepted.error().code == ErrorCode::route_unavailable) {
            lose_ring(accepted.error(), effects);
        }
    } else if (!was_ready) {
        effects.log.push_back(
            {LogLevel::info, "ring: ready, " + std::to_string(stage_count()) + " stages"});
    }
}

/// A ring that answers probes can still have lost a batch: where an engine hangs, or where a link
/// was down so briefly that only requests cancelled since were hurt.
void Entry::forget_batches(Instant now, Effects& effects) {
    bool is_lost = false;
    std::erase_if(in_flight_, [&](const auto& entry) {
        const Duration age = now - entry.second.formed;
        const bool wanted = std::ranges::any_of(
            entry.second.rows, [&](const auto& row) { return live(row) != requests_.end(); });
        is_lost = is_lost || (wanted && age >= options_.batch_timeout);
        return !wanted && age >= options_.probe_timeout;
    });
    if (is_lost) lose_ring(fail(ErrorCode::stage_timeout, "ring: a batch took too long"), effects);
}

void Entry::lose_ring(const Error& error, Effects& effects) {
    if (ring_.ready()) effects.log.push_back({LogLevel::warn, error.message()});
    ring_.reset();
    in_flight_.clear();
    const Error unavailable = fail(ErrorCode::route_unavailable, "ring: lost");
    records_.fail_all(unavailable, effects);
    quotes_.fail_all(unavailable, effects);
    while (!queue_.empty()) give_up(requests_.find(queue_.front()), unavailable, effects);
    while (!active_.empty()) {
        give_up(requests_.find(active_.begin()->second), error, effects);
    }
    forget_prefixes(effects);
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
    end(found, effects);
}

void Entry::end(Requests::iterator found, Effects& effects) {
    if (found->second.serial)
        leave_ring(found, effects);
    else
        std::erase(queue_, found->first);
    requests_.erase(found);
}

void Entry::leave_ring(Requests::iterator found, Effects& effects) {
    const auto& [id, request] = *found;
    ledger_.close(id);
    active_.erase(*request.serial);
    std::erase(prompt_turns_, id);
    closes_.push_back(id);
    if (!is_alone_ && ring_.links().next) {
        effects.sends.push_back({Direction::next, wire::Close{{id}}});
    }
}

Entry::Requests::iterator Entry::live(const wire::ForwardRow& row) {
    const auto found = requests_.find(row.request);
    return found != requests_.end() && found->second.epoch == row.epoch ? found : requests_.end();
}

}  // namespace teetee::pipeline
