// SPDX-License-Identifier: Apache-2.0
#include "api/tool_format.hpp"

#include <boost/json/serialize.hpp>

#include "grammar/json_schema.hpp"

namespace teetee::api {
namespace {

namespace json = boost::json;

constexpr std::string_view hermes_marks[] = {hermes_opening_mark, hermes_closing_mark};
constexpr std::string_view llama3_marks[] = {llama3_opening_mark};
constexpr std::string_view mistral_marks[] = {mistral_opening_mark, mistral_arguments_mark,
                                              mistral_id_mark};

bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

/// How a tool's schema becomes a part of a greater one.
struct Placement {
    /// JSON pointer to where it stands, and its references lead.
    std::string place;
    /// What it does not mention, an object does not get: a call with members that nobody asked for
    /// helps nobody.
    bool closes_objects = false;
};
json::value placed(json::value schema, const Placement& at);

void place_list(json::object& schema, std::string_view name, const Placement& at) {
    auto* list = schema.if_contains(name);
    if (list == nullptr || !list->is_array()) return;
    for (auto& item : list->get_array()) item = placed(std::move(item), at);
}

void place_map(json::object& schema, std::string_view name, const Placement& at) {
    auto* map = schema.if_contains(name);
    if (map == nullptr || !map->is_object()) return;
    for (auto& member : map->get_object()) member.value() = placed(std::move(member.value()), at);
}

json::value placed(json::value value, const Placement& at) {
    auto* schema = value.if_object();
    if (schema == nullptr) return value;
    if (auto* reference = schema->if_contains("$ref"); reference != nullptr &&
                                                       reference->is_string() &&
                                                       reference->get_string().starts_with("#")) {
        *reference = "#" + at.place + std::string(reference->get_string().subview(1));
    }
    for (const char* map : {"properties", "$defs", "definitions"}) place_map(*schema, map, at);
    for (const char* list : {"anyOf", "oneOf", "allOf", "prefixItems", "items"})
        place_list(*schema, list, at);
    for (const char* one : {"items", "additionalProperties"}) {
        if (auto* part = schema->if_contains(one); part != nullptr && part->is_object())
            *part = placed(std::move(*part), at);
    }
    if (at.closes_objects && schema->contains("properties"))
        schema->emplace("additionalProperties", false);
    return value;
}

/// The parameters of a function. With allOf an object is described in parts, each of which would
/// shut the others' members out if it were closed.
json::value parameters_at(const json::object& function, std::string place) {
    json::value parameters = function.at("parameters");
    if (parameters.as_object().empty()) parameters = {{"type", "object"}};
    const bool has_parts = json::serialize(parameters).find("\"allOf\"") != std::string::npos;
    return placed(std::move(parameters), {.place = std::move(place), .closes_objects = !has_parts});
}

struct CallSchema {
    std::string_view arguments;  // the member's name
    std::string place;           // JSON pointer of the call's schema in the whole
};

json::object schema_of(const json::object& function, const CallSchema& call) {
    const std::string place = call.place + "/properties/" + std::string(call.arguments);
    return {{"type", "object"},
            {"properties",
             {{"name", {{"const", function.at("name")}}},
              {call.arguments, parameters_at(function, place)}}},
            {"required", {"name", call.arguments}},
            {"additionalProperties", false}};
}

/// Each by itself, so that the client is told which one cannot be held to.
Result<void> ensure_can_be_held_to(const json::object& function) {
    const auto compiled =
        grammar::grammar_of({.kind = ConstraintKind::json_schema,
                             .source = json::serialize(function.at("parameters"))});
    if (compiled) return {};
    return in_context("'tools': parameters of " + std::string(function.at("name").as_string()),
                      compiled.error());
}

}  // namespace

ToolDialect tool_dialect_of(std::string_view source) {
    // Some families write XML of their own inside Hermes' mark, or their functions' names as tags.
    const bool is_other = has(source, "<function=") || has(source, "<arg_key>");
    if (is_other || !has(source, "tools")) return {};
    if (has(source, mistral_opening_mark)) {
        return {.format = ToolFormat::mistral,
                .in_template = true,
                .names_before_arguments = has(source, mistral_arguments_mark)};
    }
    if (has(source, hermes_opening_mark))
        return {.format = ToolFormat::hermes, .in_template = true};
    const bool is_llama3 = has(source, "<|start_header_id|>") && has(source, "\"parameters\"");
    if (has(source, llama3_opening_mark) || is_llama3)
        return {.format = ToolFormat::llama3, .in_template = true};
    return {};
}

std::span<const std::string_view> marks_of(ToolFormat format) {
    switch (format) {
        case ToolFormat::hermes:
            return hermes_marks;
        case ToolFormat::llama3:
            return llama3_marks;
        case ToolFormat::mistral:
            break;
    }
    return mistral_marks;
}

json::array with_tools_told(const json::array& messages, const ToolUse& tools) {
    std::string told = "You may call these functions, given as JSON, one a line:\n";
    for (const auto& tool : tools.declared) told += json::serialize(tool.at("function")) + "\n";
    told +=
        "To call one, answer with its name and arguments as JSON between tags, and nothing else:\n"
        "<tool_call>\n{\"name\": \"...\", \"arguments\": {...}}\n</tool_call>";
    json::array out;
    size_t rest = 0;
    // Most templates take one system message, and only in front.
    if (!messages.empty() && messages.front().at("role") == "system") {
        told = std::string(messages.front().at("content").as_string()) + "\n\n" + told;
        rest = 1;
    }
    out.push_back({{"role", "system"}, {"content", told}});
    for (size_t i = rest; i < messages.size(); ++i) {
        json::object message = messages[i].as_object();
        // What such a template does not know, it is shown as text.
        if (const auto* calls = message.if_contains("tool_calls")) {
            std::string text(message.at("content").as_string());
            for (const auto& call : calls->as_array()) {
                if (!text.empty()) text += "\n";
                text += "<tool_call>\n" + json::serialize(call.at("function")) + "\n</tool_call>";
            }
            message = {{"role", "assistant"}, {"content", text}};
        } else if (message.at("role") == "tool") {
            message = {
                {"role", "user"},
                {"content", "<tool_response>\n" + std::string(message.at("content").as_string()) +
                                "\n</tool_response>"}};
        }
        out.push_back(std::move(message));
    }
    return out;
}

Result<ForcedCall> forced_call(const ToolDialect& dialect, const ToolUse& tools) {
    std::vector<const json::object*> functions;
    for (const auto& tool : tools.declared) {
        const json::object& function = tool.at("function").as_object();
        if (!tools.name.empty() && function.at("name").as_string() != tools.name) continue;
        TT_CHECK(ensure_can_be_held_to(function));
        functions.push_back(&function);
    }
    ForcedCall forced;
    json::value schema;
    if (dialect.names_before_arguments && functions.size() == 1) {
        forced.prefill = std::string(mistral_opening_mark) +
                         std::string(functions[0]->at("name").as_string()) +
                         std::string(mistral_arguments_mark);
        schema = parameters_at(*functions[0], "");
    } else {
        const bool is_list = dialect.format == ToolFormat::mistral;
        const std::string_view arguments =
            dialect.format == ToolFormat::llama3 ? "parameters" : "arguments";
        json::array calls;
        for (const json::object* function : functions) {
            const std::string place =
                (is_list ? "/items/anyOf/" : "/anyOf/") + std::to_string(calls.size());
            calls.push_back(schema_of(*function, {arguments, place}));
        }
        schema = {{"anyOf", std::move(calls)}};
        if (dialect.format == ToolFormat::hermes)
            forced.prefill = std::string(hermes_opening_mark) + "\n";
        if (is_list) {
            forced.prefill = mistral_opening_mark;
            schema = {{"type", "array"}, {"items", std::move(schema)}, {"minItems", 1}};
            schema.as_object()["maxItems"] = tools.parallel ? 8 : 1;
        }
    }
    forced.constraint = {.kind = ConstraintKind::json_schema, .source = json::serialize(schema)};
    auto compiled = grammar::grammar_of(forced.constraint);
    if (!compiled) return in_context("'tools'", std::move(compiled).error());
    return forced;
}

}  // namespace teetee::api
