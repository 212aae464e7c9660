// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/json/object.hpp>

#include "api/answer_text.hpp"
#include "api/generation_request.hpp"
#include "api/logprobs.hpp"
#include "api/paid_answer.hpp"
#include "api/receipt_store.hpp"
#include "model/chat_template.hpp"
#include "net/http_server.hpp"
#include "node/node.hpp"

namespace teetee::api {

/// The HTTP status an error is answered with, and OpenAI's "type" for it.
struct ErrorStatus {
    int status;
    std::string_view type;
};
ErrorStatus status_for(ErrorCode code);

/// What a client is told: the detail where the request is at fault, a sentence of our own where the
/// node is, whose details stay in its log.
std::string_view public_message(const Error& error);

/// {"error":{"message","type","code"}} with Retry-After where trying again makes sense.
void respond_error(net::HttpExchange& exchange, const Error& error,
                   std::chrono::seconds retry_after = std::chrono::seconds(1));

/// One request on its way from tokens to HTTP, in the shape of its dialect, streamed as server-sent
/// events or whole. An answer that fails while it streams ends with an error event and a cut
/// connection, so that no client takes it for complete. Keeps itself alive until the end.
class Answer : public std::enable_shared_from_this<Answer> {
  public:
    /// Tokenises, submits, and answers; errors are answered as well.
    struct World {
        node::Node& node;
        ReceiptStore& receipts;
        const Clock& clock;
        Rng& rng;
        /// Null: answers are free.
        const Billing* billing = nullptr;
    };
    static void start(const World& world, const Result<model::ChatTemplate>& chat,
                      GenerationRequest request, std::shared_ptr<net::HttpExchange> exchange);

    Answer(const World& world, GenerationRequest request,
           std::shared_ptr<net::HttpExchange> exchange);

  private:
    Result<void> submit(const Result<model::ChatTemplate>& chat);
    Result<void> ensure_format() const;
    Result<void> take_up();
    Result<void> generate(node::Generation generation);
    void end_early(pipeline::FinishReason reason);
    void tell_of_payment();
    Result<std::vector<TokenId>> prompt_tokens(const Result<model::ChatTemplate>& chat) const;
    void on_token(const pipeline::ClientToken& token);
    void deliver(const std::string& text);
    void on_done(pipeline::FinishReason reason, pipeline::Usage usage);
    void on_failed(const Error& error, pipeline::Usage usage);
    void fail_early(const Error& error);
    void on_disconnect();
    void end_account(const pipeline::Usage& usage, billing::AnswerEnd end);
    void on_receipt(const Result<attest::Receipt>& receipt);
    void finish_receipt();
    void begin_stream();
    void keep_alive();
    void send_event(const boost::json::object& data);

    boost::json::object envelope(std::string_view suffix) const;
    void put_token_ids(boost::json::object& choice);
    boost::json::object chunk(const std::string& text,
                              std::optional<pipeline::FinishReason> reason);
    boost::json::object whole(pipeline::FinishReason reason, pipeline::Usage usage);

    node::Node& node_;
    ReceiptStore& receipts_;
    const Clock& clock_;
    GenerationRequest request_;
    UnixSeconds created_;
    std::shared_ptr<net::HttpExchange> exchange_;
    /// The node's name for it; of its own where nothing is left to compute.
    RequestId id_;
    /// The node knows it by its id, and will make a receipt.
    bool is_submitted_ = false;
    bool is_streaming_ = false;
    /// Something was sent since the stream was last looked at.
    bool has_sent_ = false;
    net::Timer keep_alive_;
    AnswerText decoder_;
    LogprobsReport logprobs_;
    std::string text_;
    /// Those that the client has not been sent.
    std::vector<TokenId> token_ids_;
    bool stop_found_ = false;
    PaidAnswer payment_;
    uint32_t delivered_ = 0;
    /// What was signed for is used up.
    bool payment_ended_ = false;
    bool ended_ = false;
    /// Nothing is added to text_ any more.
    bool text_ended_ = false;
    /// What is to be paid for; as it is at the end.
    billing::Delivered account_;
    std::optional<Result<attest::Receipt>> receipt_;
};

}  // namespace teetee::api
