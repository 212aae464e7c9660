// SPDX-License-Identifier: Apache-2.0
#include "api/llama_format.hpp"

#include <boost/json/array.hpp>

#include "api/format_parts.hpp"

namespace teetee::api {

namespace json = boost::json;

namespace {

std::string_view stop_type(const Ending& ending) {
    if (!ending.stop_found.empty()) return "word";
    return ending.reason == pipeline::FinishReason::stop ? "eos" : "limit";
}

json::object settings_json(const GenerationRequest& request, Position context_length) {
    const SamplingOptions& sampling = request.sampling;
    return {{"n_ctx", context_length},
            {"n_predict", request.tokens_max},
            {"seed", static_cast<int64_t>(sampling.seed)},
            {"temperature", shortest(sampling.temperature)},
            {"top_k", sampling.top_k},
            {"top_p", shortest(sampling.top_p)},
            {"min_p", shortest(sampling.min_p)},
            {"typical_p", shortest(sampling.typical_p)},
            {"repeat_penalty", shortest(sampling.repetition_penalty)},
            {"presence_penalty", shortest(sampling.presence_penalty)},
            {"frequency_penalty", shortest(sampling.frequency_penalty)},
            {"stop", json::array(request.stops.begin(), request.stops.end())},
            {"stream", request.stream},
            {"n_probs", sampling.top_logprobs}};
}

}  // namespace

json::object LlamaFormat::part(const Piece& piece) const {
    json::object out = {{"index", 0},
                        {"content", piece.text},
                        {"tokens", json::array(piece.token_ids.begin(), piece.token_ids.end())},
                        {"stop", false},
                        {"id_slot", 0}};
    if (!piece.logprobs.is_null()) out["completion_probabilities"] = piece.logprobs;
    return out;
}

void LlamaFormat::put_ending(json::object& out, const Ending& ending) const {
    out["stop"] = true;
    out["model"] = head_.model;
    out["tokens_predicted"] = ending.usage.completion_tokens;
    out["tokens_evaluated"] = ending.usage.prompt_tokens;
    out["tokens_cached"] = ending.usage.prompt_tokens + ending.usage.completion_tokens;
    out["generation_settings"] = settings_json(request_, head_.context_length);
    out["truncated"] = false;
    out["stop_type"] = stop_type(ending);
    out["stopping_word"] = ending.stop_found;
    out["timings"] = timings_json(ending.usage, ending.timings);
    if (!ending.receipt.empty()) out["receipt"] = ending.receipt;
    if (ending.is_ended_by_payment) out["ended_by"] = "payment";
}

std::string LlamaFormat::piece(size_t, const Piece& piece) {
    return event(part(piece));
}

std::string LlamaFormat::ending(size_t, const Piece& last, const Ending& ending) {
    json::object out = part(last);
    put_ending(out, ending);
    return event(out);
}

std::string LlamaFormat::failure(const json::object& error) {
    return named_event("error", error);
}

std::string LlamaFormat::whole(const std::vector<WholeAnswer>& answers, const pipeline::Usage&) {
    const WholeAnswer& answer = answers.front();
    json::object out = part(answer.piece);
    put_ending(out, answer.ending);
    const auto* prompt = std::get_if<std::string>(&request_.prompts.front());
    out["prompt"] = prompt == nullptr ? "" : *prompt;
    return object_text(out);
}

}  // namespace teetee::api
