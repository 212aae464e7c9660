// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/stop_matcher.hpp"
#include "api/tool_call_parser.hpp"
#include "model/stream_decoder.hpp"
#include "pipeline/effects.hpp"

namespace teetee::api {

struct AnswerTextOptions {
    std::vector<std::string> stops{};
    /// Calls of tools are found in the text.
    std::optional<ToolFormat> tool_format{};
    /// The marks of calls that are control tokens, which leave no text else.
    std::map<TokenId, std::string_view> mark_tokens{};
    /// The prompt ends with that much of a call.
    std::string call_begun{};
};

/// The text of an answer, as its tokens come: whole characters only, and nothing that may yet turn
/// out to be the beginning of a stop string or of a call of a tool. What has been given out after
/// some tokens is a function of these tokens: whoever feeds them to a new one goes on exactly where
/// it was.
class AnswerText {
  public:
    /// The tokenizer MUST outlive it.
    AnswerText(const model::Tokenizer& tokenizer, AnswerTextOptions options);

    struct Output {
        /// As the model wrote it, calls and all.
        std::string raw;
        /// Without what is a call.
        std::string text;
        std::vector<ToolCall> calls;
        bool stopped = false;
    };
    /// What this token lets out. Once a stop string was found nothing may follow. Error:
    /// token_out_of_range.
    Result<Output> feed(TokenId token);

    /// What was held back, when the answer has ended for this reason.
    Output finish(pipeline::FinishReason reason);

    /// The stop string that was found; "" if none was.
    const std::string& stop_found() const { return stops_.found(); }

  private:
    Output found_in(std::string raw);

    model::StreamDecoder decoder_;
    StopMatcher stops_;
    std::optional<ToolCallParser> calls_;
    std::string call_begun_;
    std::map<TokenId, std::string_view> mark_tokens_;
};

}  // namespace teetee::api
