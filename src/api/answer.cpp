// SPDX-License-Identifier: Apache-2.0
#include "api/answer.hpp"

#include <algorithm>

#include "api/embeddings_format.hpp"
#include "api/errors.hpp"
#include "api/limits.hpp"
#include "attest/receipt_json.hpp"
#include "base/bytes.hpp"
#include "crypto/hash.hpp"

namespace teetee::api {

using billing::AnswerEnd;
using pipeline::FinishReason;

namespace {

/// Where the client names no limit: of a conversation, and of a text that is continued.
constexpr uint32_t chat_tokens_max_default = 1024;
constexpr uint32_t tokens_max_default = 256;
/// How often a stream says how its payment stands.
constexpr uint32_t payment_comment_tokens = 8;

/// One that has just ended by itself is not cancelled; its receipt is on its way.
pipeline::Usage usage_of(const Result<pipeline::Usage>& cancelled, uint32_t delivered) {
    return cancelled ? *cancelled : pipeline::Usage{.completion_tokens = delivered};
}

}  // namespace

AnswerEnd answer_end_of(ErrorCode code) {
    const bool is_by_client = code == ErrorCode::deadline_exceeded ||
                              code == ErrorCode::grammar_stuck || code == ErrorCode::cancelled ||
                              code == ErrorCode::payment_required;
    return is_by_client ? AnswerEnd::by_client : AnswerEnd::by_network;
}

Answer::Answer(const AnswerWorld& world, std::shared_ptr<const GenerationRequest> request,
               size_t index)
    : node_(world.node),
      receipts_(world.receipts),
      clock_(world.clock),
      trace_(world.trace),
      request_(std::move(request)),
      index_(index),
      logprobs_(request_->dialect, node_.tokenizer()),
      payment_(world.billing),
      began_at_(world.clock.now()) {
    world.rng.fill(id_.bytes);
}

uint32_t Answer::tokens_max(uint32_t room) const {
    if (request_->tokens_max > 0) return std::min(room, request_->tokens_max);
    return std::min(room,
                    is_chat(request_->dialect) ? chat_tokens_max_default : tokens_max_default);
}

Result<void> Answer::prepare(const Chat& chat, std::vector<TokenId> tokens) {
    TT_CHECK(ensure_format());
    AnswerTextOptions text = {.stops = request_->stops,
                              .mark_tokens = chat.mark_tokens,
                              .call_begun = request_->call_begun};
    if (request_->tools.is_used()) text.tool_format = chat.tools.format;
    tool_format_ = chat.tools.format;
    decoder_.emplace(node_.tokenizer(), std::move(text));
    std::vector<TokenId>& prompt = generation_.prompt = std::move(tokens);
    if (prompt.size() >= node_.context_length()) {
        return fail(ErrorCode::context_exceeded, "the prompt has " + std::to_string(prompt.size()) +
                                                     " tokens, the model's context is " +
                                                     std::to_string(node_.context_length()));
    }
    const uint32_t most = tokens_max(static_cast<uint32_t>(node_.context_length() - prompt.size()));
    const std::vector<TokenId>& given = request_->answer_token_ids;
    if (given.size() > most) {
        return fail(ErrorCode::field_invalid,
                    "'answer_token_ids' has " + std::to_string(given.size()) +
                        " tokens, the whole answer at most " + std::to_string(most));
    }
    TT_CHECK(take_up());
    generation_.tokens_max = most - static_cast<uint32_t>(given.size());
    // Nothing but the end is missing.
    if (stop_found_ || generation_.tokens_max == 0) return {};
    prompt.insert(prompt.end(), given.begin(), given.end());
    generation_.sampling = request_->sampling;
    // Each answer by itself is what this seed gives.
    generation_.sampling.seed += index_;
    generation_.sampling.answer_given = static_cast<uint32_t>(given.size());
    generation_.tenant = request_->tenant;
    generation_.timeout = request_->timeout;
    return {};
}

/// An answer that was begun with rows of one format goes on with no other.
Result<void> Answer::ensure_format() const {
    const ActivationFormat have = node_.activations();
    if (request_->activations.value_or(have) == have) return {};
    return fail(ErrorCode::activations_differ,
                "rows between this entry's shards travel as " + std::string(to_string(have)) +
                    ", those of the answer as " + std::string(to_string(*request_->activations)));
}

/// Goes over what the client has of the answer, so that what follows is what would have followed.
Result<void> Answer::take_up() {
    for (const TokenId token : request_->answer_token_ids) {
        auto output = decoder_->feed(token);
        if (!output) return in_context("'answer_token_ids'", std::move(output).error());
        if (stop_found_ || node_.tokenizer().is_end_of_generation(token)) {
            return fail(ErrorCode::field_invalid,
                        "'answer_token_ids' goes on behind the answer's end, with token " +
                            std::to_string(token));
        }
        stop_found_ = output->stopped;
        call_count_ += output->calls.size();
        logprobs_.skip(token);
    }
    return {};
}

Result<void> Answer::pay(billing::Demand demand) {
    demand.prompt_tokens = prompt_tokens();
    demand.tokens_max = generation_.tokens_max;
    demand.request_hash = request_->body_hash;
    TT_TRY(generation_.tokens_max, payment_.admit(request_->payment, demand));
    return {};
}

Result<void> Answer::run(std::shared_ptr<AnswerSink> sink, billing::Demand demand) {
    sink_ = std::move(sink);
    if (stop_found_ || generation_.tokens_max == 0) {
        on_done(FinishReason::length, {});
        return {};
    }
    if (auto paid = pay(demand); !paid) {
        ended_ = true;
        sink_.reset();
        return paid;
    }
    generation_.waited = clock_.now() - began_at_;
    const auto self = shared_from_this();
    node::GenerationEvents events;
    events.on_token = [self](const pipeline::ClientToken& token) { self->on_token(token); };
    events.on_done = [self](FinishReason reason, pipeline::Usage usage) {
        self->on_done(reason, usage);
    };
    events.on_failed = [self](const Error& error, pipeline::Usage usage) {
        self->on_failed(error, usage);
    };
    events.on_receipt = [self](const Result<attest::Receipt>& receipt) {
        self->on_receipt(receipt);
    };
    auto submitted = node_.generate(std::move(generation_), std::move(events));
    if (!submitted) {
        ended_ = true;
        sink_.reset();
        return submitted.error();
    }
    id_ = *submitted;
    // It may have failed before generate() came back.
    if (ended_) return {};
    is_submitted_ = true;
    receipts_.expect(id_);
    return {};
}

void Answer::sent() {
    close(AnswerEnd::regular);
}

void Answer::cancel(AnswerEnd end) {
    sink_.reset();
    const bool had_ended = std::exchange(ended_, true);
    if (!is_submitted_ || account_) return;
    if (!had_ended) {
        computed_ = usage_of(node_.cancel(id_), delivered_);
        tell_trace();
    }
    if (computed_.completion_tokens == 0) receipt_ = fail(ErrorCode::receipt_unknown, "cancelled");
    close(end);
}

/// It has ended, whatever becomes of the reply.
void Answer::tell_trace() {
    const auto trace = std::exchange(trace_, nullptr);
    if (!trace) return;
    AnswerFacts facts = {.prompt_tokens = computed_.prompt_tokens,
                         .cached_tokens = computed_.cached_tokens,
                         .completion_tokens = std::min(delivered_, computed_.completion_tokens)};
    // Whoever has a text embedded waits for no first token.
    if (first_token_at_ && request_->dialect != Dialect::embeddings) {
        facts.first_token = *first_token_at_ - began_at_;
        facts.rest = clock_.now() - *first_token_at_;
    }
    trace->add_answer(facts);
}

/// Nothing comes after it but a receipt, where a token was picked.
void Answer::close(AnswerEnd end) {
    if (account_) return;
    // Of one that is not sent token by token, nothing was sent before the reply was whole.
    const bool is_sent = request_->stream || end == AnswerEnd::regular;
    const uint32_t sent_tokens = is_sent ? std::min(delivered_, computed_.completion_tokens) : 0;
    account_ = {.prompt_tokens = computed_.prompt_tokens,
                .cached_tokens = computed_.cached_tokens,
                .completion_tokens = computed_.completion_tokens,
                .unsent_tokens = computed_.completion_tokens - sent_tokens,
                .end = end};
    finish_receipt();
}

void Answer::on_token(const pipeline::ClientToken& token) {
    if (ended_ || stop_found_ || payment_ended_) return;
    ++delivered_;
    if (!first_token_at_) first_token_at_ = clock_.now();
    if (!token.embedding.empty()) {
        piece_.embedding = token.embedding;
        embedding_hash_ = crypto::sha256(embedding_bytes(token.embedding));
    }
    if (token.logprobs) logprobs_.add(token.token, *token.logprobs);
    if (request_->return_token_ids) piece_.token_ids.push_back(token.token);
    auto output = decoder_->feed(token.token);
    if (!output) return fail_early(output.error());
    const bool is_stopped = output->stopped;
    deliver(std::move(*output));
    if (delivered_ % payment_comment_tokens == 1) {
        if (const auto standing = payment_.standing()) sink_->on_standing(*standing);
    }
    if (is_stopped) {
        stop_found_ = true;
        end_early(FinishReason::stop);
    } else if (!payment_.may_go_on(delivered_)) {
        payment_ended_ = true;
        end_early(FinishReason::length);
    } else if (sink_->unread_bytes() > unread_answer_bytes_max) {
        // Who does not read is not served on: other requests want the place.
        fail_early(fail(ErrorCode::cancelled, "the answer was not read"));
    }
}

void Answer::fail_early(const Error& error) {
    on_failed(error, usage_of(node_.cancel(id_), delivered_));
}

/// A request whose last token this was has ended already; its own end is then the next event.
void Answer::end_early(FinishReason reason) {
    if (const auto usage = node_.cancel(id_)) on_done(reason, *usage);
}

void Answer::add(AnswerText::Output& output) {
    text_ += output.raw;
    piece_.text += output.text;
    for (ToolCall& call : output.calls) {
        std::string id = call_id(call);
        piece_.calls.push_back({std::move(id), std::move(call)});
        ++call_count_;
    }
}

/// Ids come with their token, text when it is certain: what a client has of either is then a
/// function of the ids that it has.
void Answer::deliver(AnswerText::Output output) {
    add(output);
    if (!request_->stream) return;
    if (piece_.text.empty() && piece_.calls.empty() && !request_->return_token_ids) return;
    if (request_->sampling.logprobs) piece_.logprobs = logprobs_.take();
    sink_->on_piece(index_, std::exchange(piece_, {}));
}

/// The same at every entry that goes on with the answer. Mistral's templates take nine letters or
/// digits and nothing else.
std::string Answer::call_id(const ToolCall& call) const {
    const std::string input = "teetee tool call\n" + std::to_string(request_->sampling.seed) +
                              "\n" + std::to_string(index_) + "\n" + std::to_string(call_count_) +
                              "\n" + call.name + "\n" + call.arguments;
    const std::string digest = to_hex(crypto::sha256(as_bytes(input)));
    if (tool_format_ == ToolFormat::mistral) return digest.substr(0, 9);
    return "call_" + digest.substr(0, 24);
}

void Answer::on_done(FinishReason reason, pipeline::Usage usage) {
    if (ended_) return;
    ended_ = true;
    if (stop_found_) reason = FinishReason::stop;
    AnswerText::Output last = decoder_->finish(reason);
    add(last);
    if (request_->sampling.logprobs) piece_.logprobs = logprobs_.take();
    computed_ = usage;
    tell_trace();
    // Tokens behind a stop string that came in its pass are not sent.
    usage.completion_tokens = std::min(delivered_, usage.completion_tokens);
    if (request_->stream) close(AnswerEnd::regular);
    const Instant now = clock_.now();
    const Instant first = first_token_at_.value_or(now);
    const Ending ending = {.reason = reason,
                           .has_calls = call_count_ > 0,
                           .stop_found = decoder_->stop_found(),
                           .usage = usage,
                           .receipt = is_submitted_ ? ReceiptStore::path_of(id_) : "",
                           .is_ended_by_payment = payment_ended_,
                           .timings = {.prompt = first - began_at_, .answer = now - first}};
    std::exchange(sink_, nullptr)->on_ending(index_, std::exchange(piece_, {}), ending);
}

void Answer::on_receipt(const Result<attest::Receipt>& receipt) {
    receipt_ = receipt;
    finish_receipt();
}

/// The stages' records may come before the answer's last text does.
void Answer::finish_receipt() {
    if (!receipt_ || !account_) return;
    auto made = *std::exchange(receipt_, {});
    if (!made) {
        payment_.drop(*account_);
        return receipts_.drop(id_, made.error());
    }
    attest::Receipt receipt = std::move(made).value();
    receipt.request_hash = request_->body_hash;
    receipt.answer_hash = embedding_hash_ ? *embedding_hash_ : crypto::sha256(as_bytes(text_));
    receipt.finished_at = clock_.unix_now();
    // What the stages have signed for is what there is: one that ended by itself just before its
    // client left has more tokens than were told of.
    if (receipt.completion_tokens > account_->completion_tokens)
        account_->unsent_tokens += receipt.completion_tokens - account_->completion_tokens;
    payment_.put_into(receipt, *account_);
    node_.sign(receipt);
    const auto keep = [self = shared_from_this()](const attest::Receipt& whole) {
        const std::string encoded = attest::encode_receipt(whole);
        // First, so that no receipt is handed out that a kill, or a full disk, could make free.
        if (const auto charged = self->payment_.charge(whole, encoded); !charged)
            return self->receipts_.drop(self->id_, charged.error());
        self->receipts_.put(self->id_, encoded);
    };
    if (!request_->wants_fresh_quotes) return keep(receipt);
    node_.add_fresh_quotes(std::move(receipt), keep);
}

void Answer::on_failed(const Error& error, pipeline::Usage usage) {
    if (ended_) return;
    ended_ = true;
    computed_ = usage;
    tell_trace();
    const bool has_receipt = usage.completion_tokens > 0;
    if (!has_receipt) receipt_ = error;
    close(answer_end_of(error.code));
    std::exchange(sink_, nullptr)
        ->on_failure(index_, error, has_receipt ? ReceiptStore::path_of(id_) : "");
}

}  // namespace teetee::api
