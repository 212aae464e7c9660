// SPDX-License-Identifier: Apache-2.0
#include "api/responses_format.hpp"

#include <utility>

#include "api/format_parts.hpp"

namespace teetee::api {

namespace json = boost::json;

namespace {

json::object usage_of(const pipeline::Usage& usage) {
    return {{"input_tokens", usage.prompt_tokens},
            {"input_tokens_details", {{"cached_tokens", usage.cached_tokens}}},
            {"output_tokens", usage.completion_tokens},
            {"output_tokens_details", {{"reasoning_tokens", 0}}},
            {"total_tokens", usage.prompt_tokens + usage.completion_tokens}};
}

std::string_view status_of(const Ending& ending) {
    return ending.reason == pipeline::FinishReason::stop ? "completed" : "incomplete";
}

}  // namespace

json::object ResponsesFormat::response(std::string_view status) const {
    json::object out = {{"id", "resp_" + head_.id},
                        {"object", "response"},
                        {"created_at", head_.created},
                        {"status", status},
                        {"background", false},
                        {"error", nullptr},
                        {"incomplete_details", nullptr},
                        {"instructions", nullptr},
                        {"max_output_tokens", nullptr},
                        {"metadata", json::object()},
                        {"model", head_.model},
                        {"output", items_},
                        {"parallel_tool_calls", request_.tools.parallel},
                        {"previous_response_id", nullptr},
                        {"reasoning", {{"effort", nullptr}, {"summary", nullptr}}},
                        {"store", false},
                        {"temperature", shortest(request_.sampling.temperature)},
                        {"text", {{"format", {{"type", "text"}}}}},
                        {"tool_choice", "auto"},
                        {"tools", json::array()},
                        {"top_p", shortest(request_.sampling.top_p)},
                        {"truncation", "disabled"},
                        {"usage", nullptr},
                        {"user", nullptr}};
    for (const auto& member : request_.echoed) out[member.key()] = member.value();
    if (request_.return_token_ids) {
        out["seed"] = static_cast<int64_t>(request_.sampling.seed);
        out["activations"] = head_.activations;
    }
    return out;
}

json::object ResponsesFormat::completed(const Ending& ending, const pipeline::Usage& total) const {
    json::object out = response(status_of(ending));
    if (ending.reason != pipeline::FinishReason::stop)
        out["incomplete_details"] = {{"reason", "max_output_tokens"}};
    out["usage"] = usage_of(total);
    if (!ending.receipt.empty()) out["receipt"] = ending.receipt;
    if (ending.is_ended_by_payment) out["ended_by"] = "payment";
    return out;
}

std::string ResponsesFormat::numbered(std::string_view type, json::object data) {
    json::object out = {{"type", type}, {"sequence_number", sequence_number_++}};
    for (auto& member : data) out[member.key()] = std::move(member.value());
    return named_event(type, out);
}

std::string ResponsesFormat::item_id(std::string_view prefix) const {
    return std::string(prefix) + head_.id + "_" + std::to_string(items_.size());
}

json::object ResponsesFormat::content_part() const {
    json::object out = {{"type", "output_text"}, {"annotations", json::array()}, {"text", text_}};
    out["logprobs"] = logprobs_;
    return out;
}

json::object ResponsesFormat::message(std::string_view status) const {
    json::object out = {{"id", item_id("msg_")},
                        {"type", "message"},
                        {"status", status},
                        {"role", "assistant"},
                        {"content", json::array()}};
    if (status != "in_progress") out["content"].as_array().push_back(content_part());
    return out;
}

std::string ResponsesFormat::begin() {
    std::string out = numbered("response.created", {{"response", response("in_progress")}});
    out += numbered("response.in_progress", {{"response", response("in_progress")}});
    return out;
}

std::string ResponsesFormat::open_message() {
    if (std::exchange(message_open_, true)) return "";
    const size_t index = items_.size();
    std::string out = numbered("response.output_item.added",
                               {{"output_index", index}, {"item", message("in_progress")}});
    out += numbered("response.content_part.added", {{"item_id", item_id("msg_")},
                                                    {"output_index", index},
                                                    {"content_index", 0},
                                                    {"part", content_part()}});
    return out;
}

std::string ResponsesFormat::text(const Piece& piece) {
    json::array logprobs;
    if (const auto* list = piece.logprobs.if_array()) logprobs = *list;
    const bool says_nothing = piece.text.empty() && logprobs.empty();
    // A stream of token ids has an event for each of them.
    if (says_nothing && (!request_.return_token_ids || piece.token_ids.empty())) return "";
    std::string out = open_message();
    text_ += piece.text;
    // A stream tells of each token once: all of them again, four times, would be more than fits.
    if (!request_.stream) logprobs_.insert(logprobs_.end(), logprobs.begin(), logprobs.end());
    json::object delta = {{"item_id", item_id("msg_")},
                          {"output_index", items_.size()},
                          {"content_index", 0},
                          {"delta", piece.text},
                          {"logprobs", std::move(logprobs)}};
    if (request_.return_token_ids)
        delta["token_ids"] = json::array(piece.token_ids.begin(), piece.token_ids.end());
    return out + numbered("response.output_text.delta", std::move(delta));
}

std::string ResponsesFormat::close_message(std::string_view status) {
    if (!std::exchange(message_open_, false)) return "";
    const size_t index = items_.size();
    const std::string id = item_id("msg_");
    std::string out = numbered("response.output_text.done", {{"item_id", id},
                                                             {"output_index", index},
                                                             {"content_index", 0},
                                                             {"text", text_},
                                                             {"logprobs", logprobs_}});
    out += numbered(
        "response.content_part.done",
        {{"item_id", id}, {"output_index", index}, {"content_index", 0}, {"part", content_part()}});
    json::object done = message(status);
    out += numbered("response.output_item.done", {{"output_index", index}, {"item", done}});
    items_.push_back(std::move(done));
    text_.clear();
    logprobs_.clear();
    return out;
}

std::string ResponsesFormat::call(const NamedCall& call) {
    std::string out = close_message("completed");
    const size_t index = items_.size();
    const std::string id = item_id("fc_");
    json::object item = {{"id", id},           {"type", "function_call"}, {"status", "in_progress"},
                         {"call_id", call.id}, {"name", call.call.name},  {"arguments", ""}};
    out += numbered("response.output_item.added", {{"output_index", index}, {"item", item}});
    out += numbered("response.function_call_arguments.delta",
                    {{"item_id", id}, {"output_index", index}, {"delta", call.call.arguments}});
    out += numbered("response.function_call_arguments.done", {{"item_id", id},
                                                              {"output_index", index},
                                                              {"name", call.call.name},
                                                              {"arguments", call.call.arguments}});
    item["status"] = "completed";
    item["arguments"] = call.call.arguments;
    out += numbered("response.output_item.done", {{"output_index", index}, {"item", item}});
    items_.push_back(std::move(item));
    return out;
}

std::string ResponsesFormat::piece(size_t, const Piece& piece) {
    std::string out = text(piece);
    for (const NamedCall& one : piece.calls) out += call(one);
    return out;
}

std::string ResponsesFormat::ending(size_t index, const Piece& last, const Ending& ending) {
    ending_ = ending;
    std::string out = piece(index, last);
    // Even an answer without a word is one.
    if (items_.empty()) out += open_message();
    return out + close_message(status_of(ending));
}

std::string ResponsesFormat::finish(const pipeline::Usage& total) {
    const std::string type = "response." + std::string(status_of(*ending_));
    return numbered(type, {{"response", completed(*ending_, total)}});
}

std::string ResponsesFormat::failure(const json::object& error) {
    json::object failed = response("failed");
    const auto& told = error.at("error").as_object();
    failed["error"] = {{"code", told.at("code")}, {"message", told.at("message")}};
    if (const auto* receipt = error.if_contains("receipt")) failed["receipt"] = *receipt;
    std::string out = numbered("response.failed", {{"response", std::move(failed)}});
    out += numbered("error", {{"code", told.at("code")},
                              {"message", told.at("message")},
                              {"param", told.at("param")},
                              {"error", told}});
    return out;
}

std::string ResponsesFormat::whole(const std::vector<WholeAnswer>& answers,
                                   const pipeline::Usage& total) {
    const WholeAnswer& answer = answers.front();
    // The same items that a stream would have told of.
    static_cast<void>(ending(0, answer.piece, answer.ending));
    return object_text(completed(answer.ending, total));
}

}  // namespace teetee::api
