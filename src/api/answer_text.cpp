// SPDX-License-Identifier: Apache-2.0
#include "api/answer_text.hpp"

namespace teetee::api {

AnswerText::AnswerText(const model::Tokenizer& tokenizer, AnswerTextOptions options)
    : decoder_(tokenizer, {.continues_text = true}), stops_(std::move(options.stops)) {
    if (!options.tool_format) return;
    calls_.emplace(*options.tool_format);
    mark_tokens_ = std::move(options.mark_tokens);
    call_begun_ = std::move(options.call_begun);
    static_cast<void>(calls_->feed(call_begun_));
}

Result<AnswerText::Output> AnswerText::feed(TokenId token) {
    TT_TRY(std::string piece, decoder_.feed(token));
    if (const auto mark = mark_tokens_.find(token); mark != mark_tokens_.end())
        piece += mark->second;
    StopMatcher::Output found = stops_.feed(piece);
    Output out = found_in(std::move(found.text));
    out.stopped = found.stopped;
    return out;
}

AnswerText::Output AnswerText::found_in(std::string raw) {
    Output out;
    if (calls_) {
        ToolCallParser::Output found = calls_->feed(raw);
        out.text = std::move(found.text);
        out.calls = std::move(found.calls);
    } else {
        out.text = raw;
    }
    out.raw = std::move(raw);
    return out;
}

AnswerText::Output AnswerText::finish(pipeline::FinishReason reason) {
    // A model that has ended its answer leaves no character cut.
    const bool is_cut = reason == pipeline::FinishReason::length;
    StopMatcher::Output rest = stops_.feed(is_cut ? decoder_.finish() : "");
    Output out = found_in(rest.stopped ? std::move(rest.text) : rest.text + stops_.finish());
    if (!calls_) return out;
    ToolCallParser::Output last = calls_->finish();
    // What the prompt had of a call that has come to nothing is no part of the answer.
    std::string_view rest_text = last.text;
    if (!call_begun_.empty() && rest_text.starts_with(call_begun_))
        rest_text.remove_prefix(call_begun_.size());
    out.text += rest_text;
    std::ranges::move(last.calls, std::back_inserter(out.calls));
    return out;
}

}  // namespace teetee::api
