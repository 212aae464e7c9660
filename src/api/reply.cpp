// SPDX-License-Identifier: Apache-2.0
#include "api/reply.hpp"

#include <fmt/format.h>

#include "api/errors.hpp"
#include "api/format_parts.hpp"
#include "api/limits.hpp"
#include "base/bytes.hpp"

namespace teetee::api {
namespace {

/// A stream is silent for twice as long at most.
constexpr Duration keep_alive_interval = std::chrono::seconds(4);

double milliseconds(Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

/// Server-Timing (W3C) of what has been answered: a browser's tools show it.
std::string server_timing(const Timings& timings) {
    return fmt::format("prompt;dur={:.1f}, answer;dur={:.1f}", milliseconds(timings.prompt),
                       milliseconds(timings.answer));
}

/// Each is signed, sealed and written to the disk: of thousands only some at a time, or everybody
/// else would wait for them.
void close_in_turns(net::Loop& loop, std::vector<std::shared_ptr<Answer>> answers) {
    const size_t count = std::min(answers.size(), choices_max);
    for (size_t i = 0; i < count; ++i) answers[i]->sent();
    answers.erase(answers.begin(), answers.begin() + static_cast<ptrdiff_t>(count));
    if (answers.empty()) return;
    loop.post(
        [&loop, left = std::move(answers)]() mutable { close_in_turns(loop, std::move(left)); });
}

}  // namespace

void Reply::start(const AnswerWorld& world, const Chat& chat, GenerationRequest request,
                  std::shared_ptr<net::HttpExchange> exchange) {
    if (!request.model.empty() && request.model != world.node.model_id()) {
        return respond_error(*exchange, fail(ErrorCode::model_unknown,
                                             "have " + world.node.model_id() + ", asked for " +
                                                 quote_foreign(request.model)));
    }
    if (auto forced = force_call(request, chat); !forced)
        return respond_error(*exchange, forced.error());
    const auto reply = std::make_shared<Reply>(
        world, std::make_shared<const GenerationRequest>(std::move(request)), std::move(exchange));
    if (auto prepared = reply->prepare(chat); !prepared) {
        reply->is_over_ = true;
        return respond_error(*reply->exchange_, prepared.error(), world.node.retry_after());
    }
    reply->run();
}

Reply::Reply(const AnswerWorld& world, std::shared_ptr<const GenerationRequest> request,
             std::shared_ptr<net::HttpExchange> exchange)
    : world_(world), request_(std::move(request)), exchange_(std::move(exchange)) {
    head_.created = request_->created.value_or(world_.clock.unix_now());
    head_.model = world_.node.model_id();
    head_.fingerprint = "fp_" + to_hex(world_.node.statement().model_root).substr(0, 12);
    head_.activations = to_string(world_.node.activations());
    head_.context_length = world_.node.context_length();
    format_ = make_format(*request_, head_);
    if (request_->answer_count() > 1) {
        ByteArray<8> random;
        world_.rng.fill(random);
        ByteReader reader(random);
        payment_group_ = (reader.read_u64().value_or(0) >> 1) | 1;
    }
}

Result<void> Reply::prepare(const Chat& chat) {
    TT_CHECK(ensure_may_be_embedded());
    const UnixSeconds time = request_->created.value_or(world_.clock.unix_now());
    std::vector<TokenId> prompt;
    for (size_t index = 0; index < request_->answer_count(); ++index) {
        if (index % request_->choices == 0) {
            TT_TRY(prompt,
                   prompt_tokens(*request_, index / request_->choices, chat, world_.node, time));
        }
        const auto answer = std::make_shared<Answer>(world_, request_, index);
        TT_CHECK(answer->prepare(chat, prompt));
        answers_.push_back(answer);
    }
    // Those that are yet to come count with each; a sum for each of thousands would take its time.
    prompts_behind_.resize(answers_.size());
    for (size_t index = answers_.size() - 1; index > 0; --index) {
        prompts_behind_[index - 1] = prompts_behind_[index] + answers_[index]->prompt_tokens();
    }
    ended_answers_.resize(answers_.size());
    return {};
}

/// All vectors of a reply are in memory at once, as numbers and as text.
Result<void> Reply::ensure_may_be_embedded() const {
    if (request_->dialect != Dialect::embeddings) return {};
    const size_t most = embedding_numbers_max / world_.node.embedding_length();
    if (request_->answer_count() <= most) return {};
    return fail(ErrorCode::field_invalid,
                "'input' holds " + std::to_string(request_->answer_count()) +
                    " prompts, with this model at most " + std::to_string(most) + " at once");
}

billing::Demand Reply::demand_of(size_t index) const {
    return {.is_first = index == 0,
            .answers_ahead = static_cast<uint32_t>(answers_.size() - index - 1),
            .prompt_tokens_ahead = prompts_behind_[index],
            .request = payment_group_};
}

void Reply::run() {
    exchange_->on_disconnect([weak = weak_from_this()] {
        const auto reply = weak.lock();
        if (!reply || std::exchange(reply->is_over_, true)) return;
        reply->cancel_answers(billing::AnswerEnd::by_client);
    });
    // What has no receipt has an id of its own.
    head_.id = to_hex(answers_.front()->id().bytes);
    run_more();
    if (request_->stream && !is_over_) begin_stream();
}

/// Not all at once where there are many: others want to be served as well.
void Reply::run_more() {
    while (!is_over_ && begun_count_ < answers_.size() &&
           begun_count_ - ended_count_ < choices_max) {
        const size_t index = begun_count_++;
        const auto answer = answers_[index];
        const auto submitted = answer->run(shared_from_this(), demand_of(index));
        if (index == 0 && !is_streaming_) head_.id = to_hex(answer->id().bytes);
        if (!submitted) return on_failure(index, submitted.error(), "");
    }
}

void Reply::cancel_answers(billing::AnswerEnd end) {
    for (const auto& answer : std::exchange(answers_, {})) answer->cancel(end);
}

void Reply::begin_stream() {
    if (std::exchange(is_streaming_, true)) return;
    exchange_->begin_stream(200, "text/event-stream",
                            {{"cache-control", "no-store"}, {"x-accel-buffering", "no"}});
    keep_alive();
    send(format_->begin());
}

/// A comment (WHATWG HTML, server-sent events) where there is nothing to say, so that a client can
/// tell an entry that is busy from one that stands still.
void Reply::keep_alive() {
    keep_alive_ = world_.node.loop().call_after(keep_alive_interval, [weak = weak_from_this()] {
        const auto reply = weak.lock();
        if (!reply || reply->is_over_) return;
        if (!std::exchange(reply->has_sent_, false)) reply->exchange_->write(":\n\n");
        reply->keep_alive();
    });
}

void Reply::send(std::string events) {
    if (events.empty()) return;
    has_sent_ = true;
    exchange_->write(events);
}

void Reply::on_piece(size_t index, const Piece& piece) {
    if (is_over_) return;
    begin_stream();
    send(format_->piece(index, piece));
}

/// In a comment, which no client of OpenAI's stumbles over: so that one that pays as it goes can
/// sign for more in time.
void Reply::on_standing(const billing::Standing& standing) {
    if (is_over_ || !request_->stream) return;
    begin_stream();
    exchange_->write(fmt::format(": payment charged={} held={} signed={} claimable={}\n\n",
                                 standing.charged, standing.held, standing.signed_amount,
                                 standing.claimable));
}

void Reply::on_ending(size_t index, const Piece& last, const Ending& ending) {
    if (is_over_) return;
    if (request_->stream) {
        begin_stream();
        send(format_->ending(index, last, ending));
    }
    ended_answers_[index] = {request_->stream ? Piece{} : last, ending};
    if (++ended_count_ == ended_answers_.size()) return finish();
    run_more();
}

void Reply::finish() {
    is_over_ = true;
    pipeline::Usage total;
    for (const WholeAnswer& answer : ended_answers_) {
        total.prompt_tokens += answer.ending.usage.prompt_tokens;
        total.cached_tokens += answer.ending.usage.cached_tokens;
        total.completion_tokens += answer.ending.usage.completion_tokens;
    }
    if (request_->stream) {
        send(format_->finish(total));
        exchange_->finish();
    } else {
        net::HttpResponse response;
        response.headers["server-timing"] = server_timing(longest_timings(ended_answers_));
        response.body = format_->whole(ended_answers_, total);
        ended_answers_.clear();
        exchange_->respond(std::move(response));
    }
    close_in_turns(world_.node.loop(), std::exchange(answers_, {}));
}

void Reply::on_failure(size_t, const Error& error, const std::string& receipt) {
    if (std::exchange(is_over_, true)) return;
    cancel_answers(answer_end_of(error.code));
    boost::json::object body = error_body(error);
    if (!receipt.empty()) body["receipt"] = receipt;
    if (!is_streaming_) {
        return exchange_->respond(error_response(error, body, world_.node.retry_after()));
    }
    if (world_.trace)
        world_.trace->on_failure(status_for(error.code).status, to_string(error.code));
    exchange_->write(format_->failure(body));
    exchange_.reset();
}

}  // namespace teetee::api
