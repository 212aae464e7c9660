// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api/reply_format.hpp"

namespace teetee::api {

/// POST /generate: one text beside "finish_reason", and the seed that gives it again.
class StoryFormat final : public ReplyFormat {
  public:
    StoryFormat(const GenerationRequest& request, const ReplyHead& head)
        : request_(request), head_(head) {}

    std::string begin() override { return ""; }
    std::string piece(size_t index, const Piece& piece) override;
    std::string ending(size_t index, const Piece& last, const Ending& ending) override;
    std::string finish(const pipeline::Usage& total) override;
    std::string failure(const boost::json::object& error) override;
    std::string whole(const std::vector<WholeAnswer>& answers,
                      const pipeline::Usage& total) override;

  private:
    boost::json::object envelope() const;
    boost::json::object part(const Piece& piece, const Ending* ending) const;

    const GenerationRequest& request_;
    const ReplyHead& head_;
};

}  // namespace teetee::api
