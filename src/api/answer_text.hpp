// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "api/stop_matcher.hpp"
#include "model/stream_decoder.hpp"
#include "pipeline/effects.hpp"

namespace teetee::api {

/// The text of an answer, as its tokens come: whole characters only, and nothing that may yet turn
/// out to be the beginning of a stop string. What has been given out after some tokens is a
/// function of these tokens: whoever feeds them to a new one goes on exactly where it was.
class AnswerText {
  public:
    /// The tokenizer MUST outlive it.
    AnswerText(const model::Tokenizer& tokenizer, std::vector<std::string> stops)
        : decoder_(tokenizer, {.continues_text = true}), stops_(std::move(stops)) {}

    /// What this token lets out. Once a stop string was found nothing may follow. Error:
    /// token_out_of_range.
    Result<StopMatcher::Output> feed(TokenId token);

    /// What was held back, when the answer has ended for this reason.
    std::string finish(pipeline::FinishReason reason);

  private:
    model::StreamDecoder decoder_;
    StopMatcher stops_;
};

}  // namespace teetee::api
