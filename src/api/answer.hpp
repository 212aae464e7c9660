// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "api/answer_text.hpp"
#include "api/generation_request.hpp"
#include "api/logprobs.hpp"
#include "api/paid_answer.hpp"
#include "api/prompt.hpp"
#include "api/receipt_store.hpp"
#include "api/reply_format.hpp"
#include "api/request_trace.hpp"
#include "node/node.hpp"

namespace teetee::api {

/// What answers are made by. References MUST outlive them.
struct AnswerWorld {
    node::Node& node;
    ReceiptStore& receipts;
    const Clock& clock;
    Rng& rng;
    /// Null: answers are free.
    const Billing* billing = nullptr;
    /// Of the request; null: nobody is told.
    std::shared_ptr<RequestTrace> trace{};
};

/// Whom an answer is told to, in this order: pieces, and an ending or a failure.
class AnswerSink {
  public:
    virtual ~AnswerSink() = default;
    /// Only of a request that is streamed; else all of it comes with the ending.
    virtual void on_piece(size_t index, const Piece& piece) = 0;
    virtual void on_ending(size_t index, const Piece& last, const Ending& ending) = 0;
    /// `receipt`: the path of the one that is made of what was computed; "" if there is none.
    virtual void on_failure(size_t index, const Error& error, const std::string& receipt) = 0;
    /// How a voucher stands that pays as it goes.
    virtual void on_standing(const billing::Standing& standing) = 0;
    /// That the client has not read.
    virtual size_t unread_bytes() const = 0;
};

/// How an answer counts that has failed: what its client has asked for is paid for.
billing::AnswerEnd answer_end_of(ErrorCode code);

/// One answer to a request, from its prompt to its end: submits it, turns tokens into text and
/// calls, sees to it that it is paid for, and makes its receipt. One that is streamed is charged
/// when it ends; any other when its client has been sent it, with the rest of its reply. Whoever
/// began it MUST keep it until it has ended, and then say sent() or cancel().
class Answer : public std::enable_shared_from_this<Answer> {
  public:
    /// `request` MUST have been parsed and its call, if it must be one, forced.
    Answer(const AnswerWorld& world, std::shared_ptr<const GenerationRequest> request,
           size_t index);

    /// Checks. Errors: whatever is wrong with the request.
    Result<void> prepare(const Chat& chat, std::vector<TokenId> prompt);
    /// Has it paid for and computed; the sink may be called before this returns. `demand`: what the
    /// reply knows of it. Errors: of PaidAnswer::admit and Node::generate; nothing is held then.
    Result<void> run(std::shared_ptr<AnswerSink> sink, billing::Demand demand);
    /// The whole reply is.
    void sent();
    /// Its client has gone, or another answer of the request has failed; `end` says which.
    void cancel(billing::AnswerEnd end);

    const RequestId& id() const { return id_; }
    /// Until it is run.
    uint32_t prompt_tokens() const { return static_cast<uint32_t>(generation_.prompt.size()); }

  private:
    Result<void> ensure_format() const;
    Result<void> pay(billing::Demand demand);
    Result<void> take_up();
    uint32_t tokens_max(uint32_t room) const;
    void end_early(pipeline::FinishReason reason);
    void on_token(const pipeline::ClientToken& token);
    void deliver(AnswerText::Output output);
    void add(AnswerText::Output& output);
    void on_done(pipeline::FinishReason reason, pipeline::Usage usage);
    void on_failed(const Error& error, pipeline::Usage usage);
    void fail_early(const Error& error);
    void tell_trace();
    void close(billing::AnswerEnd end);
    void on_receipt(const Result<attest::Receipt>& receipt);
    void finish_receipt();
    std::string call_id(const ToolCall& call) const;

    node::Node& node_;
    ReceiptStore& receipts_;
    const Clock& clock_;
    std::shared_ptr<RequestTrace> trace_;
    std::shared_ptr<const GenerationRequest> request_;
    size_t index_;
    node::Generation generation_;
    /// Until the ending, or the failure.
    std::shared_ptr<AnswerSink> sink_;
    ToolFormat tool_format_{};
    /// The node's name for it; of its own where nothing is left to compute.
    RequestId id_;
    /// The node knows it by its id, and will make a receipt.
    bool is_submitted_ = false;
    std::optional<AnswerText> decoder_;
    LogprobsReport logprobs_;
    /// As the model wrote it.
    std::string text_;
    /// What the sink has not been told.
    Piece piece_;
    size_t call_count_ = 0;
    std::optional<Digest> embedding_hash_;
    bool stop_found_ = false;
    PaidAnswer payment_;
    uint32_t delivered_ = 0;
    Instant began_at_{};
    std::optional<Instant> first_token_at_;
    /// What was signed for is used up.
    bool payment_ended_ = false;
    bool ended_ = false;
    /// What was computed, once it has ended.
    pipeline::Usage computed_;
    /// What is to be paid for; as soon as it is known what the client has of it.
    std::optional<billing::Delivered> account_;
    std::optional<Result<attest::Receipt>> receipt_;
};

}  // namespace teetee::api
