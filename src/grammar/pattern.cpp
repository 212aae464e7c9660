// SPDX-License-Identifier: Apache-2.0
#include "grammar/pattern.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "grammar/limits.hpp"

namespace teetee::grammar {
namespace {

const CodePointSet digit_set{{'0', '9'}};
const CodePointSet word_set{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
const CodePointSet space_set{{'\t', '\r'}, {' ', ' '}};
const CodePointSet line_ends{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};
/// Where readers of patterns agree on what \d, \w and \s are not.
const CodePointSet agreed{{'\t', '\r'}, {' ', '\x7f'}};

/// Beyond it a length is as good as unlimited.
constexpr uint64_t length_limit = 1u << 20;

PatternText joined(Rules& rules, const std::vector<PatternText>& parts) {
    PatternText out{.length_most = 0};
    std::vector<ExpressionId> expressions;
    for (const PatternText& part : parts) {
        expressions.push_back(part.expression);
        out.length_least = std::min(out.length_least + part.length_least, length_limit);
        if (!part.length_most || !out.length_most) {
            out.length_most.reset();
        } else {
            *out.length_most += *part.length_most;
            if (*out.length_most > length_limit) out.length_most.reset();
        }
    }
    out.expression = rules.sequence(std::move(expressions));
    return out;
}

PatternText one_of(Rules& rules, const std::vector<PatternText>& parts) {
    PatternText out = parts[0];
    std::vector<ExpressionId> expressions;
    for (const PatternText& part : parts) {
        expressions.push_back(part.expression);
        out.length_least = std::min(out.length_least, part.length_least);
        if (!part.length_most) out.length_most.reset();
        if (out.length_most) out.length_most = std::max(*out.length_most, *part.length_most);
    }
    out.expression = rules.choice(std::move(expressions));
    return out;
}

PatternText repeated(Rules& rules, const PatternText& part, Repetition repetition) {
    PatternText out{.expression = rules.repeat(part.expression, repetition)};
    out.length_least = std::min(part.length_least * repetition.least, length_limit);
    if (part.length_most && repetition.most) {
        const uint64_t most = *part.length_most * *repetition.most;
        if (most <= length_limit) out.length_most = most;
    }
    return out;
}

class PatternParser {
  public:
    PatternParser(std::string_view pattern, Rules& rules, JsonText& json)
        : pattern_(pattern), rest_(pattern), rules_(rules), json_(json) {}

    Result<PatternText> parse() {
        std::vector<PatternText> ways;
        do {
            std::vector<PatternText> parts;
            if (!consume("^")) parts.push_back(anything());
            TT_TRY(auto body, sequence());
            parts.push_back(body);
            if (!consume("$")) parts.push_back(anything());
            ways.push_back(joined(rules_, parts));
        } while (consume("|"));
        if (!rest_.empty())
            return invalid(rest_[0] == ')' ? "an unmatched )"
                                           : "^ and $ may only stand at the ends");
        return one_of(rules_, ways);
    }

  private:
    bool consume(std::string_view expected) {
        if (!rest_.starts_with(expected)) return false;
        rest_.remove_prefix(expected.size());
        return true;
    }
    bool next_is_one_of(std::string_view characters) const {
        return !rest_.empty() && characters.find(rest_[0]) != characters.npos;
    }
    Error invalid(const std::string& what) const {
        return fail(
            ErrorCode::grammar_invalid,
            "pattern: byte " + std::to_string(pattern_.size() - rest_.size()) + ": " + what);
    }

    PatternText anything() { return {.expression = rules_.repeat(json_.character(), {0, {}})}; }
    PatternText one_character(const CodePointSet& set) {
        return {.expression = json_.character_of(set), .length_least = 1, .length_most = 1};
    }

    Result<PatternText> sequence() {
        std::vector<PatternText> parts;
        while (!rest_.empty() && !next_is_one_of("|)$^")) {
            TT_TRY(const auto part, atom());
            TT_TRY(const auto repetition, quantifier());
            parts.push_back(repetition ? repeated(rules_, part, *repetition) : part);
            if (next_is_one_of("*+?{")) return invalid("a repetition of a repetition");
        }
        return joined(rules_, parts);
    }

    Result<PatternText> atom() {
        if (consume("(")) return group();
        if (consume("[")) {
            TT_TRY(const auto set, bracket());
            return one_character(set);
        }
        if (consume(".")) return one_character(line_ends.inverted());
        if (next_is_one_of("*+?{}]")) return invalid("a character that needs a \\ before it");
        if (consume("\\")) {
            TT_TRY(const auto set, escape());
            return one_character(set);
        }
        const char32_t c = take_code_point(rest_);
        return one_character({{c, c}});
    }

    Result<PatternText> group() {
        if (rest_.starts_with("?") && !consume("?:"))
            return invalid("groups (?...) other than (?:...) are not supported");
        if (++depth_ > nesting_max) {
            return fail(ErrorCode::grammar_too_complex, "pattern: groups nested more than " +
                                                            std::to_string(nesting_max) + " deep");
        }
        std::vector<PatternText> ways;
        do {
            TT_TRY(const auto way, sequence());
            ways.push_back(way);
        } while (consume("|"));
        if (!consume(")")) return invalid("need ) here; ^ and $ may only stand at the ends");
        --depth_;
        return one_of(rules_, ways);
    }

    Result<std::optional<Repetition>> quantifier() {
        std::optional<Repetition> out;
        if (consume("*")) {
            out = Repetition{0, {}};
        } else if (consume("+")) {
            out = Repetition{1, {}};
        } else if (consume("?")) {
            out = Repetition{0, 1};
        } else if (consume("{")) {
            out = Repetition{};
            TT_TRY(out->least, number());
            out->most = out->least;
            if (consume(",")) {
                out->most.reset();
                if (!rest_.starts_with("}")) {
                    TT_TRY(out->most, number());
                }
            }
            if (!consume("}")) return invalid("need } after the counts");
            if (out->most && *out->most < out->least) return invalid("counts run backwards");
        }
        // A lazy repetition stands for the same strings.
        if (out) static_cast<void>(consume("?"));
        return out;
    }

    Result<uint32_t> number() {
        uint32_t value = 0;
        if (!next_is_one_of("0123456789")) return invalid("need a number");
        for (; next_is_one_of("0123456789"); rest_.remove_prefix(1)) {
            value = value * 10 + static_cast<uint32_t>(rest_[0] - '0');
            if (value > repetitions_max) {
                return fail(ErrorCode::grammar_too_complex, "pattern: a repetition may count to " +
                                                                std::to_string(repetitions_max));
            }
        }
        return value;
    }

    Result<CodePointSet> bracket() {
        std::vector<CodePointRange> ranges;
        const bool is_negated = consume("^");
        bool holds_class = false;
        while (!consume("]")) {
            TT_TRY(const auto first, bracket_item(holds_class));
            const bool is_range = rest_.starts_with("-") && !rest_.starts_with("-]");
            if (!is_range) {
                ranges.insert(ranges.end(), first.ranges().begin(), first.ranges().end());
                continue;
            }
            consume("-");
            TT_TRY(const auto last, bracket_item(holds_class));
            if (!is_single(first) || !is_single(last)) return invalid("a range between classes");
            const CodePointRange range{first.ranges()[0].first, last.ranges()[0].first};
            if (range.first > range.last) return invalid("a range runs backwards");
            ranges.push_back(range);
        }
        CodePointSet out(std::move(ranges));
        if (!is_negated) return out;
        return holds_class ? out.inverted().intersected(agreed) : out.inverted();
    }

    static bool is_single(const CodePointSet& set) {
        return set.ranges().size() == 1 && set.ranges()[0].first == set.ranges()[0].last;
    }

    Result<CodePointSet> bracket_item(bool& holds_class) {
        if (rest_.empty()) return invalid("need ] at the end of a set");
        if (consume("\\")) {
            if (next_is_one_of("dDwWsS")) holds_class = true;
            if (consume("b")) return CodePointSet{{'\b', '\b'}};
            return escape();
        }
        const char32_t c = take_code_point(rest_);
        return CodePointSet{{c, c}};
    }

    Result<CodePointSet> escape() {
        if (rest_.empty()) return invalid("a \\ at the end");
        const char32_t kind = take_code_point(rest_);
        const auto single = [](char32_t c) { return CodePointSet{{c, c}}; };
        switch (kind) {
            case 'd':
                return digit_set;
            case 'w':
                return word_set;
            case 's':
                return space_set;
            case 'D':
                return digit_set.inverted().intersected(agreed);
            case 'W':
                return word_set.inverted().intersected(agreed);
            case 'S':
                return space_set.inverted().intersected(agreed);
            case 'n':
                return single('\n');
            case 'r':
                return single('\r');
            case 't':
                return single('\t');
            case 'f':
                return single('\f');
            case 'v':
                return single('\v');
            case '0':
                if (next_is_one_of("0123456789")) return invalid("an octal escape");
                return single(0);
            case 'x':
                return hexadecimal(2);
            case 'u':
                return hexadecimal(4);
            default:
                break;
        }
        if (word_set.contains(kind)) {
            const auto shown = static_cast<char>(kind);
            return invalid("the escape \\" + std::string(1, shown) + " is not supported");
        }
        return single(kind);
    }

    Result<CodePointSet> hexadecimal(size_t digit_count) {
        const auto digits = rest_.substr(0, digit_count);
        const auto bytes = from_hex(digits);
        if (digits.size() != digit_count || !bytes || digits.starts_with("0x"))
            return invalid("need " + std::to_string(digit_count) + " hexadecimal digits");
        char32_t value = 0;
        for (const uint8_t byte : *bytes) value = value << 8 | byte;
        if (!is_scalar(value)) return invalid("an escape names no character");
        rest_.remove_prefix(digit_count);
        return CodePointSet{{value, value}};
    }

    std::string_view pattern_;
    std::string_view rest_;
    Rules& rules_;
    JsonText& json_;
    size_t depth_ = 0;
};

}  // namespace

Result<PatternText> parse_pattern(std::string_view pattern, Rules& rules, JsonText& json) {
    return PatternParser(pattern, rules, json).parse();
}

}  // namespace teetee::grammar
