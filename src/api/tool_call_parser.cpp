// SPDX-License-Identifier: Apache-2.0
#include "api/tool_call_parser.hpp"

#include <algorithm>
#include <utility>

#include <boost/json/stream_parser.hpp>

#include "api/limits.hpp"
#include "api/stop_matcher.hpp"

namespace teetee::api {
namespace {

namespace json = boost::json;

constexpr std::string_view white_space = " \t\r\n";

void skip_space(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(white_space), text.size()));
}

bool skip(std::string_view& text, std::string_view mark) {
    if (!text.starts_with(mark)) return false;
    text.remove_prefix(mark.size());
    return true;
}

struct JsonText {
    json::value value;
    std::string_view bytes;
};

/// The JSON value that a text begins with; the text is then what follows.
std::optional<JsonText> take_json(std::string_view& text) {
    json::parse_options options;
    options.max_depth = json_depth_max;
    json::stream_parser parser({}, options);
    boost::system::error_code failed;
    size_t used = parser.write_some(text.data(), text.size(), failed);
    if (!failed && !parser.done()) parser.finish(failed);
    if (failed || !parser.done()) return std::nullopt;
    used = std::min(used, text.size());
    JsonText out = {parser.release(), text.substr(0, used)};
    text.remove_prefix(used);
    return out;
}

/// The bytes of a member's value in an object that has been parsed before; "" if it has none.
std::string_view member_bytes(std::string_view object, std::string_view name) {
    std::string_view found;
    object.remove_prefix(object.find('{') + 1);
    while (true) {
        skip_space(object);
        if (object.empty() || object.front() == '}') return found;
        skip(object, ",");
        skip_space(object);
        const auto key = take_json(object);
        if (!key) return found;
        skip_space(object);
        skip(object, ":");
        skip_space(object);
        const auto value = take_json(object);
        if (!value) return found;
        // As the parser has it, the last of equal names counts.
        if (const auto* text = key->value.if_string(); text != nullptr && *text == name)
            found = value->bytes;
    }
}

std::string_view without_space_at_end(std::string_view text) {
    return text.substr(0, text.find_last_not_of(white_space) + 1);
}

std::optional<ToolCall> call_from(const JsonText& call) {
    const auto* object = call.value.if_object();
    const auto* name = object == nullptr ? nullptr : object->if_contains("name");
    if (name == nullptr || !name->is_string() || name->get_string().empty()) return std::nullopt;
    for (const char* member : {"arguments", "parameters"}) {
        const auto* arguments = object->if_contains(member);
        if (arguments == nullptr) continue;
        if (const auto* text = arguments->if_string())
            return ToolCall{std::string(name->get_string()), std::string(*text)};
        if (!arguments->is_object()) return std::nullopt;
        return ToolCall{std::string(name->get_string()),
                        std::string(without_space_at_end(member_bytes(call.bytes, member)))};
    }
    return std::nullopt;
}

/// Objects, or lists of them, with nothing between them but ';' and ','.
std::optional<std::vector<ToolCall>> calls_in_json(std::string_view text) {
    std::vector<ToolCall> calls;
    skip_space(text);
    while (!text.empty()) {
        if (text.front() == '[' || text.front() == ']' || text.front() == ',' ||
            text.front() == ';') {
            text.remove_prefix(1);
        } else {
            const auto value = take_json(text);
            auto call = value ? call_from(*value) : std::nullopt;
            if (!call || calls.size() == tool_calls_max) return std::nullopt;
            calls.push_back(std::move(*call));
        }
        skip_space(text);
    }
    if (calls.empty()) return std::nullopt;
    return calls;
}

/// name[ARGS]{..}, each maybe behind a mark, with [CALL_ID].. between.
std::optional<std::vector<ToolCall>> calls_by_name(std::string_view text, std::string_view mark) {
    std::vector<ToolCall> calls;
    skip_space(text);
    while (!text.empty()) {
        if (skip(text, mark)) skip_space(text);
        const size_t name_end = text.find(mistral_arguments_mark);
        if (name_end == std::string_view::npos) return std::nullopt;
        std::string_view name = text.substr(0, std::min(name_end, text.find(mistral_id_mark)));
        skip_space(name);
        name = without_space_at_end(name);
        text.remove_prefix(name_end + mistral_arguments_mark.size());
        skip_space(text);
        const auto arguments = take_json(text);
        if (name.empty() || name.size() > tool_name_bytes_max || !arguments ||
            !arguments->value.is_object() || calls.size() == tool_calls_max) {
            return std::nullopt;
        }
        calls.push_back({std::string(name), std::string(without_space_at_end(arguments->bytes))});
        skip_space(text);
    }
    if (calls.empty()) return std::nullopt;
    return calls;
}

}  // namespace

std::optional<std::vector<ToolCall>> parse_tool_calls_text(ToolFormat format,
                                                           std::string_view text) {
    skip(text, opening_mark(format));
    if (format == ToolFormat::mistral &&
        text.find(mistral_arguments_mark) != std::string_view::npos) {
        return calls_by_name(text, opening_mark(format));
    }
    if (format == ToolFormat::hermes) {
        text = without_space_at_end(text);
        if (text.ends_with(hermes_closing_mark)) text.remove_suffix(hermes_closing_mark.size());
    }
    return calls_in_json(text);
}

ToolCallParser::Output ToolCallParser::feed(std::string_view piece) {
    Output output;
    held_ += piece;
    while (true) {
        if (!in_call_) look_for_opening(output);
        if (!in_call_ || !look_for_closing(output)) return output;
    }
}

/// White space is given out with what follows it.
void ToolCallParser::give_text(std::string_view text, Output& output) {
    const std::string_view shown = without_space_at_end(text);
    if (!shown.empty()) {
        output.text += std::exchange(blank_, {});
        output.text += shown;
        has_text_ = true;
    }
    blank_ += text.substr(shown.size());
}

void ToolCallParser::look_for_opening(Output& output) {
    const std::string_view mark = opening_mark(format_);
    const std::string_view held = held_;
    size_t begin = held.find(mark);
    // Llama 3 calls without a mark as well, but only as its whole answer.
    if (format_ == ToolFormat::llama3 && !has_text_) {
        const size_t first = held.find_first_not_of(white_space);
        if (first != std::string_view::npos && held[first] == '{') begin = std::min(begin, first);
    }
    in_call_ = begin != std::string_view::npos;
    const size_t certain = in_call_ ? begin : held.size() - begun_bytes(held, mark);
    give_text(held.substr(0, certain), output);
    held_.erase(0, certain);
}

/// Only Hermes' calls have one; the others end with the answer.
bool ToolCallParser::look_for_closing(Output& output) {
    if (format_ != ToolFormat::hermes) return false;
    const size_t close = held_.find(hermes_closing_mark);
    if (close == std::string::npos) return false;
    const size_t end = close + hermes_closing_mark.size();
    auto calls = parse_tool_calls_text(format_, std::string_view(held_).substr(0, end));
    if (calls) {
        blank_.clear();
        has_calls_ = true;
        std::ranges::move(*calls, std::back_inserter(output.calls));
    } else {
        give_text(std::string_view(held_).substr(0, end), output);
    }
    held_.erase(0, end);
    in_call_ = false;
    return true;
}

ToolCallParser::Output ToolCallParser::finish() {
    Output output;
    auto calls = in_call_ ? parse_tool_calls_text(format_, held_) : std::nullopt;
    if (calls) {
        output.calls = std::move(*calls);
    } else {
        // The end of the line behind a last call says nothing.
        if (has_calls_ && held_.empty()) blank_.clear();
        output.text = std::exchange(blank_, {}) + held_;
    }
    held_.clear();
    in_call_ = false;
    return output;
}

}  // namespace teetee::api
