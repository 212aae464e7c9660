// SPDX-License-Identifier: Apache-2.0
#include "api/openai_format.hpp"

#include <algorithm>

#include <boost/json/array.hpp>

#include "api/format_parts.hpp"

namespace teetee::api {

namespace json = boost::json;
using pipeline::FinishReason;

json::object OpenAiFormat::envelope(const EnvelopeNames& names) const {
    json::object out = {{"id", std::string(names.id_prefix) + head_.id}};
    if (!names.object.empty()) out["object"] = names.object;
    if (!names.object.empty()) out["created"] = head_.created;
    out["model"] = head_.model;
    if (!names.object.empty()) out["system_fingerprint"] = head_.fingerprint;
    // As it was, or could have been, sent.
    if (request_.return_token_ids) {
        out["seed"] = static_cast<int64_t>(request_.sampling.seed);
        out["activations"] = head_.activations;
    }
    return out;
}

void OpenAiFormat::put_token_ids(json::object& choice, const Piece& piece) const {
    if (!request_.return_token_ids) return;
    choice["token_ids"] = json::array(piece.token_ids.begin(), piece.token_ids.end());
}

/// Where there is one answer it stands beside the choices, which OpenAI's clients hand on.
void OpenAiFormat::put_end(json::object& out, json::object& choice, const Ending& ending) const {
    json::object& place = request_.answer_count() > 1 ? choice : out;
    if (!ending.receipt.empty()) place["receipt"] = ending.receipt;
    if (ending.is_ended_by_payment) place["ended_by"] = "payment";
}

std::string OpenAiFormat::finish(const pipeline::Usage& total) {
    std::string out;
    if (request_.stream_usage) {
        json::object closing = chunk_envelope();
        closing["choices"] = json::array();
        closing["usage"] = usage_json(total);
        out = event(closing);
    }
    return out + "data: [DONE]\n\n";
}

std::string OpenAiFormat::failure(const json::object& error) {
    return named_event("error", error);
}

std::string OpenAiFormat::whole_with(json::object out, std::vector<json::object> choices,
                                     const std::vector<WholeAnswer>& answers,
                                     const pipeline::Usage& total) const {
    json::array list;
    json::object ends;
    for (size_t index = 0; index < answers.size(); ++index) {
        put_token_ids(choices[index], answers[index].piece);
        put_end(ends, choices[index], answers[index].ending);
        list.push_back(std::move(choices[index]));
    }
    out["choices"] = std::move(list);
    out["usage"] = usage_json(total);
    for (auto& member : ends) out[member.key()] = std::move(member.value());
    out["timings"] = timings_json(total, longest_timings(answers));
    return object_text(out);
}

json::object CompletionFormat::chunk_envelope() const {
    return envelope({.id_prefix = "cmpl-", .object = "text_completion"});
}

std::string CompletionFormat::chunk(size_t index, const Piece& piece, const Ending* ending) {
    json::object out = chunk_envelope();
    json::object choice = {{"index", index},
                           {"finish_reason", finish_reason(ending)},
                           {"logprobs", piece.logprobs},
                           {"text", piece.text}};
    put_token_ids(choice, piece);
    if (ending != nullptr) put_end(out, choice, *ending);
    out["choices"] = json::array{std::move(choice)};
    return event(out);
}

std::string CompletionFormat::whole(const std::vector<WholeAnswer>& answers,
                                    const pipeline::Usage& total) {
    std::vector<json::object> choices;
    for (size_t index = 0; index < answers.size(); ++index) {
        choices.push_back({{"index", index},
                           {"finish_reason", finish_reason(&answers[index].ending)},
                           {"logprobs", answers[index].piece.logprobs},
                           {"text", answers[index].piece.text}});
    }
    return whole_with(chunk_envelope(), std::move(choices), answers, total);
}

json::object ChatFormat::chunk_envelope() const {
    return envelope({.id_prefix = "chatcmpl-", .object = "chat.completion.chunk"});
}

std::string ChatFormat::begin() {
    std::string out;
    for (size_t index = 0; index < request_.answer_count(); ++index) {
        json::object first = chunk_envelope();
        first["choices"] =
            json::array{json::object{{"index", index},
                                     {"delta", {{"role", "assistant"}, {"content", ""}}},
                                     {"finish_reason", nullptr}}};
        out += event(first);
    }
    return out;
}

std::string ChatFormat::chunk(size_t index, const Piece& piece, const Ending* ending) {
    json::object delta;
    const bool says_nothing = piece.text.empty() && (ending != nullptr || !piece.calls.empty());
    if (!says_nothing) delta["content"] = piece.text;
    if (!piece.calls.empty()) {
        json::array calls;
        for (const NamedCall& call : piece.calls) {
            json::object one = call_json(call);
            one["index"] = call_counts_[index]++;
            calls.push_back(std::move(one));
        }
        delta["tool_calls"] = std::move(calls);
    }
    json::object out = chunk_envelope();
    json::object choice = {{"index", index}, {"finish_reason", finish_reason(ending)}};
    if (request_.sampling.logprobs) choice["logprobs"] = piece.logprobs;
    choice["delta"] = std::move(delta);
    put_token_ids(choice, piece);
    if (ending != nullptr) put_end(out, choice, *ending);
    out["choices"] = json::array{std::move(choice)};
    return event(out);
}

std::string ChatFormat::whole(const std::vector<WholeAnswer>& answers,
                              const pipeline::Usage& total) {
    std::vector<json::object> choices;
    for (size_t index = 0; index < answers.size(); ++index) {
        const Piece& piece = answers[index].piece;
        json::object message = {{"role", "assistant"}, {"content", piece.text}};
        if (!piece.calls.empty()) {
            json::array calls;
            for (const NamedCall& call : piece.calls) calls.push_back(call_json(call));
            if (piece.text.empty()) message["content"] = nullptr;
            message["tool_calls"] = std::move(calls);
        }
        message["refusal"] = nullptr;
        choices.push_back({{"index", index},
                           {"finish_reason", finish_reason(&answers[index].ending)},
                           {"logprobs", piece.logprobs},
                           {"message", std::move(message)}});
    }
    return whole_with(envelope({.id_prefix = "chatcmpl-", .object = "chat.completion"}),
                      std::move(choices), answers, total);
}

}  // namespace teetee::api
