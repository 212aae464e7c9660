// SPDX-License-Identifier: Apache-2.0
#include "api/tools.hpp"

#include <algorithm>
#include <string_view>

#include "api/json_fields.hpp"
#include "api/limits.hpp"

namespace teetee::api {
namespace {

namespace json = boost::json;

/// OpenAI's rule for names of functions.
bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= tool_name_bytes_max &&
           std::ranges::all_of(name, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-';
           });
}

/// The object that has a function's name, whichever shape it comes in.
Result<const json::object*> function_in(const json::value& tool, ToolShape shape) {
    const auto* object = tool.if_object();
    const auto* type = object == nullptr ? nullptr : object->if_contains("type");
    if (type == nullptr || *type != "function")
        return fail(ErrorCode::field_invalid, "'tools' may only hold objects of type function");
    if (shape == ToolShape::flat) return object;
    const auto* function = object->if_contains("function");
    if (function == nullptr || !function->is_object())
        return fail(ErrorCode::field_invalid,
                    "'tools' must hold {\"type\":\"function\","
                    "\"function\":{\"name\",\"parameters\"}}");
    return &function->get_object();
}

Result<json::object> parse_tool(const json::value& tool, ToolShape shape) {
    TT_TRY(const json::object* function, function_in(tool, shape));
    TT_TRY(const auto name, string_field(*function, "name"));
    if (!name || !is_name(*name)) {
        return fail(ErrorCode::field_invalid, "'tools': a function's name must be 1 to " +
                                                  std::to_string(tool_name_bytes_max) +
                                                  " letters, digits, underscores and dashes");
    }
    TT_TRY(const auto description, string_field(*function, "description"));
    json::object out = {{"name", *name}, {"description", description.value_or("")}};
    const auto* parameters = function->if_contains("parameters");
    if (parameters == nullptr || parameters->is_null()) {
        out["parameters"] = {{"type", "object"}, {"properties", json::object()}};
    } else if (parameters->is_object()) {
        out["parameters"] = *parameters;
    } else {
        return fail(ErrorCode::field_invalid, "'tools': parameters must be a JSON schema");
    }
    return json::object{{"type", "function"}, {"function", std::move(out)}};
}

Result<json::array> parse_declared(const json::object& body, ToolShape shape) {
    json::array declared;
    const auto* field = body.if_contains("tools");
    if (field == nullptr || field->is_null()) return declared;
    const auto* list = field->if_array();
    if (list == nullptr || list->size() > tools_max) {
        return fail(ErrorCode::field_invalid,
                    "'tools' must be a list of at most " + std::to_string(tools_max) + " tools");
    }
    for (const auto& tool : *list) {
        TT_TRY(auto parsed, parse_tool(tool, shape));
        declared.push_back(std::move(parsed));
    }
    return declared;
}

bool declares(const json::array& tools, std::string_view name) {
    return std::ranges::any_of(tools, [&](const json::value& tool) {
        return tool.at("function").at("name").as_string() == name;
    });
}

Result<void> parse_choice(const json::object& body, ToolShape shape, ToolUse& use) {
    const auto* field = body.if_contains("tool_choice");
    if (field == nullptr || field->is_null()) return {};
    const Error wrong = fail(ErrorCode::field_invalid,
                             "'tool_choice' must be \"none\", \"auto\", \"required\" or name one "
                             "of 'tools'");
    if (*field == "none") {
        use.choice = ToolChoice::none;
        return {};
    }
    if (*field == "auto") return {};
    if (*field != "required") {
        if (!field->is_object()) return wrong;
        auto function = function_in(*field, shape);
        if (!function) return wrong;
        TT_TRY(const auto name, string_field(**function, "name"));
        if (!name || !declares(use.declared, *name)) return wrong;
        use.name = *name;
    }
    if (use.declared.empty())
        return fail(ErrorCode::field_invalid, "'tool_choice' asks for a tool, 'tools' has none");
    use.choice = ToolChoice::required;
    return {};
}

}  // namespace

Result<ToolUse> parse_tools(const json::object& body, ToolShape shape) {
    ToolUse use;
    TT_TRY(use.declared, parse_declared(body, shape));
    if (!use.declared.empty()) use.choice = ToolChoice::automatic;
    TT_CHECK(parse_choice(body, shape, use));
    TT_TRY(const auto parallel, bool_field(body, "parallel_tool_calls"));
    use.parallel = parallel.value_or(true);
    return use;
}

}  // namespace teetee::api
