// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "api/limits.hpp"
#include "api/reply_format.hpp"

namespace teetee::api {

/// What /v1/completions and /v1/chat/completions have in common: an object with "choices".
class OpenAiFormat : public ReplyFormat {
  public:
    OpenAiFormat(const GenerationRequest& request, const ReplyHead& head)
        : request_(request), head_(head) {}

    std::string piece(size_t index, const Piece& piece) override {
        return chunk(index, piece, nullptr);
    }
    std::string ending(size_t index, const Piece& last, const Ending& ending) override {
        return chunk(index, last, &ending);
    }
    std::string finish(const pipeline::Usage& total) override;
    std::string failure(const boost::json::object& error) override;

  protected:
    struct EnvelopeNames {
        std::string_view id_prefix;
        std::string_view object;
    };
    boost::json::object envelope(const EnvelopeNames& names) const;
    virtual boost::json::object chunk_envelope() const = 0;
    /// With `ending` where it is the last one of its choice.
    virtual std::string chunk(size_t index, const Piece& piece, const Ending* ending) = 0;
    void put_token_ids(boost::json::object& choice, const Piece& piece) const;
    void put_end(boost::json::object& out, boost::json::object& choice, const Ending& ending) const;
    std::string whole_with(boost::json::object out, std::vector<boost::json::object> choices,
                           const std::vector<WholeAnswer>& answers,
                           const pipeline::Usage& total) const;

    const GenerationRequest& request_;
    const ReplyHead& head_;
};

class CompletionFormat final : public OpenAiFormat {
  public:
    using OpenAiFormat::OpenAiFormat;

    std::string begin() override { return ""; }
    std::string whole(const std::vector<WholeAnswer>& answers,
                      const pipeline::Usage& total) override;

  protected:
    boost::json::object chunk_envelope() const override;
    std::string chunk(size_t index, const Piece& piece, const Ending* ending) override;
};

class ChatFormat final : public OpenAiFormat {
  public:
    using OpenAiFormat::OpenAiFormat;

    std::string begin() override;
    std::string whole(const std::vector<WholeAnswer>& answers,
                      const pipeline::Usage& total) override;

  protected:
    boost::json::object chunk_envelope() const override;
    std::string chunk(size_t index, const Piece& piece, const Ending* ending) override;

  private:
    std::array<size_t, choices_max> call_counts_{};
};

}  // namespace teetee::api
