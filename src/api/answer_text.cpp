// SPDX-License-Identifier: Apache-2.0
#include "api/answer_text.hpp"

namespace teetee::api {

Result<StopMatcher::Output> AnswerText::feed(TokenId token) {
    TT_TRY(const auto piece, decoder_.feed(token));
    return stops_.feed(piece);
}

std::string AnswerText::finish(pipeline::FinishReason reason) {
    // A model that has ended its answer leaves no character cut.
    const bool is_cut = reason == pipeline::FinishReason::length;
    StopMatcher::Output rest = stops_.feed(is_cut ? decoder_.finish() : "");
    return rest.stopped ? rest.text : rest.text + stops_.finish();
}

}  // namespace teetee::api
