// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/json/object.hpp>

#include "api/generation_request.hpp"
#include "api/logprobs.hpp"
#include "api/receipt_store.hpp"
#include "api/stop_matcher.hpp"
#include "model/chat_template.hpp"
#include "model/stream_decoder.hpp"
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
    };
    static void start(const World& world, const Result<model::ChatTemplate>& chat,
                      GenerationRequest request, std::shared_ptr<net::HttpExchange> exchange);

    Answer(const World& world, GenerationRequest request,
           std::shared_ptr<net::HttpExchange> exchange);

  private:
    Result<void> submit(const Result<model::ChatTemplate>& chat);
    Result<std::vector<TokenId>> prompt_tokens(const Result<model::ChatTemplate>& chat) const;
    void on_token(const pipeline::ClientToken& token);
    void deliver(const std::string& text);
    void on_done(std::string_view reason, pipeline::Usage usage);
    void on_failed(const Error& error);
    void on_receipt(const Result<attest::Receipt>& receipt);
    void finish_receipt();
    void begin_stream();
    void send_event(const boost::json::object& data);

    boost::json::object envelope(std::string_view suffix) const;
    boost::json::object chunk(const std::string& text, std::optional<std::string_view> reason);
    boost::json::object whole(std::string_view reason, pipeline::Usage usage);

    node::Node& node_;
    ReceiptStore& receipts_;
    const Clock& clock_;
    GenerationRequest request_;
    UnixSeconds created_;
    std::shared_ptr<net::HttpExchange> exchange_;
    std::optional<RequestId> id_;
    model::StreamDecoder decoder_;
    StopMatcher stops_;
    LogprobsReport logprobs_;
    std::string text_;
    bool stop_found_ = false;
    bool ended_ = false;
    /// Nothing is added to text_ any more.
    bool text_ended_ = false;
    std::optional<attest::Receipt> receipt_;
};

}  // namespace teetee::api
