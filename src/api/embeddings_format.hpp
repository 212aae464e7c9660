// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api/reply_format.hpp"

namespace teetee::api {

/// OpenAI's /v1/embeddings: a vector for each prompt. It is not streamed.
class EmbeddingsFormat final : public ReplyFormat {
  public:
    EmbeddingsFormat(const GenerationRequest& request, const ReplyHead& head)
        : request_(request), head_(head) {}

    std::string begin() override { return ""; }
    std::string piece(size_t, const Piece&) override { return ""; }
    std::string ending(size_t, const Piece&, const Ending&) override { return ""; }
    std::string finish(const pipeline::Usage&) override { return ""; }
    std::string failure(const boost::json::object&) override { return ""; }
    std::string whole(const std::vector<WholeAnswer>& answers,
                      const pipeline::Usage& total) override;

  private:
    const GenerationRequest& request_;
    const ReplyHead& head_;
};

/// Little-endian F32, as base64 has it and as a receipt's answer_hash is over.
Bytes embedding_bytes(const std::vector<float>& embedding);

}  // namespace teetee::api
