// SPDX-License-Identifier: Apache-2.0
#include "jinja/template.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

#include <boost/json/value.hpp>

#include "jinja/interpreter.hpp"
#include "jinja/parser.hpp"
#include "jinja/python.hpp"

namespace teetee::jinja {
namespace {

Result<Value> from_json(Runtime& runtime, const boost::json::value& json, size_t depth);

std::optional<std::string_view> if_role(std::string_view name, const boost::json::value& item) {
    if (name != "role" || !item.is_string()) return std::nullopt;
    const auto* role = std::find(std::begin(chat_roles), std::end(chat_roles),
                                 std::string_view(item.get_string()));
    return role == std::end(chat_roles) ? std::nullopt : std::optional(*role);
}

Result<Value> from_json(Runtime& runtime, const boost::json::object& object, size_t depth) {
    TT_TRY(Dict* const dict, runtime.dict());
    for (const auto& [name, item] : object) {
        TT_TRY(const Value key, runtime.text(Text::all_foreign({name.data(), name.size()})));
        const auto role = if_role(name, item);
        TT_TRY(const Value value,
               role ? runtime.trusted_text(*role) : from_json(runtime, item, depth + 1));
        TT_CHECK(insert(runtime, *dict, key, value));
    }
    return Value(dict);
}

Result<Value> from_json(Runtime& runtime, const boost::json::value& json, size_t depth) {
    if (depth > value_depth_max)
        return fail(ErrorCode::limit_exceeded, "the context is nested too deep");
    switch (json.kind()) {
        case boost::json::kind::null:
            return Value(None{});
        case boost::json::kind::bool_:
            return Value(json.get_bool());
        case boost::json::kind::int64:
            return Value(json.get_int64());
        case boost::json::kind::uint64:
            return fail(ErrorCode::limit_exceeded,
                        "a number in the context does not fit in 64 bits");
        case boost::json::kind::double_:
            return Value(json.get_double());
        case boost::json::kind::string: {
            const auto& text = json.get_string();
            return runtime.text(Text::all_foreign({text.data(), text.size()}));
        }
        case boost::json::kind::array: {
            std::vector<Value> items;
            for (const auto& item : json.get_array()) {
                TT_TRY(items.emplace_back(), from_json(runtime, item, depth + 1));
            }
            return runtime.list(std::move(items));
        }
        case boost::json::kind::object:
            return from_json(runtime, json.get_object(), depth);
    }
    return Value(None{});
}

}  // namespace

Template::Template(std::unique_ptr<const Syntax> syntax) : syntax_(std::move(syntax)) {}
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;
Template::~Template() = default;

Result<Template> Template::parse(std::string_view source) {
    TT_TRY(auto syntax, jinja::parse(source));
    return Template(std::make_unique<const Syntax>(std::move(syntax)));
}

Result<Text> Template::render(const Inputs& inputs) const {
    Runtime runtime(inputs.limits, inputs.now);
    TT_TRY(const Value context, from_json(runtime, inputs.context, 0));
    for (const auto& [name, bytes] : inputs.trusted) {
        TT_TRY(const Value key, runtime.trusted_text(name));
        TT_TRY(const Value value, runtime.trusted_text(bytes));
        TT_CHECK(insert(runtime, *if_dict(context), key, value));
    }
    return Interpreter(*syntax_, runtime, *if_dict(context), inputs.limits.output_bytes_max).run();
}

}  // namespace teetee::jinja
