// SPDX-License-Identifier: Apache-2.0
#include "grammar/schema_merge.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <boost/json/array.hpp>

#include "grammar/limits.hpp"

namespace teetee::grammar {
namespace {

namespace json = boost::json;

enum class Shape {
    annotation,  // says nothing about values
    type,
    list,
    schemas,
    names,
    members,
    schema,
    count,
    number,
    text,
    never_true,
    items,
};

const Shape* shape_of(std::string_view keyword) {
    static const std::map<std::string_view, Shape> shapes = {
        {"$schema", Shape::annotation},
        {"$id", Shape::annotation},
        {"$comment", Shape::annotation},
        {"$defs", Shape::annotation},
        {"definitions", Shape::annotation},
        {"title", Shape::annotation},
        {"description", Shape::annotation},
        {"default", Shape::annotation},
        {"example", Shape::annotation},
        {"examples", Shape::annotation},
        {"deprecated", Shape::annotation},
        {"readOnly", Shape::annotation},
        {"writeOnly", Shape::annotation},
        {"contentEncoding", Shape::annotation},
        {"contentMediaType", Shape::annotation},
        {"discriminator", Shape::annotation},
        {"type", Shape::type},
        {"enum", Shape::list},
        {"properties", Shape::members},
        {"required", Shape::names},
        {"additionalProperties", Shape::schema},
        {"items", Shape::items},
        {"additionalItems", Shape::schema},
        {"prefixItems", Shape::schemas},
        {"minItems", Shape::count},
        {"maxItems", Shape::count},
        {"uniqueItems", Shape::never_true},
        {"minLength", Shape::count},
        {"maxLength", Shape::count},
        {"pattern", Shape::text},
        {"format", Shape::text},
        {"minimum", Shape::number},
        {"maximum", Shape::number},
        {"exclusiveMinimum", Shape::number},
        {"exclusiveMaximum", Shape::number},
        {"anyOf", Shape::schemas},
        {"oneOf", Shape::schemas},
        {"allOf", Shape::schemas},
    };
    const auto found = shapes.find(keyword);
    return found == shapes.end() ? nullptr : &found->second;
}

bool is_schema(const json::value& value) {
    return value.is_object() || value.is_bool();
}

bool is_count(const json::value& value) {
    return value.is_int64() && value.get_int64() >= 0 && value.get_int64() <= repetitions_max;
}

bool all_in(const json::value& list, bool (*check)(const json::value&)) {
    return list.is_array() && std::ranges::all_of(list.get_array(), check);
}

bool is_type_name(const json::value& value) {
    return value.is_string() && all_types().contains(std::string(value.get_string()));
}

/// "" if the keyword's value has its shape, else what is needed.
std::string needed_for(Shape shape, const json::value& value) {
    switch (shape) {
        case Shape::annotation:
            return "";
        case Shape::type:
            return is_type_name(value) || all_in(value, is_type_name)
                       ? ""
                       : "the name of a type, or a list of them";
        case Shape::list:
            return value.is_array() ? "" : "a list";
        case Shape::schemas:
            return all_in(value, is_schema) && !value.get_array().empty() ? ""
                                                                          : "a list of schemas";
        case Shape::names:
            return all_in(value, [](const json::value& v) { return v.is_string(); })
                       ? ""
                       : "a list of names";
        case Shape::members:
            return value.is_object() && std::ranges::all_of(value.get_object(),
                                                            [](const auto& member) {
                                                                return is_schema(member.value());
                                                            })
                       ? ""
                       : "an object of schemas";
        case Shape::schema:
            return is_schema(value) ? "" : "a schema";
        case Shape::count:
            return is_count(value) ? "" : "an integer from 0 to " + std::to_string(repetitions_max);
        case Shape::number:
            return value.is_number() ? "" : "a number";
        case Shape::text:
            return value.is_string() ? "" : "a string";
        case Shape::never_true:
            return value.is_bool() && !value.get_bool() ? "" : "false; true is not supported";
        case Shape::items:
            return is_schema(value) || all_in(value, is_schema) ? "" : "a schema";
    }
    return "";
}

/// The form that drafts before 2020-12 had: a list under "items" is a prefix.
void modernise_items(json::object& flat) {
    if (const auto* items = flat.if_contains("items"); items != nullptr && items->is_array()) {
        const json::value prefix = *items;
        flat.erase("items");
        if (!prefix.get_array().empty()) flat["prefixItems"] = prefix;
        if (const auto* rest = flat.if_contains("additionalItems")) flat["items"] = *rest;
    }
    flat.erase("additionalItems");
}

json::value conjunction(const json::value* a, const json::value* b) {
    if (a == nullptr) return *b;
    if (b == nullptr) return *a;
    return *a == *b ? *a : both_of(*a, *b);
}

/// What `schema` says of the member `name`; null if nothing.
const json::value* member_schema(const json::object& schema, std::string_view name) {
    if (const auto* members = schema.if_contains("properties")) {
        if (const auto* member = members->get_object().if_contains(name)) return member;
    }
    return schema.if_contains("additionalProperties");
}

void merge_members(json::object& into, const json::object& from) {
    json::object members;
    for (const json::object* side : {&std::as_const(into), &from}) {
        const auto* own = side->if_contains("properties");
        if (own == nullptr) continue;
        for (const auto& member : own->get_object()) {
            if (!members.contains(member.key())) {
                members[member.key()] = conjunction(member_schema(into, member.key()),
                                                    member_schema(from, member.key()));
            }
        }
    }
    const auto* rest_a = into.if_contains("additionalProperties");
    const auto* rest_b = from.if_contains("additionalProperties");
    if (rest_a != nullptr || rest_b != nullptr)
        into["additionalProperties"] = conjunction(rest_a, rest_b);
    if (!members.empty()) into["properties"] = std::move(members);
}

const json::value* item_schema(const json::object& schema, size_t index) {
    if (const auto* prefix = schema.if_contains("prefixItems")) {
        if (index < prefix->get_array().size()) return &prefix->get_array()[index];
    }
    return schema.if_contains("items");
}

void merge_items(json::object& into, const json::object& from) {
    const auto prefix_length = [](const json::object& schema) {
        const auto* prefix = schema.if_contains("prefixItems");
        return prefix == nullptr ? 0 : prefix->get_array().size();
    };
    json::array prefix;
    for (size_t i = 0; i < std::max(prefix_length(into), prefix_length(from)); ++i)
        prefix.push_back(conjunction(item_schema(into, i), item_schema(from, i)));
    const auto* rest_a = into.if_contains("items");
    const auto* rest_b = from.if_contains("items");
    if (rest_a != nullptr || rest_b != nullptr) into["items"] = conjunction(rest_a, rest_b);
    if (!prefix.empty()) into["prefixItems"] = std::move(prefix);
}

json::value common_values(const json::array& a, const json::array& b) {
    json::array out;
    for (const json::value& value : a) {
        if (std::ranges::find(b, value) != b.end()) out.push_back(value);
    }
    return out;
}

json::value common_types(const json::object& a, const json::object& b) {
    json::array out;
    const std::set<std::string> left = accepted_types(a);
    for (const std::string& type : accepted_types(b)) {
        if (left.contains(type)) out.emplace_back(type);
    }
    return out;
}

/// Puts one keyword that both have together. "" or why that cannot be done.
std::string merge_keyword(json::object& into, std::string_view keyword, const json::value& other) {
    json::value& own = into[keyword];
    if (own == other) return "";
    if (keyword == "enum") {
        own = common_values(own.get_array(), other.get_array());
    } else if (keyword == "required") {
        for (const json::value& name : other.get_array()) own.get_array().push_back(name);
    } else if (keyword == "anyOf" || keyword == "oneOf") {
        // Each of these, and one of those.
        for (json::value& way : own.get_array()) way = both_of(way, json::object{{keyword, other}});
    } else if (keyword.starts_with("min") || keyword == "exclusiveMinimum") {
        if (other.to_number<double>() > own.to_number<double>()) own = other;
    } else if (keyword.starts_with("max") || keyword == "exclusiveMaximum") {
        if (other.to_number<double>() < own.to_number<double>()) own = other;
    } else {
        return "'" + std::string(keyword) + "' has two values that cannot be put together";
    }
    return "";
}

Result<void> merge(json::object& into, const json::object& from, const std::string& path) {
    if (into.contains("type") && from.contains("type")) into["type"] = common_types(into, from);
    merge_members(into, from);
    merge_items(into, from);
    for (const auto& member : from) {
        const std::string_view keyword = member.key();
        if (keyword == "properties" || keyword == "additionalProperties" || keyword == "items" ||
            keyword == "prefixItems")
            continue;
        if (!into.contains(keyword)) {
            into[keyword] = member.value();
        } else if (keyword != "type") {
            if (const std::string why = merge_keyword(into, keyword, member.value()); !why.empty())
                return schema_invalid(path, why);
        }
    }
    return {};
}

size_t value_count(const json::value& value) {
    size_t count = 1;
    if (const auto* list = value.if_array()) {
        for (const json::value& item : *list) count += value_count(item);
    } else if (const auto* object = value.if_object()) {
        for (const auto& member : *object) count += value_count(member.value());
    }
    return count;
}

}  // namespace

Error schema_invalid(const std::string& path, const std::string& what) {
    return fail(ErrorCode::grammar_invalid, "schema: " + path + ": " + what);
}

json::value both_of(const json::value& a, const json::value& b) {
    return json::object{{"allOf", json::array{a, b}}};
}

const std::set<std::string>& all_types() {
    static const std::set<std::string> types = {"array",  "boolean", "integer", "null",
                                                "number", "object",  "string"};
    return types;
}

std::string type_of(const json::value& value) {
    switch (value.kind()) {
        case json::kind::null:
            return "null";
        case json::kind::bool_:
            return "boolean";
        case json::kind::string:
            return "string";
        case json::kind::array:
            return "array";
        case json::kind::object:
            return "object";
        case json::kind::int64:
        case json::kind::uint64:
            return "integer";
        case json::kind::double_:
            return std::trunc(value.get_double()) == value.get_double() ? "integer" : "number";
    }
    return "";
}

std::set<std::string> accepted_types(const json::object& flat) {
    std::set<std::string> out;
    if (const auto* type = flat.if_contains("type")) {
        if (type->is_string()) {
            out.emplace(type->get_string());
        } else {
            for (const json::value& name : type->get_array()) out.emplace(name.get_string());
        }
        if (out.contains("number")) out.insert("integer");
    } else if (const auto* values = flat.if_contains("enum")) {
        for (const json::value& value : values->get_array()) out.insert(type_of(value));
    } else {
        out = all_types();
    }
    return out;
}

Result<const json::value*> SchemaDocument::resolve(const json::value& ref,
                                                   const std::string& path) const {
    if (!ref.is_string()) return schema_invalid(path, "'$ref' must be a string");
    const std::string_view text = ref.get_string();
    if (text.empty() || text[0] != '#' || (text.size() > 1 && text[1] != '/')) {
        return schema_invalid(path, "'$ref': have " + quote_foreign(text) +
                                        ", need a place in this schema (#/$defs/name)");
    }
    boost::system::error_code absent;
    const json::value* found = root_.find_pointer(text.substr(1), absent);
    if (found == nullptr || !is_schema(*found))
        return schema_invalid(path, "'$ref': there is no schema at " + quote_foreign(text));
    return found;
}

Result<json::object> SchemaDocument::flatten(const json::value& schema, const std::string& path) {
    return flatten_within(schema, path, 0);
}

Result<void> SchemaDocument::count_values(const json::value& value, const std::string& path) {
    values_read_ += value_count(value);
    if (values_read_ <= schema_values_max) return {};
    return fail(ErrorCode::grammar_too_complex,
                "schema: " + path + ": $ref and allOf make too much of it");
}

Result<json::object> SchemaDocument::flatten_within(const json::value& schema,
                                                    const std::string& path, size_t depth) {
    TT_CHECK(count_values(schema, path));
    if (depth > nesting_max)
        return schema_invalid(path, "$ref and allOf lead into each other without end");
    json::object flat;
    if (schema.is_bool()) {
        if (!schema.get_bool()) flat["enum"] = json::array();
        return flat;
    }
    const json::object& source = schema.get_object();
    for (const auto& member : source) {
        const std::string_view keyword = member.key();
        if (keyword == "$ref" || keyword == "const") continue;
        const Shape* shape = shape_of(keyword);
        if (shape == nullptr)
            return schema_invalid(path, "keyword " + quote_foreign(keyword) + " is not supported");
        if (const std::string need = needed_for(*shape, member.value()); !need.empty())
            return schema_invalid(path, "'" + std::string(keyword) + "' must be " + need);
        if (*shape == Shape::annotation || *shape == Shape::never_true || keyword == "allOf")
            continue;
        flat[keyword] = member.value();
    }
    modernise_items(flat);
    if (const auto* value = source.if_contains("const")) {
        TT_CHECK(merge(flat, {{"enum", json::array{*value}}}, path));
    }
    if (const auto* ref = source.if_contains("$ref")) {
        TT_TRY(const auto* target, resolve(*ref, path));
        TT_TRY(const auto other, flatten_within(*target, path + "/$ref", depth + 1));
        TT_CHECK(merge(flat, other, path));
    }
    if (const auto* all = source.if_contains("allOf")) {
        for (const json::value& part : all->get_array()) {
            TT_TRY(const auto other, flatten_within(part, path + "/allOf", depth + 1));
            TT_CHECK(merge(flat, other, path));
        }
    }
    return flat;
}

}  // namespace teetee::grammar
