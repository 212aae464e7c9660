// SPDX-License-Identifier: Apache-2.0
#include "api/generation_request.hpp"

#include "api/json_fields.hpp"
#include "api/limits.hpp"
#include "api/messages.hpp"
#include "api/resume_fields.hpp"
#include "api/sampling_fields.hpp"

namespace teetee::api {
namespace {

constexpr int64_t tokens_field_max = 1 << 24;

struct PromptField {
    std::string name;
    size_t count_max = choices_max;
};

/// A text, a list of tokens, or a list of such, which are prompts of their own.
Result<std::vector<Prompt>> parse_prompts(const boost::json::object& body,
                                          const PromptField& place) {
    const std::string quoted = "'" + place.name + "'";
    const Error wrong = fail(ErrorCode::field_invalid,
                             quoted + " must be a string, a list of token ids, or a list of these");
    const auto* field = body.if_contains(place.name);
    if (field == nullptr || field->is_null()) {
        return fail(ErrorCode::field_invalid,
                    quoted + " is missing: {\"" + place.name + "\": \"...\"}");
    }
    if (const auto* text = field->if_string()) return std::vector<Prompt>{std::string(*text)};
    const auto* list = field->if_array();
    if (list == nullptr || list->empty()) return wrong;
    std::vector<Prompt> prompts;
    if (list->front().is_number()) {
        TT_TRY(auto tokens, token_ids_of(*field, place.name));
        prompts.emplace_back(std::move(tokens));
        return prompts;
    }
    if (list->size() > place.count_max) {
        return fail(ErrorCode::field_invalid,
                    quoted + " may hold at most " + std::to_string(place.count_max) + " prompts");
    }
    for (const auto& item : *list) {
        if (const auto* text = item.if_string()) {
            prompts.emplace_back(std::string(*text));
        } else if (item.is_array() && !item.get_array().empty()) {
            TT_TRY(auto tokens, token_ids_of(item, place.name));
            prompts.emplace_back(std::move(tokens));
        } else {
            return wrong;
        }
    }
    return prompts;
}

Result<void> parse_choices(const boost::json::object& body, GenerationRequest& request) {
    // The others have no place for a second answer.
    const bool may_be_several =
        request.dialect == Dialect::chat || request.dialect == Dialect::completion;
    const auto most = may_be_several ? static_cast<int64_t>(choices_max) : 1;
    TT_TRY(const auto choices, integer_field(body, "n", {1, most}));
    request.choices = static_cast<uint32_t>(choices.value_or(1));
    if (!may_be_several && request.prompts.size() > 1)
        return fail(ErrorCode::field_invalid, "'prompt' must be one prompt on this path");
    if (request.answer_count() > choices_max) {
        return fail(ErrorCode::field_invalid,
                    "'n' asks for " + std::to_string(request.answer_count()) +
                        " answers in all, at most " + std::to_string(choices_max));
    }
    return {};
}

/// OpenAI's old and new name, and llama-server's, of which -1 is "as much as fits".
Result<void> parse_token_limit(const boost::json::object& body, GenerationRequest& request) {
    TT_TRY(const auto tokens, integer_field(body, "max_tokens", {1, tokens_field_max}));
    TT_TRY(const auto completion_tokens,
           integer_field(body, "max_completion_tokens", {1, tokens_field_max}));
    TT_TRY(const auto output_tokens,
           integer_field(body, "max_output_tokens", {1, tokens_field_max}));
    TT_TRY(auto predicted, integer_field(body, "n_predict", {-1, tokens_field_max}));
    if (predicted && *predicted == 0)
        return fail(ErrorCode::field_invalid, "'n_predict' must be at least 1, or -1");
    if (predicted && *predicted < 0) predicted = tokens_field_max;
    if (request.dialect == Dialect::llama && !predicted) predicted = tokens;
    int64_t limit = 0;
    for (const auto& one : {predicted, tokens, completion_tokens, output_tokens})
        limit = one.value_or(limit);
    request.tokens_max = static_cast<uint32_t>(limit);
    return {};
}

/// What would change the answer and is not there is refused, lest it be missed in silence.
Result<void> ensure_supported(const boost::json::object& body) {
    const auto is_asked = [&](std::string_view name) {
        const auto* field = body.if_contains(name);
        return field != nullptr && !field->is_null() && *field != false && *field != "";
    };
    for (const char* name : {"echo", "suffix", "previous_response_id", "functions", "audio"}) {
        if (is_asked(name)) {
            return fail(ErrorCode::field_invalid,
                        "'" + std::string(name) + "' is not supported" +
                            (std::string_view(name) == "functions" ? ": use 'tools'" : ""));
        }
    }
    return {};
}

Result<std::optional<Duration>> parse_timeout(const boost::json::object& body) {
    TT_TRY(const auto seconds, number_field(body, "timeout"));
    if (!seconds) return std::optional<Duration>();
    // False for NaN as well.
    if (!(*seconds >= 0.001 && *seconds <= timeout_max_s)) {
        return fail(ErrorCode::field_invalid,
                    "'timeout' must be seconds from 0.001 to " + std::to_string(timeout_max_s));
    }
    return std::optional(
        std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*seconds)));
}

/// A prompt's first token is what its embedding comes with; nobody is shown it.
Result<void> parse_embedding(const boost::json::object& body, GenerationRequest& request) {
    TT_TRY(request.prompts, parse_prompts(body, {"input", embeddings_max}));
    request.tokens_max = 1;
    request.has_seed = true;
    TT_TRY(auto pooling, string_field(body, "pooling"));
    const std::string how = std::move(pooling).value_or("mean");
    if (how != "mean" && how != "last")
        return fail(ErrorCode::field_invalid, "'pooling' must be \"mean\" or \"last\"");
    request.sampling.pooling = how == "last" ? Pooling::last : Pooling::mean;
    TT_TRY(auto format, string_field(body, "encoding_format"));
    const std::string written = std::move(format).value_or("float");
    if (written != "float" && written != "base64") {
        return fail(ErrorCode::field_invalid, "'encoding_format' must be \"float\" or \"base64\"");
    }
    request.wants_base64 = written == "base64";
    if (const auto* field = body.if_contains("dimensions"); field != nullptr && !field->is_null())
        return fail(ErrorCode::field_invalid, "'dimensions' is not supported: leave it out");
    TT_TRY(request.timeout, parse_timeout(body));
    return {};
}

Result<void> parse_chat(const boost::json::object& body, GenerationRequest& request) {
    const bool is_openai_chat = request.dialect == Dialect::chat;
    if (is_openai_chat) {
        TT_TRY(request.messages, parse_messages(body));
    } else {
        TT_TRY(request.messages, parse_input(body));
    }
    TT_TRY(request.tools, parse_tools(body, is_openai_chat ? ToolShape::nested : ToolShape::flat));
    TT_TRY(auto variables, object_field(body, "chat_template_kwargs"));
    request.template_variables = std::move(variables).value_or(boost::json::object());
    for (const char* taken : {"messages", "tools"}) request.template_variables.erase(taken);
    TT_TRY(const auto goes_on, bool_field(body, "continue_final_message"));
    request.continues_message = goes_on.value_or(false);
    if (request.continues_message && (request.messages.back().at("role") != "assistant" ||
                                      request.messages.back().as_object().contains("tool_calls"))) {
        return fail(ErrorCode::field_invalid,
                    "'continue_final_message' needs a text of the assistant's as last message");
    }
    return {};
}

Result<void> parse_streaming(const boost::json::object& body, GenerationRequest& request) {
    TT_TRY(const auto stream, bool_field(body, "stream"));
    request.stream = stream.value_or(false);
    TT_TRY(const auto options, object_field(body, "stream_options"));
    if (!options) return {};
    TT_TRY(const auto usage, bool_field(*options, "include_usage"));
    request.stream_usage = usage.value_or(false);
    return {};
}

/// What OpenAI's object of a response says again, as it was sent.
boost::json::object echo_of(const boost::json::object& body) {
    boost::json::object out;
    for (const char* name : {"instructions", "max_output_tokens", "metadata", "parallel_tool_calls",
                             "temperature", "text", "tool_choice", "tools", "top_p", "user"}) {
        if (const auto* field = body.if_contains(name); field != nullptr && !field->is_null())
            out[name] = *field;
    }
    return out;
}

Result<std::vector<std::string>> parse_stops(const boost::json::object& body) {
    std::vector<std::string> stops;
    const auto* field = body.if_contains("stop");
    if (field == nullptr || field->is_null()) return stops;
    const Error wrong =
        fail(ErrorCode::field_invalid, "'stop' must be a string or a list of at most " +
                                           std::to_string(stop_strings_max) + " strings of 1 to " +
                                           std::to_string(stop_string_bytes_max) + " bytes");
    if (const auto* one = field->if_string()) {
        stops.emplace_back(*one);
    } else if (const auto* list = field->if_array()) {
        for (const auto& item : *list) {
            if (!item.is_string()) return wrong;
            stops.emplace_back(item.get_string());
        }
    } else {
        return wrong;
    }
    if (stops.size() > stop_strings_max) return wrong;
    for (const std::string& stop : stops) {
        if (stop.empty() || stop.size() > stop_string_bytes_max) return wrong;
    }
    return stops;
}

Result<void> parse_attest(const boost::json::object& body, GenerationRequest& request) {
    TT_TRY(const auto attest, string_field(body, "attest"));
    if (attest) TT_CHECK(ensure_asks_for_quotes(*attest));
    request.wants_fresh_quotes = attest.has_value();
    return {};
}

}  // namespace

Result<void> ensure_asks_for_quotes(std::string_view attest) {
    if (attest == "quote") return {};
    return fail(ErrorCode::field_invalid, "'attest' must be \"quote\"");
}

Result<GenerationRequest> parse_generation_request(Dialect dialect, std::string_view text) {
    TT_TRY(const auto body, parse_body(text));
    GenerationRequest request;
    request.dialect = dialect;
    TT_TRY(const auto model, string_field(body, "model"));
    request.model = model.value_or("");
    TT_CHECK(ensure_supported(body));
    TT_CHECK(parse_attest(body, request));
    if (is_chat(dialect)) {
        TT_CHECK(parse_chat(body, request));
    } else if (dialect == Dialect::embeddings) {
        TT_CHECK(parse_embedding(body, request));
        return request;
    } else {
        TT_TRY(request.prompts, parse_prompts(body, {"prompt"}));
    }
    TT_CHECK(parse_choices(body, request));
    TT_CHECK(parse_token_limit(body, request));
    TT_CHECK(parse_sampling(body, request));
    TT_TRY(request.stops, parse_stops(body));
    TT_CHECK(parse_streaming(body, request));
    TT_TRY(request.timeout, parse_timeout(body));
    TT_CHECK(parse_resume(body, request));
    if (dialect == Dialect::llama) {
        TT_TRY(const auto returns, bool_field(body, "return_tokens"));
        request.return_token_ids = request.return_token_ids || returns.value_or(false);
    }
    if (request.answer_count() > 1 && !request.answer_token_ids.empty())
        return fail(ErrorCode::field_invalid, "'answer_token_ids' goes on with one answer");
    if (dialect == Dialect::responses) request.echoed = echo_of(body);
    return request;
}

}  // namespace teetee::api
