// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api/reply_format.hpp"

namespace teetee::api {

/// llama-server's own POST /completion: "content", with "stop" true in the last event.
class LlamaFormat final : public ReplyFormat {
  public:
    LlamaFormat(const GenerationRequest& request, const ReplyHead& head)
        : request_(request), head_(head) {}

    std::string begin() override { return ""; }
    std::string piece(size_t index, const Piece& piece) override;
    std::string ending(size_t index, const Piece& last, const Ending& ending) override;
    std::string finish(const pipeline::Usage&) override { return ""; }
    std::string failure(const boost::json::object& error) override;
    std::string whole(const std::vector<WholeAnswer>& answers,
                      const pipeline::Usage& total) override;

  private:
    boost::json::object part(const Piece& piece) const;
    void put_ending(boost::json::object& out, const Ending& ending) const;

    const GenerationRequest& request_;
    const ReplyHead& head_;
};

}  // namespace teetee::api
