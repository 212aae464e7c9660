// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "api/generation_request.hpp"
#include "api/tool_call_parser.hpp"
#include "pipeline/effects.hpp"

namespace teetee::api {

/// A call and its name in the conversation.
struct NamedCall {
    std::string id;
    ToolCall call;
};

/// What has become certain of an answer since the last piece.
struct Piece {
    std::string text;
    std::vector<NamedCall> calls;
    /// In the shape of the dialect; null where there are none.
    boost::json::value logprobs;
    std::vector<TokenId> token_ids;
    /// Of a prompt that has been embedded.
    std::vector<float> embedding;
};

/// How long an answer took; from its submission, the wait for its turn included.
struct Timings {
    Duration prompt{};
    Duration answer{};
};

/// How an answer has ended.
struct Ending {
    pipeline::FinishReason reason{};
    /// Of the whole answer: it has calls of tools.
    bool has_calls = false;
    /// The stop string that was found; "" if none was.
    std::string stop_found;
    pipeline::Usage usage;
    /// The path of the receipt; "" where nothing was computed.
    std::string receipt;
    bool is_ended_by_payment = false;
    Timings timings;
};

/// An answer that is not streamed.
struct WholeAnswer {
    Piece piece;
    Ending ending;
};

/// What a reply says of itself, whatever it answers.
struct ReplyHead {
    /// 32 hex digits.
    std::string id;
    UnixSeconds created = 0;
    std::string model;
    /// Names model and cut, as OpenAI's system_fingerprint does.
    std::string fingerprint;
    std::string activations;
    Position context_length = 0;
};

/// The answers to one request in the shape of its dialect: as server-sent events (WHATWG HTML,
/// section 9.2), or as one JSON object. Pure; the events of a stream must be asked for in the order
/// begin, pieces and endings, finish.
class ReplyFormat {
  public:
    virtual ~ReplyFormat() = default;

    virtual std::string begin() = 0;
    virtual std::string piece(size_t index, const Piece& piece) = 0;
    /// With the last text, not before it: what no token lets out must not come twice.
    virtual std::string ending(size_t index, const Piece& last, const Ending& ending) = 0;
    /// When all answers have ended. `total`: of all of them.
    virtual std::string finish(const pipeline::Usage& total) = 0;
    /// Instead, when one has failed: of {"error": ..}, after which the connection is cut.
    virtual std::string failure(const boost::json::object& error) = 0;

    virtual std::string whole(const std::vector<WholeAnswer>& answers,
                              const pipeline::Usage& total) = 0;
};

/// For the request's dialect. What it is given MUST outlive it.
std::unique_ptr<ReplyFormat> make_format(const GenerationRequest& request, const ReplyHead& head);

}  // namespace teetee::api
