// SPDX-License-Identifier: Apache-2.0
#include "api/generation_request.hpp"

#include "api/json_fields.hpp"
#include "api/limits.hpp"
#include "api/resume_fields.hpp"
#include "api/sampling_fields.hpp"

namespace teetee::api {
namespace {

constexpr int64_t tokens_field_max = 1 << 24;

/// A string, or the text parts of a list of content parts.
Result<std::string> parse_content(const boost::json::value& content) {
    if (const auto* text = content.if_string()) return std::string(*text);
    std::string joined;
    const auto* parts = content.if_array();
    if (parts == nullptr)
        return fail(ErrorCode::field_invalid, "'content' must be a string or a list of text parts");
    for (const auto& part : *parts) {
        const auto* object = part.if_object();
        const auto* type = object == nullptr ? nullptr : object->if_contains("type");
        const auto* text = object == nullptr ? nullptr : object->if_contains("text");
        if (type == nullptr || *type != "text" || text == nullptr || !text->is_string()) {
            return fail(ErrorCode::field_invalid, "'content' may only hold parts of type text");
        }
        joined += text->get_string();
    }
    return joined;
}

Result<std::vector<ChatMessage>> parse_messages(const boost::json::object& body) {
    const auto* field = body.if_contains("messages");
    const auto* list = field == nullptr ? nullptr : field->if_array();
    if (list == nullptr || list->empty() || list->size() > messages_max) {
        return fail(ErrorCode::field_invalid, "'messages' must be a list of 1 to " +
                                                  std::to_string(messages_max) + " messages");
    }
    std::vector<ChatMessage> messages;
    for (const auto& item : *list) {
        const auto* object = item.if_object();
        if (object == nullptr)
            return fail(ErrorCode::field_invalid, "'messages' must hold objects");
        TT_TRY(auto role, string_field(*object, "role"));
        if (!role || (*role != "system" && *role != "developer" && *role != "user" &&
                      *role != "assistant")) {
            return fail(ErrorCode::field_invalid,
                        "'role' must be system, developer, user or assistant");
        }
        const auto* content = object->if_contains("content");
        if (content == nullptr) return fail(ErrorCode::field_invalid, "a message has no 'content'");
        TT_TRY(auto text, parse_content(*content));
        messages.push_back({std::move(*role), std::move(text)});
    }
    return messages;
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
    if (dialect == Dialect::chat) {
        TT_TRY(request.messages, parse_messages(body));
    } else {
        TT_TRY(auto prompt, string_field(body, "prompt"));
        if (!prompt)
            return fail(ErrorCode::field_invalid, "'prompt' is missing: {\"prompt\": \"...\"}");
        request.prompt = std::move(*prompt);
    }
    TT_TRY(const auto tokens, integer_field(body, "max_tokens", {1, tokens_field_max}));
    TT_TRY(const auto completion_tokens,
           integer_field(body, "max_completion_tokens", {1, tokens_field_max}));
    request.tokens_max = static_cast<uint32_t>(completion_tokens.value_or(tokens.value_or(0)));
    TT_TRY(const auto choices, integer_field(body, "n", {1, 1}));
    static_cast<void>(choices);
    TT_CHECK(parse_sampling(body, request));
    TT_TRY(request.stops, parse_stops(body));
    TT_TRY(const auto stream, bool_field(body, "stream"));
    request.stream = stream.value_or(false);
    if (const auto* options = body.if_contains("stream_options");
        options != nullptr && options->is_object()) {
        TT_TRY(const auto usage, bool_field(options->get_object(), "include_usage"));
        request.stream_usage = usage.value_or(false);
    }
    TT_TRY(request.timeout, parse_timeout(body));
    TT_TRY(const auto attest, string_field(body, "attest"));
    if (attest) TT_CHECK(ensure_asks_for_quotes(*attest));
    request.wants_fresh_quotes = attest.has_value();
    TT_CHECK(parse_resume(body, request));
    return request;
}

}  // namespace teetee::api
