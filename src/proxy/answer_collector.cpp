// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <boost/json/array.hpp>

#include "proxy/answer_editor.hpp"
#include "proxy/limits.hpp"

namespace teetee::proxy {
namespace {

namespace json = boost::json;
using client::AnswerShape;

void append_text(json::object& into, std::string_view name, const json::string& text) {
    auto& value = into[name];
    if (value.is_string())
        value.get_string().append(text);
    else
        value = text;
}

/// Lists of it are joined, as they are of the log-probabilities of more tokens each time.
void join_lists(json::object& into, const json::object& more) {
    for (const auto& member : more) {
        auto& value = into[member.key()];
        const auto* list = member.value().if_array();
        if (list != nullptr && value.is_array()) {
            value.get_array().insert(value.get_array().end(), list->begin(), list->end());
        } else if (list != nullptr || !member.value().is_null()) {
            value = member.value();
        }
    }
}

/// `fixed`: members that each piece repeats; other texts go on.
void join_texts(json::object& into, const json::object& more,
                std::initializer_list<std::string_view> fixed) {
    for (const auto& member : more) {
        const std::string_view name = member.key();
        const bool is_fixed = std::ranges::find(fixed, name) != fixed.end();
        if (const auto* text = member.value().if_string(); text != nullptr && !is_fixed) {
            append_text(into, name, *text);
        } else if (!member.value().is_null() || !into.contains(name)) {
            into[name] = member.value();
        }
    }
}

/// Calls of tools come in pieces: each says by its index which call it is of.
void join_calls(json::object& message, const json::array& pieces) {
    auto& value = message["tool_calls"];
    if (!value.is_array()) value = json::array();
    json::array& calls = value.get_array();
    for (const auto& item : pieces) {
        const auto* piece = item.if_object();
        if (piece == nullptr || calls.size() >= choices_max) continue;
        const auto* index = piece->if_contains("index");
        const auto is_same = [&](const json::value& call) {
            const auto* known = call.if_object();
            const auto* other = known == nullptr ? nullptr : known->if_contains("index");
            return index != nullptr && other != nullptr && *other == *index;
        };
        auto found = std::ranges::find_if(calls, is_same);
        if (found == calls.end()) found = calls.insert(calls.end(), json::object());
        json::object& call = found->get_object();
        const auto* function = piece->if_contains("function");
        json::object rest = *piece;
        rest.erase("function");
        join_texts(call, rest, {"id", "type"});
        if (function == nullptr || !function->is_object()) continue;
        auto& into = call["function"];
        if (!into.is_object()) into = json::object();
        join_texts(into.get_object(), function->get_object(), {"name"});
    }
}

/// Without what told the pieces of one call from those of another, and with what only a whole
/// message has.
void end_message(json::value& message) {
    auto* object = message.if_object();
    if (object == nullptr) return;
    object->emplace("refusal", nullptr);
    auto* calls = object->if_contains("tool_calls");
    if (calls == nullptr || !calls->is_array()) return;
    for (auto& call : calls->get_array()) {
        if (call.is_object()) call.get_object().erase("index");
    }
    auto& content = (*object)["content"];
    if (content.is_string() && content.get_string().empty()) content = nullptr;
}

}  // namespace

Result<void> AnswerCollector::add(const json::object& event) {
    for (const auto& member : event) {
        if (shape_ != AnswerShape::generate && member.key() == "choices") continue;
        if (shape_ == AnswerShape::generate &&
            (member.key() == "text" || member.key() == "token_ids" ||
             member.key() == "finish_reason"))
            continue;
        if (!member.value().is_null() || !answer_.contains(member.key()))
            answer_[member.key()] = member.value();
    }
    if (shape_ == AnswerShape::generate) {
        json::object part;
        for (const auto* name : {"text", "token_ids", "finish_reason"}) {
            if (const auto* value = event.if_contains(name)) part[name] = *value;
        }
        add_choice(choices_[0], part);
        return {};
    }
    const auto* choices = event.if_contains("choices");
    if (choices == nullptr || !choices->is_array()) return {};
    for (const auto& item : choices->get_array()) {
        const auto* choice = item.if_object();
        if (choice == nullptr) continue;
        const auto* index = choice->if_contains("index");
        const int64_t number = index != nullptr && index->is_int64() ? index->get_int64() : 0;
        if (!choices_.contains(number) && choices_.size() == choices_max)
            return fail(ErrorCode::limit_exceeded, "answer: too many choices");
        add_choice(choices_[number], *choice);
    }
    return {};
}

void AnswerCollector::add_choice(json::object& into, const json::object& choice) const {
    for (const auto& member : choice) {
        const std::string_view name = member.key();
        const auto* object = member.value().if_object();
        const auto* list = member.value().if_array();
        if (name == "delta" && object != nullptr) {
            auto& value = into["message"];
            if (!value.is_object()) value = json::object();
            json::object rest = *object;
            if (const auto* calls = object->if_contains("tool_calls");
                calls != nullptr && calls->is_array()) {
                join_calls(value.get_object(), calls->get_array());
                rest.erase("tool_calls");
            }
            join_texts(value.get_object(), rest, {"role"});
        } else if (name == "text" && member.value().is_string()) {
            append_text(into, name, member.value().get_string());
        } else if (name == "token_ids" && list != nullptr) {
            join_lists(into, json::object{{"token_ids", *list}});
        } else if (name == "logprobs" && object != nullptr) {
            auto& value = into[name];
            if (!value.is_object()) value = json::object();
            join_lists(value.get_object(), *object);
        } else if (!member.value().is_null() || !into.contains(name)) {
            into[name] = member.value();
        }
    }
}

json::object AnswerCollector::whole(std::optional<int64_t> seed) const {
    json::object out = answer_;
    if (auto* object = out.if_contains("object"); object != nullptr && object->is_string()) {
        std::string_view name = object->get_string();
        constexpr std::string_view chunk = ".chunk";
        if (name.ends_with(chunk)) *object = name.substr(0, name.size() - chunk.size());
    }
    if (shape_ == AnswerShape::generate) {
        if (const auto part = choices_.find(0); part != choices_.end()) {
            for (const auto& member : part->second) out[member.key()] = member.value();
        }
        if (seed) out["seed"] = *seed;
        return out;
    }
    json::array choices;
    for (const auto& [index, collected] : choices_) {
        json::object choice = collected;
        if (!choice.contains("logprobs")) choice["logprobs"] = nullptr;
        if (auto* message = choice.if_contains("message"); message != nullptr)
            end_message(*message);
        choices.push_back(std::move(choice));
    }
    out["choices"] = std::move(choices);
    return out;
}

}  // namespace teetee::proxy
