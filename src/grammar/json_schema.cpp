// SPDX-License-Identifier: Apache-2.0
#include "grammar/json_schema.hpp"

#include <algorithm>
#include <charconv>
#include <deque>
#include <map>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/bytes.hpp"
#include "grammar/gbnf.hpp"
#include "grammar/json_text.hpp"
#include "grammar/limits.hpp"
#include "grammar/number_bounds.hpp"
#include "grammar/pattern.hpp"
#include "grammar/schema_merge.hpp"

namespace teetee::grammar {
namespace {

namespace json = boost::json;

/// Values of "format" as patterns: some of the strings that fit, none that does not.
const char* pattern_of_format(std::string_view format) {
#define TT_DATE                                                           \
    "[12]\\d{3}-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[" \
    "1-9]|[12]\\d|30)|02-(0[1-9]|1\\d|2[0-8]))"
#define TT_TIME "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,6})?(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)"
#define TT_OCTET "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
#define TT_LABEL "[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?"
    static const std::map<std::string_view, const char*> patterns = {
        {"date", "^" TT_DATE "$"},
        {"time", "^" TT_TIME "$"},
        {"date-time", "^" TT_DATE "T" TT_TIME "$"},
        {"ipv4", "^" TT_OCTET "(\\." TT_OCTET "){3}$"},
        {"uuid", "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"},
        {"hostname", "^" TT_LABEL "(\\." TT_LABEL "){0,4}$"},
        {"email",
         "^[A-Za-z0-9_+-]{1,32}(\\.[A-Za-z0-9_+-]{1,16}){0,1}@" TT_LABEL "(\\." TT_LABEL "){1,3}$"},
    };
#undef TT_DATE
#undef TT_TIME
#undef TT_OCTET
#undef TT_LABEL
    const auto found = patterns.find(format);
    return found == patterns.end() ? nullptr : found->second;
}

uint32_t count_or(const json::object& flat, std::string_view keyword, uint32_t fallback) {
    const auto* value = flat.if_contains(keyword);
    return value == nullptr ? fallback : static_cast<uint32_t>(value->get_int64());
}

std::optional<uint32_t> most_of(const json::object& flat, std::string_view keyword) {
    if (!flat.contains(keyword)) return std::nullopt;
    return count_or(flat, keyword, 0);
}

std::string text_of(const json::value& value) {
    if (!value.is_double()) return json::serialize(value);
    std::array<char, 32> digits{};
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), value.get_double());
    return {digits.data(), end.ptr};
}

bool are_equal(const json::value& a, const json::value& b) {
    if (a.is_number() && b.is_number()) return a.to_number<double>() == b.to_number<double>();
    return a == b;
}

std::set<std::string> required_names(const json::object& flat) {
    std::set<std::string> out;
    if (const auto* names = flat.if_contains("required")) {
        for (const json::value& name : names->get_array()) out.emplace(name.get_string());
    }
    return out;
}

const json::value* property(const json::object& flat, std::string_view name) {
    const auto* members = flat.if_contains("properties");
    return members == nullptr ? nullptr : members->get_object().if_contains(name);
}

class SchemaCompiler {
  public:
    explicit SchemaCompiler(json::value root) : document_(std::move(root)), json_(rules_) {}

    Result<Grammar> compile() {
        TT_CHECK(rule_for(document_.root(), "#"));
        // Schemas that lie in others wait here: no schema is nested too deep, none is met twice.
        for (; !waiting_.empty() && !rules_.is_full(); waiting_.pop_front()) {
            const Waiting next = waiting_.front();
            TT_TRY(const ExpressionId texts, texts_of(next.flat, next.path));
            rules_.define(next.rule, texts);
        }
        auto grammar = Grammar::build(rules_, 0);
        return grammar ? std::move(grammar) : in_context("schema", std::move(grammar).error());
    }

  private:
    struct Waiting {
        RuleId rule = 0;
        json::object flat;
        std::string path;
    };

    static std::string below(const std::string& path, const std::string& step) {
        return path.size() > 256 ? path : path + "/" + step;
    }

    /// The rule of the schema's texts, which are found out later.
    Result<ExpressionId> rule_for(const json::value& schema, const std::string& path) {
        TT_TRY(auto flat, document_.flatten(schema, path));
        const auto [found, is_new] = rule_of_schema_.try_emplace(json::serialize(flat), 0);
        if (is_new) {
            found->second = rules_.declare(path);
            waiting_.push_back({found->second, std::move(flat), path});
        }
        return rules_.call(found->second);
    }

    Result<ExpressionId> texts_of(const json::object& flat, const std::string& path) {
        for (const char* keyword : {"anyOf", "oneOf"}) {
            if (flat.contains(keyword)) return texts_of_ways(flat, keyword, path);
        }
        if (flat.contains("enum")) return texts_of_values(flat, path);
        std::vector<ExpressionId> ways;
        const std::set<std::string> types = accepted_types(flat);
        for (const std::string& type : types) {
            if (type == "integer" && types.contains("number")) continue;
            TT_TRY(const ExpressionId way, texts_of_type(type, flat, path));
            ways.push_back(way);
        }
        return rules_.choice(std::move(ways));
    }

    Result<ExpressionId> texts_of_type(const std::string& type, const json::object& flat,
                                       const std::string& path) {
        if (type == "null") return rules_.text("null");
        if (type == "boolean") return rules_.choice({rules_.text("true"), rules_.text("false")});
        if (type == "integer")
            return has_bounds(flat) ? bounded_integers(rules_, flat, path) : json_.integer();
        if (type == "number")
            return has_bounds(flat) ? bounded_numbers(rules_, flat, path) : json_.number();
        if (type == "string") return strings(flat, path);
        return type == "array" ? arrays(flat, path) : objects(flat, path);
    }

    Result<ExpressionId> texts_of_values(const json::object& flat, const std::string& path) {
        const json::array& values = flat.at("enum").get_array();
        for (const auto& member : flat) {
            const std::string_view keyword = member.key();
            if (!values.empty() && keyword != "enum" && keyword != "type")
                return schema_invalid(
                    path, quote_foreign(keyword) + " beside enum or const is not supported");
        }
        const std::set<std::string> types = accepted_types(flat);
        std::vector<ExpressionId> ways;
        for (const json::value& value : values) {
            if (types.contains(type_of(value))) ways.push_back(rules_.text(text_of(value)));
        }
        return rules_.choice(std::move(ways));
    }

    Result<ExpressionId> texts_of_ways(const json::object& flat, std::string_view keyword,
                                       const std::string& path) {
        const json::array& schemas = flat.at(keyword).get_array();
        json::object rest = flat;
        rest.erase(keyword);
        std::vector<json::object> flat_ways;
        std::vector<ExpressionId> ways;
        for (size_t i = 0; i < schemas.size(); ++i) {
            const std::string way_path =
                below(path, std::string(keyword) + "/" + std::to_string(i));
            const json::value way = rest.empty() ? schemas[i] : both_of(rest, schemas[i]);
            TT_TRY(const ExpressionId texts, rule_for(way, way_path));
            ways.push_back(texts);
            if (keyword != "oneOf") continue;
            TT_TRY(auto flat_way, document_.flatten(way, way_path));
            for (const json::object& other : flat_ways) {
                TT_TRY(const bool is_apart, are_apart(flat_way, other, way_path));
                if (!is_apart) {
                    return schema_invalid(way_path,
                                          "'oneOf' needs schemas that exclude each other by type, "
                                          "enum, or const of a required member; else use anyOf");
                }
            }
            flat_ways.push_back(std::move(flat_way));
        }
        return rules_.choice(std::move(ways));
    }

    /// Sure that no value fits both. `levels` of members are looked into.
    Result<bool> are_apart(const json::object& a, const json::object& b, const std::string& path,
                           size_t levels = 1) {
        std::set<std::string> common = accepted_types(a);
        std::erase_if(common, [of_b = accepted_types(b)](const std::string& type) {
            return !of_b.contains(type);
        });
        if (common.empty()) return true;
        const auto* values_a = a.if_contains("enum");
        const auto* values_b = b.if_contains("enum");
        if (values_a != nullptr && values_b != nullptr) {
            return std::ranges::none_of(values_a->get_array(), [&](const json::value& value) {
                return std::ranges::any_of(values_b->get_array(), [&](const json::value& other) {
                    return are_equal(value, other);
                });
            });
        }
        if (common != std::set<std::string>{"object"} || levels == 0) return false;
        const std::set<std::string> required_by_b = required_names(b);
        for (const std::string& name : required_names(a)) {
            const auto* of_a = property(a, name);
            const auto* of_b = property(b, name);
            if (!required_by_b.contains(name) || of_a == nullptr || of_b == nullptr) continue;
            TT_TRY(const auto member_a, document_.flatten(*of_a, path));
            TT_TRY(const auto member_b, document_.flatten(*of_b, path));
            TT_TRY(const bool is_apart, are_apart(member_a, member_b, path, levels - 1));
            if (is_apart) return true;
        }
        return false;
    }

    Result<ExpressionId> strings(const json::object& flat, const std::string& path) {
        const auto* pattern = flat.if_contains("pattern");
        const auto* format = flat.if_contains("format");
        const uint32_t least = count_or(flat, "minLength", 0);
        const std::optional<uint32_t> most = most_of(flat, "maxLength");
        if (pattern == nullptr && format == nullptr) {
            if (most && *most < least) return rules_.never();
            return json_.string({least, most});
        }
        if (pattern != nullptr && format != nullptr)
            return schema_invalid(path, "'pattern' and 'format' together are not supported");
        const char* of_format =
            format == nullptr ? nullptr : pattern_of_format(format->get_string());
        if (format != nullptr && of_format == nullptr) {
            return schema_invalid(path, "'format': " + quote_foreign(format->get_string()) +
                                            " is not supported; date, time, date-time, uuid, "
                                            "email, hostname and ipv4 are");
        }
        auto text = parse_pattern(format == nullptr ? std::string_view(pattern->get_string())
                                                    : std::string_view(of_format),
                                  rules_, json_);
        if (!text) return in_context("schema: " + path, std::move(text).error());
        if (least > text->length_least ||
            (most && (!text->length_most || *most < *text->length_most)))
            return schema_invalid(path,
                                  "'minLength' and 'maxLength' beside 'pattern' or 'format' "
                                  "must say no more than these do");
        return json_.quoted(text->expression);
    }

    Result<ExpressionId> arrays(const json::object& flat, const std::string& path) {
        const auto* prefix = flat.if_contains("prefixItems");
        const auto* items = flat.if_contains("items");
        const size_t prefix_length = prefix == nullptr ? 0 : prefix->get_array().size();
        const uint32_t least = count_or(flat, "minItems", 0);
        const std::optional<uint32_t> most = most_of(flat, "maxItems");
        if (most && *most < least) return rules_.never();
        ExpressionId item = 0;
        if (items == nullptr) {
            item = json_.value();
        } else {
            TT_TRY(item, rule_for(*items, below(path, "items")));
        }
        std::vector<ExpressionId> front;
        for (size_t i = 0; i < prefix_length; ++i) {
            TT_TRY(
                const ExpressionId one,
                rule_for(prefix->get_array()[i], below(path, "prefixItems/" + std::to_string(i))));
            front.push_back(one);
        }
        if (front.empty()) front.push_back(item);
        if (most && front.size() > *most) front.resize(*most);
        const auto count = static_cast<uint32_t>(front.size());
        std::optional<uint32_t> more;
        if (most) more = *most - count;
        ExpressionId rest = json_.more_of(item, {least > count ? least - count : 0, more});
        for (size_t i = front.size(); i-- > 0;) {
            const ExpressionId one =
                i == 0 ? front[i] : rules_.sequence({rules_.text(","), json_.space(), front[i]});
            rest = rules_.sequence({one, rest});
            rest = rules_.shared(path, i < least ? rest : rules_.optional(rest));
        }
        return rules_.sequence(
            {rules_.text("["), json_.space(), rest, json_.space(), rules_.text("]")});
    }

    Result<ExpressionId> objects(const json::object& flat, const std::string& path) {
        struct Member {
            ExpressionId texts = 0;
            bool is_required = false;
        };
        static const json::value anything = true;
        const auto* additional = flat.if_contains("additionalProperties");
        if (additional == nullptr) additional = &anything;
        TT_TRY(const ExpressionId other, any_member(*additional, path));

        std::set<std::string> missing = required_names(flat);
        std::set<std::string> names;
        std::vector<Member> members;
        const auto add = [&](std::string_view name, const json::value& schema) -> Result<void> {
            if (name.size() > property_name_max) {
                return schema_invalid(path, "a member's name has " + std::to_string(name.size()) +
                                                " bytes, need at most " +
                                                std::to_string(property_name_max));
            }
            TT_TRY(const ExpressionId value,
                   rule_for(schema, below(path, "properties/" + quote_foreign(name))));
            const bool is_required = missing.erase(std::string(name)) > 0;
            members.push_back({json_.member(rules_.text(quoted_text(name)), value), is_required});
            names.emplace(name);
            return {};
        };
        if (const auto* own = flat.if_contains("properties")) {
            for (const auto& member : own->get_object())
                TT_CHECK(add(member.key(), member.value()));
        }
        for (const std::string& name : std::set<std::string>(missing))
            TT_CHECK(add(name, *additional));

        const ExpressionId entry = json_.member(json_.key_beside(names), other);
        // What follows a member, and what may stand where there was none yet.
        ExpressionId more = rules_.shared(path, json_.more_of(entry, {0, {}}));
        ExpressionId first = rules_.shared(path, rules_.optional(rules_.sequence({entry, more})));
        for (auto member = members.rbegin(); member != members.rend(); ++member) {
            const ExpressionId begun = rules_.sequence({member->texts, more});
            const ExpressionId next =
                rules_.sequence({rules_.text(","), json_.space(), member->texts, more});
            if (member->is_required) {
                first = begun;
                more = next;
            } else {
                first = rules_.choice({begun, first});
                more = rules_.choice({next, more});
            }
            first = rules_.shared(path, first);
            more = rules_.shared(path, more);
        }
        return rules_.sequence(
            {rules_.text("{"), json_.space(), first, json_.space(), rules_.text("}")});
    }

    Result<ExpressionId> any_member(const json::value& schema, const std::string& path) {
        if (schema.is_bool() && schema.get_bool()) return json_.value();
        return rule_for(schema, below(path, "additionalProperties"));
    }

    SchemaDocument document_;
    Rules rules_;
    JsonText json_;
    std::map<std::string, RuleId> rule_of_schema_;
    std::deque<Waiting> waiting_;
};

}  // namespace

Result<Grammar> parse_json_schema(std::string_view source) {
    if (source.size() > source_bytes_max) {
        return fail(ErrorCode::grammar_too_complex,
                    "schema: have " + std::to_string(source.size()) + " bytes, need at most " +
                        std::to_string(source_bytes_max));
    }
    if (!is_utf8(source)) return fail(ErrorCode::grammar_invalid, "schema: not UTF-8");
    boost::system::error_code malformed;
    json::parse_options options;
    options.max_depth = nesting_max;
    auto root = json::parse(source, malformed, {}, options);
    if (malformed) return fail(ErrorCode::grammar_invalid, "schema: not JSON of bounded depth");
    if (!root.is_object() && !root.is_bool())
        return fail(ErrorCode::grammar_invalid, "schema: need an object");
    return SchemaCompiler(std::move(root)).compile();
}

Result<Grammar> any_json_object() {
    Rules rules;
    JsonText json(rules);
    const RuleId root = rules.declare("root");
    rules.define(root, json.object());
    return Grammar::build(rules, root);
}

Result<Grammar> grammar_of(const Constraint& constraint) {
    switch (constraint.kind) {
        case ConstraintKind::gbnf:
            return parse_gbnf(constraint.source);
        case ConstraintKind::json_schema:
            return parse_json_schema(constraint.source);
        default:
            return any_json_object();
    }
}

}  // namespace teetee::grammar
