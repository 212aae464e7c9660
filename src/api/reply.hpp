// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "api/answer.hpp"
#include "net/http_server.hpp"

namespace teetee::api {

/// The reply to one request: its answers, one or several, in the shape of the request's dialect,
/// streamed as server-sent events or whole. A reply that fails while it streams ends with an error
/// event and a cut connection, so that no client takes it for complete; where its client goes away,
/// its answers are cancelled. Keeps itself alive until the end.
class Reply final : public AnswerSink, public std::enable_shared_from_this<Reply> {
  public:
    /// Tokenises, submits, and answers; errors are answered as well.
    static void start(const AnswerWorld& world, const Chat& chat, GenerationRequest request,
                      std::shared_ptr<net::HttpExchange> exchange);

    Reply(const AnswerWorld& world, std::shared_ptr<const GenerationRequest> request,
          std::shared_ptr<net::HttpExchange> exchange);

    void on_piece(size_t index, const Piece& piece) override;
    void on_ending(size_t index, const Piece& last, const Ending& ending) override;
    void on_failure(size_t index, const Error& error, const std::string& receipt) override;
    void on_standing(const billing::Standing& standing) override;
    size_t unread_bytes() const override { return exchange_->pending_bytes(); }

  private:
    Result<void> prepare(const Chat& chat);
    Result<void> ensure_may_be_embedded() const;
    void run();
    void run_more();
    void begin_stream();
    void keep_alive();
    void send(std::string events);
    void finish();
    billing::Demand demand_of(size_t index) const;
    void cancel_answers(billing::AnswerEnd end);

    AnswerWorld world_;
    std::shared_ptr<const GenerationRequest> request_;
    std::shared_ptr<net::HttpExchange> exchange_;
    std::vector<std::shared_ptr<Answer>> answers_;
    /// How many tokens the prompts behind each have.
    std::vector<uint64_t> prompts_behind_;
    /// See billing::Demand::request.
    uint64_t payment_group_ = 0;
    ReplyHead head_;
    std::unique_ptr<ReplyFormat> format_;
    std::vector<WholeAnswer> ended_answers_;
    /// Those that have been begun, and of these those that have ended.
    size_t begun_count_ = 0;
    size_t ended_count_ = 0;
    bool is_streaming_ = false;
    bool is_over_ = false;
    /// Something was sent since the stream was last looked at.
    bool has_sent_ = false;
    net::Timer keep_alive_;
};

}  // namespace teetee::api
