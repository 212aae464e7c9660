// SPDX-License-Identifier: Apache-2.0
#include "grammar/json_text.hpp"

#include <boost/json/serialize.hpp>

namespace teetee::grammar {
namespace {

constexpr uint32_t indentation_max = 20;

const CodePointSet& digits() {
    static const CodePointSet set{{'0', '9'}};
    return set;
}

/// Characters that stand in a string as they are.
const CodePointSet& plain_characters() {
    static const CodePointSet special{{0, 0x1f}, {'"', '"'}, {'\\', '\\'}};
    static const CodePointSet set = special.inverted();
    return set;
}

ExpressionId hex(Rules& rules) {
    return rules.characters({{'0', '9'}, {'a', 'f'}, {'A', 'F'}});
}

}  // namespace

std::string quoted_text(std::string_view text) {
    return boost::json::serialize(boost::json::string_view(text));
}

ExpressionId JsonText::space() {
    if (!space_) {
        const ExpressionId line = rules_.sequence(
            {rules_.text("\n"),
             rules_.repeat(rules_.characters({{' ', ' '}, {'\t', '\t'}}), {0, indentation_max})});
        space_ = rules_.shared("space", rules_.optional(rules_.choice({rules_.text(" "), line})));
    }
    return *space_;
}

ExpressionId JsonText::quoted(ExpressionId characters) {
    return rules_.sequence({rules_.text("\""), characters, rules_.text("\"")});
}

ExpressionId JsonText::character() {
    if (!character_) {
        // \uD800 to \uDFFF are halves of characters, which can as well stand for themselves.
        const ExpressionId other_first =
            rules_.characters({{'0', '9'}, {'a', 'c'}, {'A', 'C'}, {'e', 'f'}, {'E', 'F'}});
        const ExpressionId code =
            rules_.choice({rules_.sequence({other_first, hex(rules_)}),
                           rules_.sequence({rules_.characters({{'d', 'd'}, {'D', 'D'}}),
                                            rules_.characters({{'0', '7'}})})});
        std::vector<CodePointRange> short_escapes;
        for (const char c : std::string_view("\"\\/bfnrt")) {
            const auto code_point = static_cast<char32_t>(c);
            short_escapes.push_back({code_point, code_point});
        }
        const ExpressionId escape =
            rules_.choice({rules_.characters(CodePointSet(std::move(short_escapes))),
                           rules_.sequence({rules_.text("u"), code, hex(rules_), hex(rules_)})});
        character_ = rules_.shared("character",
                                   rules_.choice({rules_.characters(plain_characters()),
                                                  rules_.sequence({rules_.text("\\"), escape})}));
    }
    return *character_;
}

ExpressionId JsonText::character_of(const CodePointSet& set) {
    std::vector<ExpressionId> ways{rules_.characters(set.intersected(plain_characters()))};
    const CodePointSet escaped = set.intersected(plain_characters().inverted());
    for (const CodePointRange& range : escaped.ranges()) {
        for (char32_t c = range.first; c <= range.last; ++c) {
            std::string spelled = quoted_text(to_utf8(c));
            ways.push_back(rules_.text(spelled.substr(1, spelled.size() - 2)));
        }
    }
    return rules_.choice(std::move(ways));
}

ExpressionId JsonText::string(Repetition length) {
    return quoted(rules_.repeat(character(), length));
}

ExpressionId JsonText::integer() {
    const ExpressionId whole = rules_.sequence(
        {rules_.characters({{'1', '9'}}), rules_.repeat(rules_.characters(digits()), {0, 17})});
    return rules_.choice(
        {rules_.text("0"), rules_.sequence({rules_.optional(rules_.text("-")), whole})});
}

ExpressionId JsonText::number() {
    const auto some_digits = [&](uint32_t most) {
        return rules_.repeat(rules_.characters(digits()), {1, most});
    };
    const ExpressionId whole = rules_.choice(
        {rules_.text("0"), rules_.sequence({rules_.characters({{'1', '9'}}),
                                            rules_.repeat(rules_.characters(digits()), {0, 14})})});
    const ExpressionId fraction = rules_.sequence({rules_.text("."), some_digits(15)});
    const ExpressionId sign = rules_.characters({{'+', '+'}, {'-', '-'}});
    const ExpressionId exponent = rules_.sequence(
        {rules_.characters({{'e', 'e'}, {'E', 'E'}}), rules_.optional(sign), some_digits(2)});
    return rules_.sequence({rules_.optional(rules_.text("-")), whole, rules_.optional(fraction),
                            rules_.optional(exponent)});
}

ExpressionId JsonText::member(ExpressionId key, ExpressionId value) {
    return rules_.sequence({key, rules_.text(":"), rules_.optional(rules_.text(" ")), value});
}

ExpressionId JsonText::key_beside(const std::set<std::string>& names) {
    if (!plain_) {
        plain_ =
            rules_.shared("plain", rules_.repeat(rules_.characters(plain_characters()), {0, {}}));
    }
    std::set<std::u32string> decoded;
    for (const std::string& name : names) {
        std::u32string characters;
        bool is_plain = true;
        for (std::string_view rest = name; !rest.empty();) {
            characters.push_back(take_code_point(rest));
            is_plain = is_plain && plain_characters().contains(characters.back());
        }
        // A name that needs escapes is never met.
        if (is_plain) decoded.insert(std::move(characters));
    }
    return quoted(rest_beside(decoded, 0));
}

/// `names` share their first `depth` characters, which have been read.
ExpressionId JsonText::rest_beside(const std::set<std::u32string>& names, size_t depth) {
    if (names.empty()) return *plain_;
    std::vector<ExpressionId> ways;
    std::vector<CodePointRange> taken;
    if (names.begin()->size() > depth) ways.push_back(rules_.empty());
    for (auto name = names.begin(); name != names.end();) {
        if (name->size() == depth) {
            ++name;
            continue;
        }
        const char32_t c = (*name)[depth];
        std::set<std::u32string> same;
        for (; name != names.end() && (*name)[depth] == c; ++name) same.insert(*name);
        ways.push_back(rules_.sequence({rules_.text(to_utf8(c)), rest_beside(same, depth + 1)}));
        taken.push_back({c, c});
    }
    const CodePointSet others =
        CodePointSet(std::move(taken)).inverted().intersected(plain_characters());
    ways.push_back(rules_.sequence({rules_.characters(others), *plain_}));
    return rules_.choice(std::move(ways));
}

ExpressionId JsonText::more_of(ExpressionId item, Repetition count) {
    return rules_.repeat(rules_.sequence({rules_.text(","), space(), item}), count);
}

ExpressionId JsonText::value_within(size_t levels) {
    values_.resize(any_json_depth_max + 1);
    if (!values_[levels]) {
        std::vector<ExpressionId> ways{rules_.text("null"), rules_.text("true"),
                                       rules_.text("false"), number(), string({0, {}})};
        if (levels > 0) {
            ways.push_back(object_within(levels));
            ways.push_back(array_within(levels));
        }
        values_[levels] = rules_.shared("value", rules_.choice(std::move(ways)));
    }
    return *values_[levels];
}

ExpressionId JsonText::object_within(size_t levels) {
    objects_.resize(any_json_depth_max + 1);
    if (!objects_[levels]) {
        const ExpressionId entry = member(string({0, {}}), value_within(levels - 1));
        const ExpressionId entries = rules_.sequence({entry, more_of(entry, {0, {}}), space()});
        objects_[levels] =
            rules_.shared("object", rules_.sequence({rules_.text("{"), space(),
                                                     rules_.optional(entries), rules_.text("}")}));
    }
    return *objects_[levels];
}

ExpressionId JsonText::array_within(size_t levels) {
    arrays_.resize(any_json_depth_max + 1);
    if (!arrays_[levels]) {
        const ExpressionId item = value_within(levels - 1);
        const ExpressionId items = rules_.sequence({item, more_of(item, {0, {}}), space()});
        arrays_[levels] = rules_.shared(
            "array",
            rules_.sequence({rules_.text("["), space(), rules_.optional(items), rules_.text("]")}));
    }
    return *arrays_[levels];
}

}  // namespace teetee::grammar
