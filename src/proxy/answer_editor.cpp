// SPDX-License-Identifier: Apache-2.0
#include "proxy/answer_editor.hpp"

#include <algorithm>

#include <boost/json/array.hpp>

namespace teetee::proxy {
namespace {

namespace json = boost::json;
using client::AnswerShape;

/// Absent counts as the type that is wanted.
bool is_bool_or_absent(const json::object& body, std::string_view name) {
    const auto* value = body.if_contains(name);
    return value == nullptr || value->is_null() || value->is_bool();
}

bool is_true(const json::object& body, std::string_view name) {
    const auto* value = body.if_contains(name);
    return value != nullptr && value->is_bool() && value->get_bool();
}

/// Lists of log-probabilities that have something in them.
bool says_logprobs(const json::object& choice) {
    const auto* logprobs = choice.if_contains("logprobs");
    if (logprobs == nullptr || !logprobs->is_object()) return false;
    return std::ranges::any_of(logprobs->get_object(), [](const auto& member) {
        return member.value().is_array() && !member.value().get_array().empty();
    });
}

bool is_empty_text(const json::value& value) {
    return value.is_null() || (value.is_string() && value.get_string().empty());
}

bool has_ended(const json::object& choice) {
    const auto* reason = choice.if_contains("finish_reason");
    return reason != nullptr && !reason->is_null();
}

int64_t index_of(const json::object& choice) {
    const auto* index = choice.if_contains("index");
    return index != nullptr && index->is_int64() ? index->get_int64() : 0;
}

/// Where it is a number; it is then at least `less`.
void add_to(json::object& object, std::string_view name, int64_t more) {
    auto* value = object.if_contains(name);
    if (value != nullptr && value->is_int64())
        *value = std::max<int64_t>(0, value->get_int64() + more);
}

int64_t number_at(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

}  // namespace

std::optional<AskedAnswer> read_asked_answer(std::string_view path, const json::value& value) {
    const auto shape = client::answer_shape_of(path);
    const auto* body = value.if_object();
    if (!shape || body == nullptr || body->contains("answer_token_ids")) return std::nullopt;
    const auto* options = body->if_contains("stream_options");
    const bool has_options = options != nullptr && !options->is_null();
    if (!is_bool_or_absent(*body, "stream") || !is_bool_or_absent(*body, "return_token_ids") ||
        (has_options && !options->is_object()))
        return std::nullopt;
    AskedAnswer out{.shape = *shape};
    out.is_stream = is_true(*body, "stream");
    out.wants_token_ids = is_true(*body, "return_token_ids");
    // What does not stream always tells it, and /generate in either case.
    out.wants_usage = !out.is_stream || *shape == AnswerShape::generate ||
                      (has_options && is_true(options->get_object(), "include_usage"));
    return out;
}

json::object entry_request(const AskedAnswer& asked, json::object body) {
    body["stream"] = true;
    if (asked.shape == AnswerShape::generate) return body;
    auto& options = body["stream_options"];
    if (!options.is_object()) options = json::object();
    options.get_object()["include_usage"] = true;
    return body;
}

void AnswerEditor::on_part(size_t known_count) {
    known_count_ = known_count;
}

std::optional<json::object> AnswerEditor::edit(json::object event) {
    // Another entry names its part in its own way.
    for (const auto& [name, first] : {std::pair("id", &id_), std::pair("created", &created_)}) {
        auto* value = event.if_contains(name);
        if (value == nullptr) continue;
        if (!*first) *first = *value;
        *value = **first;
    }
    if (const auto* seed = event.if_contains("seed"); seed != nullptr && seed->is_int64() && !seed_)
        seed_ = seed->get_int64();
    if (!asked_.wants_token_ids) {
        event.erase("seed");
        event.erase("activations");
    }
    bool says_something = edit_usage(event);
    if (asked_.shape == AnswerShape::generate) {
        const bool has_part = event.contains("text") || event.contains("finish_reason");
        says_something = (has_part && edit_choice(event)) || says_something;
    } else if (auto* choices = event.if_contains("choices");
               choices != nullptr && choices->is_array()) {
        for (auto& choice : choices->get_array())
            says_something =
                (choice.is_object() && edit_choice(choice.get_object())) || says_something;
    }
    if (!says_something) return std::nullopt;
    return event;
}

/// Whether there is something in it.
bool AnswerEditor::edit_choice(json::object& choice) {
    bool says_something = has_ended(choice) || says_logprobs(choice);
    if (!asked_.wants_token_ids) {
        choice.erase("token_ids");
    } else if (const auto* ids = choice.if_contains("token_ids");
               ids != nullptr && ids->is_array() && !ids->get_array().empty()) {
        says_something = true;
    }
    if (asked_.shape == AnswerShape::chat)
        return edit_delta(index_of(choice), choice) || says_something;
    const auto* text = choice.if_contains("text");
    return says_something || (text != nullptr && !is_empty_text(*text));
}

bool AnswerEditor::edit_delta(int64_t index, json::object& choice) {
    auto* delta = choice.if_contains("delta");
    if (delta == nullptr || !delta->is_object()) return false;
    json::object& said = delta->get_object();
    bool says_something = false;
    if (said.contains("role")) {
        // The first entry has said it, for all parts.
        says_something = has_role_.insert(index).second;
        if (!says_something) said.erase("role");
    }
    for (const auto& member : said)
        says_something = says_something || !is_empty_text(member.value());
    return says_something;
}

/// An entry counts the tokens that it was given as its prompt.
bool AnswerEditor::edit_usage(json::object& event) const {
    auto* value = event.if_contains("usage");
    if (value == nullptr) return false;
    if (!asked_.wants_usage || !value->is_object()) {
        event.erase("usage");
        return false;
    }
    json::object& usage = value->get_object();
    const auto given = static_cast<int64_t>(known_count_);
    add_to(usage, "prompt_tokens", -given);
    add_to(usage, "completion_tokens", given);
    const int64_t prompt = number_at(usage, "prompt_tokens");
    if (usage.contains("total_tokens"))
        usage["total_tokens"] = prompt + number_at(usage, "completion_tokens");
    auto* details = usage.if_contains("prompt_tokens_details");
    if (details != nullptr && details->is_object()) {
        const int64_t cached = number_at(details->get_object(), "cached_tokens");
        add_to(details->get_object(), "cached_tokens", std::min<int64_t>(0, prompt - cached));
    }
    return true;
}

}  // namespace teetee::proxy
