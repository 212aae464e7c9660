// SPDX-License-Identifier: Apache-2.0
#include "api/format_parts.hpp"

#include <cstdlib>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "api/embeddings_format.hpp"
#include "api/llama_format.hpp"
#include "api/openai_format.hpp"
#include "api/responses_format.hpp"
#include "api/story_format.hpp"

namespace teetee::api {

namespace json = boost::json;

std::string event(const json::object& data) {
    return "data: " + json::serialize(data) + "\n\n";
}

std::string named_event(std::string_view name, const json::object& data) {
    return "event: " + std::string(name) + "\n" + event(data);
}

json::object usage_json(const pipeline::Usage& usage) {
    return {{"prompt_tokens", usage.prompt_tokens},
            {"completion_tokens", usage.completion_tokens},
            {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
            {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}}}};
}

json::value finish_reason(const Ending* ending) {
    if (ending == nullptr) return nullptr;
    if (ending->reason != pipeline::FinishReason::stop) return "length";
    return ending->has_calls ? "tool_calls" : "stop";
}

json::object call_json(const NamedCall& call) {
    return {{"id", call.id},
            {"type", "function"},
            {"function", {{"name", call.call.name}, {"arguments", call.call.arguments}}}};
}

json::object timings_json(const pipeline::Usage& usage, const Timings& timings) {
    const auto part = [](std::string_view name, uint32_t tokens, Duration took, json::object& out) {
        const double ms = std::chrono::duration<double, std::milli>(took).count();
        const std::string prefix(name);
        out[prefix + "_n"] = tokens;
        out[prefix + "_ms"] = ms;
        out[prefix + "_per_token_ms"] = tokens > 0 ? ms / tokens : 0.0;
        out[prefix + "_per_second"] = ms > 0 ? 1000.0 * tokens / ms : 0.0;
    };
    json::object out;
    out["cache_n"] = usage.cached_tokens;
    part("prompt", usage.prompt_tokens - std::min(usage.prompt_tokens, usage.cached_tokens),
         timings.prompt, out);
    part("predicted", usage.completion_tokens, timings.answer, out);
    return out;
}

double shortest(float number) {
    return std::strtod(fmt::format("{}", number).c_str(), nullptr);
}

Timings longest_timings(const std::vector<WholeAnswer>& answers) {
    Timings longest;
    for (const WholeAnswer& answer : answers) {
        longest.prompt = std::max(longest.prompt, answer.ending.timings.prompt);
        longest.answer = std::max(longest.answer, answer.ending.timings.answer);
    }
    return longest;
}

std::string object_text(const json::object& object) {
    return json::serialize(object) + "\n";
}

std::unique_ptr<ReplyFormat> make_format(const GenerationRequest& request, const ReplyHead& head) {
    switch (request.dialect) {
        case Dialect::generate:
            return std::make_unique<StoryFormat>(request, head);
        case Dialect::completion:
            return std::make_unique<CompletionFormat>(request, head);
        case Dialect::chat:
            return std::make_unique<ChatFormat>(request, head);
        case Dialect::responses:
            return std::make_unique<ResponsesFormat>(request, head);
        case Dialect::embeddings:
            return std::make_unique<EmbeddingsFormat>(request, head);
        case Dialect::llama:
            break;
    }
    return std::make_unique<LlamaFormat>(request, head);
}

}  // namespace teetee::api
