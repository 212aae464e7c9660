// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include <boost/json/array.hpp>

#include "api/reply_format.hpp"

namespace teetee::api {

/// OpenAI's /v1/responses: a list of items, which are a message and calls of functions, in the
/// order in which the model wrote them. Nothing is stored, so no later request can refer to it.
class ResponsesFormat final : public ReplyFormat {
  public:
    ResponsesFormat(const GenerationRequest& request, const ReplyHead& head)
        : request_(request), head_(head) {}

    std::string begin() override;
    std::string piece(size_t index, const Piece& piece) override;
    std::string ending(size_t index, const Piece& last, const Ending& ending) override;
    std::string finish(const pipeline::Usage& total) override;
    std::string failure(const boost::json::object& error) override;
    std::string whole(const std::vector<WholeAnswer>& answers,
                      const pipeline::Usage& total) override;

  private:
    /// "in_progress", "completed", "incomplete" or "failed".
    boost::json::object response(std::string_view status) const;
    boost::json::object completed(const Ending& ending, const pipeline::Usage& total) const;
    std::string numbered(std::string_view type, boost::json::object data);
    std::string text(const Piece& piece);
    std::string call(const NamedCall& call);
    std::string open_message();
    std::string close_message(std::string_view status);
    boost::json::object message(std::string_view status) const;
    boost::json::object content_part() const;
    std::string item_id(std::string_view prefix) const;

    const GenerationRequest& request_;
    const ReplyHead& head_;
    uint64_t sequence_number_ = 0;
    /// Those that are whole.
    boost::json::array items_;
    /// The message that is being written.
    bool message_open_ = false;
    std::string text_;
    boost::json::array logprobs_;
    std::optional<Ending> ending_;
};

}  // namespace teetee::api
