// SPDX-License-Identifier: Apache-2.0
#include "api/answer.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "api/limits.hpp"
#include "attest/receipt_json.hpp"
#include "base/bytes.hpp"
#include "crypto/hash.hpp"

namespace teetee::api {

using billing::AnswerEnd;
using pipeline::FinishReason;

namespace {

/// Of a story or completion whose client names no limit.
/// A stream is silent for twice as long at most.
constexpr Duration keep_alive_interval = std::chrono::seconds(4);
constexpr uint32_t tokens_max_default = 256;
/// How often a stream says how its payment stands.
constexpr uint32_t payment_comment_tokens = 8;

boost::json::object usage_json(pipeline::Usage usage) {
    return {{"prompt_tokens", usage.prompt_tokens},
            {"completion_tokens", usage.completion_tokens},
            {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
            {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}}}};
}

std::string_view reason_name(FinishReason reason) {
    return reason == FinishReason::stop ? "stop" : "length";
}

/// A model without a chat template continues text: it gets the messages one below the other.
std::string joined_messages(const GenerationRequest& request) {
    std::string text;
    for (const ChatMessage& message : request.messages) {
        if (!text.empty()) text += '\n';
        text += message.content;
    }
    return text;
}

Result<jinja::Text> render_chat(const GenerationRequest& request, UnixSeconds now,
                                const Result<model::ChatTemplate>& chat) {
    if (!chat) {
        return fail(chat.error().code,
                    "this model's chat template cannot be used, "
                    "/v1/completions can: " +
                        chat.error().detail);
    }
    boost::json::array messages;
    for (const ChatMessage& message : request.messages)
        messages.push_back({{"role", message.role}, {"content", message.content}});
    return chat->render({{"messages", std::move(messages)}, {"add_generation_prompt", true}}, now);
}

}  // namespace

ErrorStatus status_for(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid_argument:
        case ErrorCode::invalid_json:
        case ErrorCode::invalid_utf8:
        case ErrorCode::field_invalid:
        case ErrorCode::context_exceeded:
        // Not even an idle network has that much.
        case ErrorCode::kv_cache_full:
        case ErrorCode::token_out_of_range:
        case ErrorCode::limit_exceeded:
        case ErrorCode::vocabulary_invalid:
        case ErrorCode::template_unsupported:
        case ErrorCode::grammar_invalid:
        case ErrorCode::grammar_too_complex:
        case ErrorCode::template_malformed:
        case ErrorCode::template_failed:
        case ErrorCode::version_unsupported:
        case ErrorCode::decrypt_failed:
        case ErrorCode::sealed_malformed:
        case ErrorCode::sealed_stale:
        case ErrorCode::payment_malformed:
        case ErrorCode::signature_invalid:
            return {400, "invalid_request_error"};
        case ErrorCode::sign_in_rejected:
            return {401, "authentication_error"};
        case ErrorCode::payment_required:
        case ErrorCode::voucher_unknown:
        case ErrorCode::voucher_ended:
        case ErrorCode::voucher_exhausted:
        case ErrorCode::query_unknown:
        case ErrorCode::query_mismatch:
            return {402, "payment_error"};
        case ErrorCode::host_unknown:
            return {403, "permission_error"};
        case ErrorCode::model_unknown:
        case ErrorCode::route_unknown:
        case ErrorCode::receipt_unknown:
            return {404, "invalid_request_error"};
        case ErrorCode::method_not_allowed:
            return {405, "invalid_request_error"};
        case ErrorCode::sealed_key_unknown:
        case ErrorCode::sealed_replayed:
        case ErrorCode::payment_in_use:
            return {409, "invalid_request_error"};
        // The request is well: another entry may have that format.
        case ErrorCode::activations_differ:
            return {409, "server_error"};
        case ErrorCode::body_too_large:
            return {413, "invalid_request_error"};
        case ErrorCode::grammar_stuck:
            return {422, "invalid_request_error"};
        case ErrorCode::overloaded:
            return {429, "overloaded_error"};
        case ErrorCode::not_ready:
        case ErrorCode::route_unavailable:
        case ErrorCode::rpc_unavailable:
        case ErrorCode::rpc_disagreement:
        case ErrorCode::chain_mismatch:
        case ErrorCode::events_inconsistent:
        case ErrorCode::chain_reorganised:
            return {503, "server_error"};
        case ErrorCode::stage_failed:
            return {502, "server_error"};
        case ErrorCode::stage_timeout:
        case ErrorCode::deadline_exceeded:
            return {504, "server_error"};
        default:
            return {500, "server_error"};
    }
}

std::string_view public_message(const Error& error) {
    // Of what happens on the tail only the code comes here.
    if (error.code == ErrorCode::grammar_stuck)
        return "no token of this model keeps the answer inside the grammar or schema";
    if (status_for(error.code).status < 500) return error.detail;
    switch (error.code) {
        case ErrorCode::route_unavailable:
        case ErrorCode::not_ready:
            return "not every layer of the model is served just now; try again";
        case ErrorCode::rpc_unavailable:
        case ErrorCode::rpc_disagreement:
        case ErrorCode::chain_mismatch:
        case ErrorCode::events_inconsistent:
        case ErrorCode::chain_reorganised:
            return "the chain cannot be read with certainty just now, so no payment is taken; try "
                   "again";
        case ErrorCode::stage_failed:
            return "a node of the route failed while it worked on this request; try again";
        case ErrorCode::stage_timeout:
            return "a node of the route did not answer in time; try again";
        case ErrorCode::deadline_exceeded:
            return "the answer was not whole in the time that the request, or this node, allows";
        default:
            return "the node could not do this";
    }
}

namespace {

boost::json::object error_body(const Error& error) {
    return {{"error",
             {{"message", public_message(error)},
              {"type", status_for(error.code).type},
              {"code", to_string(error.code)}}}};
}

net::HttpResponse error_response(const Error& error, const boost::json::object& body,
                                 std::chrono::seconds retry_after) {
    const ErrorStatus kind = status_for(error.code);
    net::HttpResponse response;
    response.status = kind.status;
    response.body = boost::json::serialize(body) + "\n";
    if (kind.status == 429 || kind.status >= 502)
        response.headers["retry-after"] = std::to_string(retry_after.count());
    return response;
}

/// What the client asked for itself, and what the network did to it.
AnswerEnd end_of(ErrorCode code) {
    const bool is_by_client = code == ErrorCode::deadline_exceeded ||
                              code == ErrorCode::grammar_stuck || code == ErrorCode::cancelled;
    return is_by_client ? AnswerEnd::by_client : AnswerEnd::by_network;
}

/// One that has just ended by itself is not cancelled; its receipt is on its way.
pipeline::Usage usage_of(const Result<pipeline::Usage>& cancelled, uint32_t delivered) {
    return cancelled ? *cancelled : pipeline::Usage{.completion_tokens = delivered};
}

}  // namespace

void respond_error(net::HttpExchange& exchange, const Error& error,
                   std::chrono::seconds retry_after) {
    exchange.respond(error_response(error, error_body(error), retry_after));
}

void Answer::start(const World& world, const Result<model::ChatTemplate>& chat,
                   GenerationRequest request, std::shared_ptr<net::HttpExchange> exchange) {
    auto answer = std::make_shared<Answer>(world, std::move(request), std::move(exchange));
    if (auto submitted = answer->submit(chat); !submitted) {
        respond_error(*answer->exchange_, submitted.error(), world.node.retry_after());
    }
}

Answer::Answer(const World& world, GenerationRequest request,
               std::shared_ptr<net::HttpExchange> exchange)
    : node_(world.node),
      receipts_(world.receipts),
      clock_(world.clock),
      request_(std::move(request)),
      created_(request_.created.value_or(world.clock.unix_now())),
      exchange_(std::move(exchange)),
      decoder_(node_.tokenizer(), request_.stops),
      logprobs_(request_.dialect, node_.tokenizer()),
      payment_(world.billing) {
    world.rng.fill(id_.bytes);
}

Result<std::vector<TokenId>> Answer::prompt_tokens(const Result<model::ChatTemplate>& chat) const {
    const model::Tokenizer& tokenizer = node_.tokenizer();
    // Tokenising takes the I/O thread's time, so what cannot fit is refused before.
    const auto ensure_may_fit = [&](std::string_view text) -> Result<void> {
        if (text.size() <= node_.prompt_bytes_max()) return {};
        return fail(ErrorCode::context_exceeded,
                    "the prompt has " + std::to_string(text.size()) +
                        " bytes, there is room for prompt and answer of " +
                        std::to_string(node_.context_length()) + " tokens");
    };
    const bool is_chat = request_.dialect == Dialect::chat;
    if (is_chat && !tokenizer.vocabulary().chat_template.empty()) {
        TT_TRY(const auto text, render_chat(request_, created_, chat));
        TT_CHECK(ensure_may_fit(text.bytes));
        return tokenizer.encode_chat(text);
    }
    const std::string text = is_chat ? joined_messages(request_) : request_.prompt;
    TT_CHECK(ensure_may_fit(text));
    return tokenizer.encode(text, {.add_special = true});
}

Result<void> Answer::submit(const Result<model::ChatTemplate>& chat) {
    if (!request_.model.empty() && request_.model != node_.model_id()) {
        return fail(ErrorCode::model_unknown,
                    "have " + node_.model_id() + ", asked for " + quote_foreign(request_.model));
    }
    TT_CHECK(ensure_format());
    node::Generation generation;
    TT_TRY(generation.prompt, prompt_tokens(chat));
    if (generation.prompt.size() >= node_.context_length()) {
        return fail(ErrorCode::context_exceeded, "the prompt has " +
                                                     std::to_string(generation.prompt.size()) +
                                                     " tokens, the model's context is " +
                                                     std::to_string(node_.context_length()));
    }
    const auto room = static_cast<uint32_t>(node_.context_length() - generation.prompt.size());
    const uint32_t tokens_max =
        std::min(room, request_.tokens_max == 0 ? tokens_max_default : request_.tokens_max);
    const std::vector<TokenId>& given = request_.answer_token_ids;
    if (given.size() > tokens_max) {
        return fail(ErrorCode::field_invalid,
                    "'answer_token_ids' has " + std::to_string(given.size()) +
                        " tokens, the whole answer at most " + std::to_string(tokens_max));
    }
    TT_CHECK(take_up());
    if (stop_found_ || given.size() == tokens_max) {
        // Nothing but the end is missing.
        if (request_.stream) begin_stream();
        on_done(FinishReason::length, {});
        return {};
    }
    generation.prompt.insert(generation.prompt.end(), given.begin(), given.end());
    generation.tokens_max = tokens_max - static_cast<uint32_t>(given.size());
    generation.sampling = request_.sampling;
    generation.sampling.answer_given = static_cast<uint32_t>(given.size());
    generation.tenant = request_.tenant;
    TT_TRY(generation.tokens_max,
           payment_.admit(request_.payment,
                          {.prompt_tokens = static_cast<uint32_t>(generation.prompt.size()),
                           .tokens_max = generation.tokens_max,
                           .request_hash = request_.body_hash}));
    return generate(std::move(generation));
}

/// An answer that was begun with rows of one format goes on with no other.
Result<void> Answer::ensure_format() const {
    const ActivationFormat have = node_.activations();
    if (request_.activations.value_or(have) == have) return {};
    return fail(ErrorCode::activations_differ,
                "rows between this entry's shards travel as " + std::string(to_string(have)) +
                    ", those of the answer as " + std::string(to_string(*request_.activations)));
}

/// Goes over what the client has of the answer, so that what follows is what would have followed.
Result<void> Answer::take_up() {
    for (const TokenId token : request_.answer_token_ids) {
        auto output = decoder_.feed(token);
        if (!output) return in_context("'answer_token_ids'", std::move(output).error());
        if (stop_found_ || node_.tokenizer().is_end_of_generation(token)) {
            return fail(ErrorCode::field_invalid,
                        "'answer_token_ids' goes on behind the answer's end, with token " +
                            std::to_string(token));
        }
        stop_found_ = output->stopped;
        logprobs_.skip(token);
    }
    return {};
}

Result<void> Answer::generate(node::Generation generation) {
    generation.timeout = request_.timeout;
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
    TT_TRY(id_, node_.generate(std::move(generation), std::move(events)));
    // It may have failed before generate() came back.
    if (ended_) return {};
    is_submitted_ = true;
    receipts_.expect(id_);
    exchange_->on_disconnect([weak = weak_from_this()] {
        if (const auto answer = weak.lock()) answer->on_disconnect();
    });
    if (request_.stream) begin_stream();
    return {};
}

void Answer::on_disconnect() {
    if (ended_) return;
    ended_ = true;
    end_account(usage_of(node_.cancel(id_), delivered_), AnswerEnd::by_client);
    if (account_.completion_tokens == 0) {
        on_receipt(fail(ErrorCode::receipt_unknown, "cancelled"));
    } else {
        finish_receipt();
    }
}

/// Nothing comes after it but a receipt, where a token was picked.
void Answer::end_account(const pipeline::Usage& usage, AnswerEnd end) {
    // Of one that is not sent token by token, nothing was sent before it was whole.
    const bool is_sent = request_.stream || end == AnswerEnd::regular;
    const uint32_t sent = is_sent ? std::min(delivered_, usage.completion_tokens) : 0;
    account_ = {.prompt_tokens = usage.prompt_tokens,
                .cached_tokens = usage.cached_tokens,
                .completion_tokens = usage.completion_tokens,
                .unsent_tokens = usage.completion_tokens - sent,
                .end = end};
    text_ended_ = true;
}

void Answer::begin_stream() {
    is_streaming_ = true;
    exchange_->begin_stream(200, "text/event-stream",
                            {{"cache-control", "no-store"}, {"x-accel-buffering", "no"}});
    keep_alive();
    if (request_.dialect != Dialect::chat) return;
    boost::json::object first = envelope(".chunk");
    first["choices"] =
        boost::json::array{boost::json::object{{"index", 0},
                                               {"delta", {{"role", "assistant"}, {"content", ""}}},
                                               {"finish_reason", nullptr}}};
    send_event(first);
}

/// A comment (WHATWG HTML, server-sent events) where there is nothing to say, so that a client can
/// tell an entry that is busy from one that stands still.
void Answer::keep_alive() {
    keep_alive_ = node_.loop().call_after(keep_alive_interval, [weak = weak_from_this()] {
        const auto answer = weak.lock();
        if (!answer || answer->ended_) return;
        if (!std::exchange(answer->has_sent_, false)) answer->exchange_->write(":\n\n");
        answer->keep_alive();
    });
}

void Answer::send_event(const boost::json::object& data) {
    has_sent_ = true;
    exchange_->write("data: " + boost::json::serialize(data) + "\n\n");
}

void Answer::on_token(const pipeline::ClientToken& token) {
    if (ended_ || stop_found_ || payment_ended_) return;
    ++delivered_;
    if (token.logprobs) logprobs_.add(token.token, *token.logprobs);
    if (request_.return_token_ids) token_ids_.push_back(token.token);
    const auto output = decoder_.feed(token.token);
    if (!output) return fail_early(output.error());
    // Ids come with their token, text when it is certain: what a client has of either is then a
    // function of the ids that it has.
    if (!output->text.empty() || request_.return_token_ids) deliver(output->text);
    if (delivered_ % payment_comment_tokens == 1) tell_of_payment();
    if (output->stopped) {
        stop_found_ = true;
        end_early(FinishReason::stop);
    } else if (!payment_.may_go_on(delivered_)) {
        payment_ended_ = true;
        end_early(FinishReason::length);
    } else if (exchange_->pending_bytes() > unread_answer_bytes_max) {
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

/// In a comment, which no client of OpenAI's stumbles over: so that one that pays as it goes can
/// sign for more in time.
void Answer::tell_of_payment() {
    const auto standing = payment_.standing();
    if (!standing || !request_.stream) return;
    exchange_->write(": payment charged=" + std::to_string(standing->charged) +
                     " held=" + std::to_string(standing->held) +
                     " signed=" + std::to_string(standing->signed_amount) +
                     " claimable=" + std::to_string(standing->claimable) + "\n\n");
}

void Answer::deliver(const std::string& text) {
    text_ += text;
    if (request_.stream) send_event(chunk(text, std::nullopt));
}

void Answer::on_done(FinishReason reason, pipeline::Usage usage) {
    if (ended_) return;
    ended_ = true;
    if (stop_found_) reason = FinishReason::stop;
    const std::string last = decoder_.finish(reason);
    text_ += last;
    end_account(usage, AnswerEnd::regular);
    // Tokens behind a stop string that came in its pass were not sent.
    usage.completion_tokens -= account_.unsent_tokens;
    finish_receipt();
    if (!request_.stream) {
        net::HttpResponse response;
        response.body = boost::json::serialize(whole(reason, usage)) + "\n";
        exchange_->respond(response);
        return;
    }
    // With the reason, not before it: what no token lets out must not come twice.
    boost::json::object closing_text = chunk(last, reason);
    if (is_submitted_) closing_text["receipt"] = ReceiptStore::path_of(id_);
    if (payment_ended_) closing_text["ended_by"] = "payment";
    send_event(closing_text);
    if (request_.stream_usage || request_.dialect == Dialect::generate) {
        boost::json::object closing = envelope(".chunk");
        if (request_.dialect != Dialect::generate) closing["choices"] = boost::json::array();
        closing["usage"] = usage_json(usage);
        send_event(closing);
    }
    exchange_->write("data: [DONE]\n\n");
    exchange_->finish();
}

void Answer::on_receipt(const Result<attest::Receipt>& receipt) {
    receipt_ = receipt;
    finish_receipt();
}

/// The stages' records may come before the answer's last text does.
void Answer::finish_receipt() {
    if (!receipt_ || !text_ended_) return;
    auto made = *std::exchange(receipt_, {});
    if (!made) {
        payment_.drop(account_);
        return receipts_.drop(id_, made.error());
    }
    attest::Receipt receipt = std::move(made).value();
    receipt.request_hash = request_.body_hash;
    receipt.answer_hash = crypto::sha256(as_bytes(text_));
    receipt.finished_at = clock_.unix_now();
    // What the stages have signed for is what there is: one that ended by itself just before its
    // client left has more tokens than were told of.
    if (receipt.completion_tokens > account_.completion_tokens)
        account_.unsent_tokens += receipt.completion_tokens - account_.completion_tokens;
    payment_.put_into(receipt, account_);
    node_.sign(receipt);
    const auto keep = [self = shared_from_this()](const attest::Receipt& whole) {
        const std::string encoded = attest::encode_receipt(whole);
        // First, so that no receipt is handed out that a kill, or a full disk, could make free.
        if (const auto charged = self->payment_.charge(whole, encoded); !charged)
            return self->receipts_.drop(self->id_, charged.error());
        self->receipts_.put(self->id_, encoded);
    };
    if (!request_.wants_fresh_quotes) return keep(receipt);
    node_.add_fresh_quotes(std::move(receipt), keep);
}

void Answer::on_failed(const Error& error, pipeline::Usage usage) {
    if (ended_) return;
    ended_ = true;
    end_account(usage, end_of(error.code));
    const bool has_receipt = usage.completion_tokens > 0;
    if (!has_receipt) receipt_ = error;
    finish_receipt();
    boost::json::object body = error_body(error);
    if (has_receipt) body["receipt"] = ReceiptStore::path_of(id_);
    if (!is_streaming_) return exchange_->respond(error_response(error, body, node_.retry_after()));
    exchange_->write("event: error\ndata: " + boost::json::serialize(body) + "\n\n");
    exchange_.reset();
}

boost::json::object Answer::envelope(std::string_view suffix) const {
    const std::string id = to_hex(id_.bytes);
    boost::json::object out;
    switch (request_.dialect) {
        case Dialect::generate:
            out = {{"id", "gen-" + id}};
            break;
        case Dialect::completion:
            out = {{"id", "cmpl-" + id}, {"object", "text_completion"}, {"created", created_}};
            break;
        case Dialect::chat:
            out = {{"id", "chatcmpl-" + id},
                   {"object", "chat.completion" + std::string(suffix)},
                   {"created", created_}};
            break;
    }
    out["model"] = node_.model_id();
    // As it was, or could have been, sent.
    if (request_.return_token_ids) {
        out["seed"] = static_cast<int64_t>(request_.sampling.seed);
        out["activations"] = to_string(node_.activations());
    }
    return out;
}

void Answer::put_token_ids(boost::json::object& choice) {
    if (!request_.return_token_ids) return;
    choice["token_ids"] = boost::json::array(token_ids_.begin(), token_ids_.end());
    token_ids_.clear();
}

boost::json::object Answer::chunk(const std::string& text, std::optional<FinishReason> reason) {
    boost::json::object out = envelope(".chunk");
    const boost::json::value finish =
        reason ? boost::json::value(reason_name(*reason)) : boost::json::value(nullptr);
    if (request_.dialect == Dialect::generate) {
        out["text"] = text;
        out["finish_reason"] = finish;
        put_token_ids(out);
        return out;
    }
    boost::json::object choice = {{"index", 0}, {"finish_reason", finish}};
    if (request_.sampling.logprobs) choice["logprobs"] = logprobs_.take();
    if (request_.dialect == Dialect::chat) {
        const bool is_bare = reason && text.empty();
        choice["delta"] = is_bare ? boost::json::object() : boost::json::object{{"content", text}};
    } else {
        choice["text"] = text;
    }
    put_token_ids(choice);
    out["choices"] = boost::json::array{choice};
    return out;
}

boost::json::object Answer::whole(FinishReason reason, pipeline::Usage usage) {
    boost::json::object out = envelope("");
    if (request_.dialect == Dialect::generate) {
        out["text"] = text_;
        out["finish_reason"] = reason_name(reason);
        out["seed"] = static_cast<int64_t>(request_.sampling.seed);
        put_token_ids(out);
    } else {
        boost::json::object choice = {
            {"index", 0}, {"finish_reason", reason_name(reason)}, {"logprobs", logprobs_.take()}};
        if (request_.dialect == Dialect::chat) {
            choice["message"] = {{"role", "assistant"}, {"content", text_}};
        } else {
            choice["text"] = text_;
        }
        put_token_ids(choice);
        out["choices"] = boost::json::array{choice};
    }
    out["usage"] = usage_json(usage);
    if (is_submitted_) out["receipt"] = ReceiptStore::path_of(id_);
    if (payment_ended_) out["ended_by"] = "payment";
    return out;
}

}  // namespace teetee::api
