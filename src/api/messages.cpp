// SPDX-License-Identifier: Apache-2.0
#include "api/messages.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "api/json_fields.hpp"
#include "api/limits.hpp"

namespace teetee::api {
namespace {

namespace json = boost::json;

/// A string, or the text parts of a list of content parts, whose type may be any of these.
Result<std::string> parse_content(const json::value& content) {
    if (const auto* text = content.if_string()) return std::string(*text);
    const auto* parts = content.if_array();
    if (parts == nullptr)
        return fail(ErrorCode::field_invalid, "'content' must be a string or a list of text parts");
    std::string joined;
    for (const auto& part : *parts) {
        const auto* object = part.if_object();
        const auto* type = object == nullptr ? nullptr : object->if_contains("type");
        const auto* text = object == nullptr ? nullptr : object->if_contains("text");
        const bool is_text =
            type != nullptr && (*type == "text" || *type == "input_text" || *type == "output_text");
        if (!is_text || text == nullptr || !text->is_string())
            return fail(ErrorCode::field_invalid, "'content' may only hold parts of type text");
        joined += text->get_string();
    }
    return joined;
}

Result<std::string> parse_role(const json::object& message) {
    TT_TRY(auto role, string_field(message, "role"));
    if (role && *role == "developer") return std::string("system");
    if (role && *role == "function") return std::string("tool");
    if (role && (*role == "system" || *role == "user" || *role == "assistant" || *role == "tool"))
        return std::move(*role);
    return fail(ErrorCode::field_invalid,
                "'role' must be system, developer, user, assistant or tool");
}

/// As an object where it is one, which is what most templates write into the prompt.
json::value arguments_of(const std::string& text) {
    boost::system::error_code failed;
    json::parse_options options;
    options.max_depth = json_depth_max;
    json::value value = json::parse(text, failed, {}, options);
    return !failed && value.is_object() ? value : json::value(text);
}

json::object call_of(const std::string& id, const std::string& name, const std::string& arguments) {
    return {{"id", id},
            {"type", "function"},
            {"function", {{"name", name}, {"arguments", arguments_of(arguments)}}}};
}

Result<json::array> parse_tool_calls(const json::value& field) {
    const Error wrong = fail(ErrorCode::field_invalid,
                             "'tool_calls' must be a list of {\"id\",\"type\":\"function\","
                             "\"function\":{\"name\",\"arguments\"}}, arguments being a string");
    const auto* list = field.if_array();
    if (list == nullptr || list->size() > tool_calls_max) return wrong;
    json::array calls;
    for (const auto& item : *list) {
        const auto* call = item.if_object();
        const auto* function = call == nullptr ? nullptr : call->if_contains("function");
        if (function == nullptr || !function->is_object()) return wrong;
        TT_TRY(const auto id, string_field(*call, "id"));
        TT_TRY(const auto name, string_field(function->get_object(), "name"));
        TT_TRY(const auto arguments, string_field(function->get_object(), "arguments"));
        if (!name || name->empty()) return wrong;
        calls.push_back(call_of(id.value_or(""), *name, arguments.value_or("{}")));
    }
    return calls;
}

Result<json::object> parse_message(const json::object& item) {
    TT_TRY(const auto role, parse_role(item));
    json::object message = {{"role", role}};
    if (const auto* calls = item.if_contains("tool_calls");
        role == "assistant" && calls != nullptr && !calls->is_null()) {
        TT_TRY(auto parsed, parse_tool_calls(*calls));
        if (!parsed.empty()) message["tool_calls"] = std::move(parsed);
    }
    const auto* content = item.if_contains("content");
    // An assistant that has only called tools has said nothing.
    const bool may_be_missing = message.contains("tool_calls");
    if (content == nullptr && !may_be_missing)
        return fail(ErrorCode::field_invalid, "a message has no 'content'");
    if (content == nullptr || (content->is_null() && may_be_missing)) {
        message["content"] = "";
    } else {
        TT_TRY(message["content"], parse_content(*content));
    }
    if (role == "tool") {
        TT_TRY(const auto id, string_field(item, "tool_call_id"));
        TT_TRY(const auto name, string_field(item, "name"));
        if (id) message["tool_call_id"] = *id;
        if (name) message["name"] = *name;
    }
    return message;
}

Result<json::object> parse_call_output(const json::object& item) {
    TT_TRY(const auto id, string_field(item, "call_id"));
    const auto* output = item.if_contains("output");
    if (output == nullptr)
        return fail(ErrorCode::field_invalid, "a function_call_output has no 'output'");
    auto text = parse_content(*output);
    if (!text) {
        return fail(ErrorCode::field_invalid, "'output' must be a string or a list of text parts");
    }
    json::object message = {{"role", "tool"}, {"content", *text}};
    if (id) message["tool_call_id"] = *id;
    return message;
}

/// Into the assistant's message before it, if there is one: several calls are one turn.
Result<void> add_call(const json::object& item, json::array& messages) {
    TT_TRY(const auto id, string_field(item, "call_id"));
    TT_TRY(const auto name, string_field(item, "name"));
    TT_TRY(const auto arguments, string_field(item, "arguments"));
    if (!name || name->empty())
        return fail(ErrorCode::field_invalid, "a function_call has no 'name'");
    if (messages.empty() || messages.back().at("role") != "assistant")
        messages.push_back(json::object{{"role", "assistant"}, {"content", ""}});
    auto& last = messages.back().as_object();
    if (!last.contains("tool_calls")) last["tool_calls"] = json::array();
    last["tool_calls"].as_array().push_back(
        call_of(id.value_or(""), *name, arguments.value_or("{}")));
    return {};
}

Result<void> add_item(const json::value& item, json::array& messages) {
    const auto* object = item.if_object();
    if (object == nullptr) return fail(ErrorCode::field_invalid, "'input' must hold objects");
    TT_TRY(const auto type, string_field(*object, "type"));
    if (!type || *type == "message") {
        TT_TRY(auto message, parse_message(*object));
        messages.push_back(std::move(message));
        return {};
    }
    if (*type == "function_call") return add_call(*object, messages);
    if (*type == "function_call_output") {
        TT_TRY(auto message, parse_call_output(*object));
        messages.push_back(std::move(message));
        return {};
    }
    // What a model thought is not said again.
    if (*type == "reasoning") return {};
    return fail(ErrorCode::field_invalid,
                "'input' may hold items of type message, function_call, function_call_output and "
                "reasoning");
}

}  // namespace

Result<json::array> parse_messages(const json::object& body) {
    const auto* field = body.if_contains("messages");
    const auto* list = field == nullptr ? nullptr : field->if_array();
    if (list == nullptr || list->empty() || list->size() > messages_max) {
        return fail(ErrorCode::field_invalid, "'messages' must be a list of 1 to " +
                                                  std::to_string(messages_max) + " messages");
    }
    json::array messages;
    for (const auto& item : *list) {
        const auto* object = item.if_object();
        if (object == nullptr)
            return fail(ErrorCode::field_invalid, "'messages' must hold objects");
        TT_TRY(auto message, parse_message(*object));
        messages.push_back(std::move(message));
    }
    return messages;
}

Result<json::array> parse_input(const json::object& body) {
    json::array messages;
    TT_TRY(const auto instructions, string_field(body, "instructions"));
    if (instructions) messages.push_back({{"role", "system"}, {"content", *instructions}});
    const auto* input = body.if_contains("input");
    if (input != nullptr && input->is_string()) {
        messages.push_back({{"role", "user"}, {"content", input->get_string()}});
        return messages;
    }
    const auto* list = input == nullptr ? nullptr : input->if_array();
    if (list == nullptr || list->empty() || list->size() > messages_max) {
        return fail(ErrorCode::field_invalid, "'input' must be a string or a list of 1 to " +
                                                  std::to_string(messages_max) + " items");
    }
    for (const auto& item : *list) TT_CHECK(add_item(item, messages));
    if (messages.empty()) return fail(ErrorCode::field_invalid, "'input' holds no message");
    return messages;
}

std::string joined_messages(const json::array& messages) {
    std::string text;
    for (const auto& message : messages) {
        if (!text.empty()) text += '\n';
        text += message.at("content").get_string();
    }
    return text;
}

json::array with_arguments_as_text(json::array messages) {
    for (auto& message : messages) {
        auto* calls = message.as_object().if_contains("tool_calls");
        if (calls == nullptr) continue;
        for (auto& call : calls->as_array()) {
            auto& arguments = call.as_object()["function"].as_object()["arguments"];
            if (!arguments.is_string()) arguments = json::serialize(arguments);
        }
    }
    return messages;
}

}  // namespace teetee::api
