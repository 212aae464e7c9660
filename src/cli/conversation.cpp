// SPDX-License-Identifier: Apache-2.0
#include "cli/conversation.hpp"

#include <algorithm>
#include <charconv>

#include <boost/json/serialize.hpp>

#include "base/strict_json.hpp"
#include "cli/limits.hpp"

namespace teetee::cli {
namespace {

namespace json = boost::json;

struct Setting {
    std::string_view name;
    bool is_integer = false;
};

constexpr Setting known_settings[] = {
    {"temperature"},       {"top_p"},
    {"top_k", true},       {"min_p"},
    {"typical_p"},         {"presence_penalty"},
    {"frequency_penalty"}, {"repetition_penalty"},
    {"max_tokens", true},  {"seed", true},
    {"timeout"},
};

const Setting* setting_named(std::string_view name) {
    const auto* found = std::ranges::find(known_settings, name, &Setting::name);
    return found == std::end(known_settings) ? nullptr : found;
}

template <class T>
std::optional<T> number_of(std::string_view text) {
    T value{};
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

Error malformed(std::string_view what) {
    return fail(ErrorCode::config_invalid, "conversation: " + std::string(what));
}

Result<std::string> text_at(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    if (value == nullptr || !value->is_string())
        return malformed("'" + std::string(name) + "' is no text");
    return std::string(value->get_string());
}

/// Of `names` alone.
Result<void> ensure_only(const json::object& object,
                         std::initializer_list<std::string_view> names) {
    for (const auto& member : object) {
        if (std::ranges::find(names, std::string_view(member.key())) == names.end())
            return malformed("a member that is none of its own");
    }
    return {};
}

}  // namespace

std::string setting_names() {
    std::string out;
    for (const Setting& setting : known_settings)
        out.append(out.empty() ? "" : ", ").append(setting.name);
    return out;
}

json::array Conversation::messages(const std::string& prompt, bool with_history) const {
    json::array out;
    if (!system_.empty()) out.push_back({{"role", "system"}, {"content", system_}});
    if (with_history) {
        for (const Message& message : messages_)
            out.push_back({{"role", message.role}, {"content", message.content}});
    }
    out.push_back({{"role", "user"}, {"content", prompt}});
    return out;
}

void Conversation::add_exchange(std::string prompt, std::string answer) {
    messages_.push_back({"user", std::move(prompt)});
    messages_.push_back({"assistant", std::move(answer)});
}

std::optional<std::string> Conversation::undo() {
    while (!messages_.empty()) {
        const Message last = std::move(messages_.back());
        messages_.pop_back();
        if (last.role == "user") return last.content;
    }
    return std::nullopt;
}

bool Conversation::drop_oldest() {
    if (messages_.empty()) return false;
    // To the next prompt.
    const auto next = std::find_if(messages_.begin() + 1, messages_.end(),
                                   [](const Message& one) { return one.role == "user"; });
    messages_.erase(messages_.begin(), next);
    return true;
}

Result<void> Conversation::set(std::string_view name, std::string_view value) {
    const Setting* setting = setting_named(name);
    if (setting == nullptr) {
        return fail(ErrorCode::invalid_argument,
                    "there is no such setting; there are " + setting_names());
    }
    if (value.empty() || value == "off") {
        settings_.erase(name);
        return {};
    }
    if (setting->is_integer) {
        if (const auto number = number_of<int64_t>(value)) {
            settings_[name] = *number;
            return {};
        }
    } else if (const auto number = number_of<double>(value); number && *number - *number == 0) {
        settings_[name] = *number;
        return {};
    }
    return fail(ErrorCode::invalid_argument,
                std::string(name) + ": need " +
                    (setting->is_integer ? "a whole number" : "a number") + ", or off");
}

std::string Conversation::encode() const {
    json::array list;
    for (const Message& message : messages_)
        list.push_back({{"role", message.role}, {"content", message.content}});
    const json::object out = {{"version", 1},
                              {"system", system_},
                              {"settings", settings_},
                              {"messages", std::move(list)}};
    return json::serialize(out) + "\n";
}

Result<Conversation> Conversation::parse(std::string_view text) {
    const auto value = parse_strict_json(
        text, {.bytes_max = conversation_bytes_max, .depth_max = conversation_depth_max});
    if (!value) {
        return value.error().code == ErrorCode::limit_exceeded ? value.error()
                                                               : malformed("no valid JSON");
    }
    const auto* object = value->if_object();
    if (object == nullptr) return malformed("no JSON object");
    TT_CHECK(ensure_only(*object, {"version", "system", "settings", "messages"}));
    const auto* version = object->if_contains("version");
    if (version == nullptr || *version != 1) return malformed("need version 1");
    Conversation out;
    TT_TRY(out.system_, text_at(*object, "system"));
    const auto* settings = object->if_contains("settings");
    if (settings == nullptr || !settings->is_object()) return malformed("'settings' is no object");
    for (const auto& member : settings->get_object()) {
        const Setting* known = setting_named(member.key());
        const bool fits = known != nullptr && (known->is_integer ? member.value().is_int64()
                                                                 : member.value().is_number());
        if (!fits) return malformed("a setting that is none");
        out.settings_[member.key()] = member.value();
    }
    const auto* list = object->if_contains("messages");
    if (list == nullptr || !list->is_array()) return malformed("'messages' is no list");
    if (list->get_array().size() > conversation_messages_max)
        return fail(ErrorCode::limit_exceeded, "conversation: too many messages");
    for (const auto& item : list->get_array()) {
        const auto* one = item.if_object();
        if (one == nullptr) return malformed("a message that is no object");
        TT_CHECK(ensure_only(*one, {"role", "content"}));
        Message message;
        TT_TRY(message.role, text_at(*one, "role"));
        TT_TRY(message.content, text_at(*one, "content"));
        // They take turns; a prompt whose answer is missing has nothing to go on with.
        const bool is_prompt = out.messages_.size() % 2 == 0;
        if (message.role != (is_prompt ? "user" : "assistant"))
            return malformed("prompts and answers do not take turns");
        out.messages_.push_back(std::move(message));
    }
    if (out.messages_.size() % 2 != 0) return malformed("the last prompt has no answer");
    return out;
}

}  // namespace teetee::cli
