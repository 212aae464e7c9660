// SPDX-License-Identifier: Apache-2.0
#include "model/piece_rules.hpp"

#include "model/pattern.hpp"

namespace teetee::model {
namespace {

using Kind = PieceStep::Kind;
using Behaviour = PieceStep::Behaviour;

constexpr std::string_view punctuation = R"([\p{P}!-/:-@\[-`{-~])";
constexpr std::string_view gpt2_words =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

PieceStep split(std::string pattern, Behaviour behaviour) {
    return {.kind = Kind::split, .pattern = std::move(pattern), .behaviour = behaviour};
}

Result<Behaviour> read_behaviour(JsonMembers& members) {
    static constexpr std::pair<std::string_view, Behaviour> names[] = {
        {"Isolated", Behaviour::isolated},
        {"Removed", Behaviour::removed},
        {"MergedWithPrevious", Behaviour::merged_with_previous},
        {"MergedWithNext", Behaviour::merged_with_next},
        {"Contiguous", Behaviour::contiguous}};
    TT_TRY(const auto found, members.string("behavior"));
    const std::string name = found.value_or("Isolated");
    for (const auto& [known, behaviour] : names)
        if (name == known) return behaviour;
    return members.invalid("behavior", "have " + quote_foreign(name) + ", which is not known");
}

Result<void> read_split(JsonMembers& members, std::vector<PieceStep>& steps) {
    TT_TRY(auto pattern, read_pattern(members));
    TT_TRY(const auto behaviour, read_behaviour(members));
    TT_TRY(const auto inverted, members.boolean("invert"));
    steps.push_back(split(std::move(pattern), behaviour));
    steps.back().inverted = inverted.value_or(false);
    return {};
}

Result<void> read_byte_level(JsonMembers& members, std::vector<PieceStep>& steps) {
    TT_TRY(const auto prefixes, members.boolean("add_prefix_space"));
    TT_TRY(const auto splits, members.boolean("use_regex"));
    members.ignore({"trim_offsets"});
    if (prefixes.value_or(true)) steps.push_back({.kind = Kind::prefix, .content = " "});
    if (splits.value_or(true)) steps.push_back(split(std::string(gpt2_words), Behaviour::isolated));
    steps.push_back({.kind = Kind::byte_letters});
    return {};
}

Result<void> add_metaspace(JsonMembers& members, std::vector<PieceStep>& steps) {
    TT_TRY(const auto options, read_metaspace(members));
    const std::string mark(space_mark);
    steps.push_back({.kind = Kind::replace, .pattern = " ", .content = mark});
    if (options.prefixes) {
        steps.push_back(
            {.kind = Kind::prefix, .content = mark, .only_text_begin = options.only_text_begin});
    }
    if (options.splits) steps.push_back(split(mark, Behaviour::merged_with_next));
    return {};
}

}  // namespace

Result<std::string> read_pattern(JsonMembers& members) {
    const auto* value = members.find("pattern");
    if (value == nullptr) return members.invalid("pattern", "is missing");
    TT_TRY(auto pattern,
           JsonMembers::of(*value, members.path_of("pattern"), ErrorCode::tokenizer_unsupported));
    TT_TRY(auto text, pattern.string("String"));
    TT_TRY(auto regex, pattern.string("Regex"));
    TT_CHECK(pattern.ensure_all_taken());
    if (text.has_value() == regex.has_value())
        return members.invalid("pattern", "need one of String and Regex");
    return regex ? *std::move(regex) : literal_pattern(*text);
}

Result<MetaspaceOptions> read_metaspace(JsonMembers& members) {
    TT_TRY(const auto replacement, members.required_string("replacement"));
    TT_TRY(const auto add_prefix_space, members.boolean("add_prefix_space"));
    TT_TRY(const auto scheme, members.string("prepend_scheme"));
    TT_TRY(const auto splits, members.boolean("split"));
    members.ignore({"str_rep"});
    if (replacement != space_mark)
        return members.invalid("replacement", "have another character than U+2581");
    MetaspaceOptions options;
    options.splits = splits.value_or(true);
    if (!scheme) {
        options.prefixes = add_prefix_space.value_or(true);
    } else if (*scheme == "first") {
        options.only_text_begin = true;
    } else if (*scheme == "never") {
        options.prefixes = false;
    } else if (*scheme != "always") {
        return members.invalid("prepend_scheme",
                               "have " + quote_foreign(*scheme) + ", need always, first or never");
    }
    return options;
}

Result<void> read_pre_tokenizer(const std::string& type, JsonMembers& members,
                                std::vector<PieceStep>& steps) {
    if (type == "Split") return read_split(members, steps);
    if (type == "ByteLevel") return read_byte_level(members, steps);
    if (type == "Metaspace") return add_metaspace(members, steps);
    if (type == "Digits") {
        TT_TRY(const auto individual, members.boolean("individual_digits"));
        steps.push_back(split(
            R"(\p{N})", individual.value_or(false) ? Behaviour::isolated : Behaviour::contiguous));
    } else if (type == "Punctuation") {
        TT_TRY(const auto behaviour, read_behaviour(members));
        steps.push_back(split(std::string(punctuation), behaviour));
    } else if (type == "Whitespace") {
        steps.push_back(split(R"(\w+|[^\w\s]+)", Behaviour::removed));
        steps.back().inverted = true;
    } else if (type == "WhitespaceSplit") {
        steps.push_back(split(R"(\s)", Behaviour::removed));
    } else if (type == "BertPreTokenizer") {
        steps.push_back(split(R"(\s)", Behaviour::removed));
        steps.push_back(split(std::string(punctuation), Behaviour::isolated));
    } else if (type == "CharDelimiterSplit") {
        TT_TRY(const auto delimiter, members.required_string("delimiter"));
        steps.push_back(split(literal_pattern(delimiter), Behaviour::removed));
    } else {
        return members.invalid("type", "have " + quote_foreign(type) + ", which is not known");
    }
    return {};
}

}  // namespace teetee::model
