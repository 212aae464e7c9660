// SPDX-License-Identifier: Apache-2.0
#include "model/text_rules.hpp"

#include <algorithm>

#include "model/charsmap.hpp"
#include "model/json_members.hpp"
#include "model/pattern.hpp"
#include "model/piece_rules.hpp"
#include "model/tokenizer_limits.hpp"

namespace teetee::model {
namespace {

using Json = boost::json::value;

Result<JsonMembers> component(const Json& json, std::string_view where) {
    return JsonMembers::of(json, std::string(where), ErrorCode::tokenizer_unsupported);
}

Error unknown_type(const JsonMembers& members, std::string_view type) {
    return members.invalid("type", "have " + quote_foreign(type) + ", which is not known");
}

/// The steps of a component or, when it is a Sequence, of the components under `list_key`.
template <class ReadOne>
Result<void> read_steps(const Json* json, std::string_view where, std::string_view list_key,
                        const ReadOne& read_one) {
    if (json == nullptr) return {};
    TT_TRY(auto members, component(*json, where));
    const auto type = members.required_string("type");
    if (!type) return type.error();
    if (*type != "Sequence") {
        TT_CHECK(read_one(*type, members));
        return members.ensure_all_taken();
    }
    const Json* list = members.find(list_key);
    if (list == nullptr || !list->is_array()) return members.invalid(list_key, "need an array");
    if (list->get_array().size() > text_step_count_max)
        return members.invalid(list_key, "has too many elements");
    TT_CHECK(members.ensure_all_taken());
    for (const Json& element : list->get_array()) {
        TT_CHECK(read_steps(&element, where, list_key, read_one));
    }
    return {};
}

Result<void> read_normalizer(const std::string& type, JsonMembers& members,
                             std::vector<NormalizeStep>& steps) {
    using Kind = NormalizeStep::Kind;
    static constexpr std::pair<std::string_view, Kind> plain[] = {
        {"NFC", Kind::nfc},
        {"NFD", Kind::nfd},
        {"NFKC", Kind::nfkc},
        {"NFKD", Kind::nfkd},
        {"Lowercase", Kind::lower_case},
        {"StripAccents", Kind::strip_marks},
        {"ByteLevel", Kind::byte_letters}};
    for (const auto& [name, kind] : plain) {
        if (type != name) continue;
        steps.push_back({.kind = kind});
        return {};
    }
    if (type == "Prepend") {
        TT_TRY(auto content, members.required_string("prepend"));
        steps.push_back({.kind = Kind::prepend, .content = std::move(content)});
    } else if (type == "Replace") {
        TT_TRY(auto pattern, read_pattern(members));
        TT_TRY(auto content, members.required_string("content"));
        steps.push_back({Kind::replace, std::move(pattern), std::move(content)});
    } else if (type == "Strip") {
        TT_TRY(const auto left, members.boolean("strip_left"));
        TT_TRY(const auto right, members.boolean("strip_right"));
        if (left.value_or(true)) steps.push_back({.kind = Kind::strip_left});
        if (right.value_or(true)) steps.push_back({.kind = Kind::strip_right});
    } else if (type == "Precompiled") {
        TT_TRY(const auto table, members.string("precompiled_charsmap"));
        if (!table || table->empty()) return {};
        const auto bytes = from_base64(*table);
        if (!bytes) return members.invalid("precompiled_charsmap", "is not base64");
        steps.push_back({.kind = Kind::charsmap, .content = std::string(as_text(*bytes))});
    } else {
        return unknown_type(members, type);
    }
    return {};
}

/// What a decoder does is a consequence of the steps before; here it is made sure of.
Result<void> read_decoder(const std::string& type, JsonMembers& members, TextRules& rules) {
    if (type == "ByteLevel") {
        members.ignore({"add_prefix_space", "trim_offsets", "use_regex"});
        if (!rules.has_byte_letters())
            return members.invalid("type", "ByteLevel without pieces so");
    } else if (type == "Metaspace") {
        TT_TRY(const auto options, read_metaspace(members));
        rules.strips_first_space = options.prefixes;
    } else if (type == "Replace") {
        TT_TRY(const auto pattern, read_pattern(members));
        TT_TRY(const auto content, members.required_string("content"));
        if (pattern != space_mark || content != " ")
            return members.invalid("pattern", "need U+2581 replaced by a space");
    } else if (type == "Strip") {
        TT_TRY(const auto content, members.required_string("content"));
        TT_TRY(const auto start, members.u32("start"));
        TT_TRY(const auto stop, members.u32("stop"));
        if (content != " " || start.value_or(0) > 1 || stop.value_or(0) != 0)
            return members.invalid("start", "need one space at the start or none");
        rules.strips_first_space = start.value_or(0) == 1;
    } else if (type != "ByteFallback" && type != "Fuse") {
        return unknown_type(members, type);
    }
    return {};
}

Result<void> read_added_tokens(const Json& json, std::vector<AddedTokenRule>& rules) {
    const auto* list = json.if_array();
    if (list == nullptr || list->size() > token_count_max)
        return fail(ErrorCode::tokenizer_unsupported, "added_tokens: need an array of tokens");
    for (const Json& element : *list) {
        TT_TRY(auto members, component(element, "added_tokens"));
        TT_TRY(const auto id, members.u32("id"));
        TT_TRY(const auto left, members.boolean("lstrip"));
        TT_TRY(const auto right, members.boolean("rstrip"));
        TT_TRY(const auto word, members.boolean("single_word"));
        TT_TRY(const auto normalized, members.boolean("normalized"));
        members.ignore({"content", "special"});
        TT_CHECK(members.ensure_all_taken());
        if (!id) return members.invalid("id", "is missing");
        rules.push_back({*id, left.value_or(false), right.value_or(false), word.value_or(false),
                         normalized.value_or(false)});
    }
    return {};
}

/// Makes sure that patterns and tables can be used, so that no later call can fail of them.
Result<void> compile_all(const TextRules& rules) {
    for (const NormalizeStep& step : rules.normalizer) {
        if (step.kind == NormalizeStep::Kind::replace)
            TT_CHECK(Pattern::compile(step.pattern, Pattern::Origin::foreign));
        if (step.kind == NormalizeStep::Kind::charsmap)
            TT_CHECK(Charsmap::parse(as_bytes(step.content)));
    }
    for (const PieceStep& step : rules.pre_tokenizer)
        if (step.kind == PieceStep::Kind::split)
            TT_CHECK(Pattern::compile(step.pattern, Pattern::Origin::foreign));
    return {};
}

}  // namespace

bool TextRules::has_byte_letters() const {
    return std::any_of(pre_tokenizer.begin(), pre_tokenizer.end(),
                       [](const auto& s) { return s.kind == PieceStep::Kind::byte_letters; }) ||
           std::any_of(normalizer.begin(), normalizer.end(),
                       [](const auto& s) { return s.kind == NormalizeStep::Kind::byte_letters; });
}

bool TextRules::has_space_prefix() const {
    return std::any_of(pre_tokenizer.begin(), pre_tokenizer.end(),
                       [](const auto& s) { return s.kind == PieceStep::Kind::prefix; }) ||
           std::any_of(normalizer.begin(), normalizer.end(),
                       [](const auto& s) { return s.kind == NormalizeStep::Kind::prepend; });
}

Result<TextRules> parse_text_rules(std::string_view json) {
    TT_TRY(const Json tree, parse_json_tree(json, "tokenizer rules"));
    TT_TRY(auto members, component(tree, "tokenizer rules"));
    TextRules rules;
    TT_CHECK(read_steps(members.find("normalizer"), "normalizer", "normalizers",
                        [&](const std::string& type, JsonMembers& m) {
                            return read_normalizer(type, m, rules.normalizer);
                        }));
    TT_CHECK(read_steps(members.find("pre_tokenizer"), "pre_tokenizer", "pretokenizers",
                        [&](const std::string& type, JsonMembers& m) {
                            return read_pre_tokenizer(type, m, rules.pre_tokenizer);
                        }));
    TT_CHECK(compile_all(rules));
    TT_CHECK(read_steps(
        members.find("decoder"), "decoder", "decoders",
        [&](const std::string& type, JsonMembers& m) { return read_decoder(type, m, rules); }));
    if (const Json* added = members.find("added_tokens"))
        TT_CHECK(read_added_tokens(*added, rules.added_tokens));
    TT_TRY(const auto ignore_merges, members.boolean("ignore_merges"));
    TT_TRY(const auto fuse_unk, members.boolean("fuse_unk"));
    rules.whole_pieces_first = ignore_merges.value_or(false);
    rules.fuses_unknown = fuse_unk.value_or(false);
    TT_CHECK(members.ensure_all_taken());
    return rules;
}

}  // namespace teetee::model
