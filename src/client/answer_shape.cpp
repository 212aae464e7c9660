// SPDX-License-Identifier: Apache-2.0
#include "client/answer_shape.hpp"

#include <algorithm>

#include <boost/json/array.hpp>

namespace teetee::client {
namespace {

namespace json = boost::json;

int64_t integer_at(const json::object& body, std::string_view name) {
    const auto* value = body.if_contains(name);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

std::string_view string_at(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    if (value == nullptr || !value->is_string()) return {};
    return value->get_string();
}

/// Of every string in it.
size_t bytes_in(const json::value& value) {
    size_t bytes = 0;
    if (const auto* text = value.if_string()) {
        bytes = text->size();
    } else if (const auto* list = value.if_array()) {
        // A prompt may be given as numbers of tokens.
        for (const auto& item : *list) bytes += item.is_number() ? 1 : bytes_in(item);
    } else if (const auto* object = value.if_object()) {
        for (const auto& member : *object) bytes += member.key().size() + bytes_in(member.value());
    }
    return bytes;
}

}  // namespace

std::optional<AnswerShape> answer_shape_of(std::string_view path) {
    path = path.substr(0, path.find('?'));
    if (path == "/v1/chat/completions") return AnswerShape::chat;
    if (path == "/v1/completions") return AnswerShape::completion;
    if (path == "/generate") return AnswerShape::generate;
    return std::nullopt;
}

Result<const json::object*> part_of(AnswerShape shape, const json::object& event) {
    if (shape == AnswerShape::generate) {
        const bool has_part = event.contains("text") || event.contains("finish_reason");
        return has_part ? &event : nullptr;
    }
    const auto* choices = event.if_contains("choices");
    if (choices == nullptr || !choices->is_array() || choices->get_array().empty()) return nullptr;
    const auto* part = choices->get_array().front().if_object();
    const bool is_chat = shape == AnswerShape::chat;
    const auto* inner = part == nullptr ? nullptr : part->if_contains(is_chat ? "delta" : "text");
    if (inner == nullptr || (is_chat ? !inner->is_object() : !inner->is_string()))
        return fail(ErrorCode::invalid_json, "answer: a choice without its text");
    return part;
}

std::string_view text_of(AnswerShape shape, const json::object& part) {
    if (shape != AnswerShape::chat) return string_at(part, "text");
    const auto* delta = part.if_contains("delta");
    return delta == nullptr || !delta->is_object() ? std::string_view()
                                                   : string_at(delta->get_object(), "content");
}

int64_t answer_count_of(const json::object& body) {
    const int64_t each = std::max({integer_at(body, "n"), integer_at(body, "best_of"), int64_t{1}});
    // A list of numbers is one prompt, in tokens; any other list is of prompts.
    const auto* prompt = body.if_contains("prompt");
    const auto* prompts = prompt == nullptr ? nullptr : prompt->if_array();
    if (prompts == nullptr || prompts->empty() || prompts->front().is_number()) return each;
    return prompts->size() == 1 ? each : std::max(each, static_cast<int64_t>(prompts->size()));
}

uint64_t tokens_max_of(const json::object& body) {
    int64_t most = 0;
    for (const auto* name : {"max_completion_tokens", "max_tokens", "max_output_tokens"})
        most = std::max(most, integer_at(body, name));
    return static_cast<uint64_t>(most);
}

size_t prompt_bytes_of(const json::object& body) {
    size_t bytes = 0;
    for (const auto* name : {"messages", "prompt", "suffix", "input", "instructions", "tools"}) {
        if (const auto* value = body.if_contains(name)) bytes += bytes_in(*value);
    }
    return bytes;
}

}  // namespace teetee::client
