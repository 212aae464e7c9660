// SPDX-License-Identifier: Apache-2.0
#include "grammar/gbnf.hpp"

#include <algorithm>
#include <map>

#include "base/bytes.hpp"
#include "grammar/limits.hpp"

namespace teetee::grammar {
namespace {

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

class GbnfParser {
  public:
    explicit GbnfParser(std::string_view source) : source_(source) {}

    Result<Grammar> parse() {
        skip_lines();
        while (!at_end()) {
            TT_CHECK(rule());
            skip_lines();
        }
        const auto root = names_.find("root");
        if (root == names_.end()) return invalid("need a rule named root");
        return Grammar::build(rules_, root->second);
    }

  private:
    bool at_end() const { return position_ >= source_.size(); }
    char peek() const { return at_end() ? '\0' : source_[position_]; }
    bool consume(std::string_view expected) {
        if (!source_.substr(position_).starts_with(expected)) return false;
        position_ += expected.size();
        return true;
    }

    Error invalid(const std::string& what) const {
        const auto line = 1 + std::ranges::count(source_.substr(0, position_), '\n');
        return fail(ErrorCode::grammar_invalid,
                    "grammar: line " + std::to_string(line) + ": " + what);
    }

    /// White space and comments, up to the end of the line.
    void skip_space() {
        while (!at_end()) {
            if (peek() == '#') {
                position_ = std::min(source_.find_first_of("\r\n", position_), source_.size());
            } else if (peek() == ' ' || peek() == '\t') {
                ++position_;
            } else {
                return;
            }
        }
    }
    void skip_lines() {
        skip_space();
        while (peek() == '\n' || peek() == '\r') {
            ++position_;
            skip_space();
        }
    }
    // Inside parentheses a rule goes on in the next line.
    void skip_between() { depth_ > 0 ? skip_lines() : skip_space(); }

    Result<std::string> name() {
        const size_t begin = position_;
        while (is_name_character(peek())) ++position_;
        if (position_ == begin) return invalid("need a rule's name");
        return std::string(source_.substr(begin, position_ - begin));
    }

    RuleId rule_named(const std::string& name) {
        const auto [found, is_new] = names_.try_emplace(name, 0);
        if (is_new) found->second = rules_.declare(name);
        return found->second;
    }

    Result<void> rule() {
        TT_TRY(const std::string left, name());
        skip_space();
        if (!consume("::=")) return invalid("need ::= after the rule's name");
        skip_lines();
        const RuleId id = rule_named(left);
        if (rules_.is_full()) return {};  // Grammar::build says so
        if (rules_.rules()[id].expression)
            return invalid("rule " + quote_foreign(left) + " is defined twice");
        TT_TRY(const ExpressionId body, alternatives());
        rules_.define(id, body);
        if (!at_end() && peek() != '\n' && peek() != '\r')
            return invalid("need the end of the line after a rule");
        return {};
    }

    Result<ExpressionId> alternatives() {
        std::vector<ExpressionId> parts;
        do {
            if (!parts.empty()) skip_lines();  // after '|'
            TT_TRY(const ExpressionId part, sequence());
            parts.push_back(part);
        } while (consume("|"));
        return rules_.choice(std::move(parts));
    }

    Result<ExpressionId> sequence() {
        std::vector<ExpressionId> parts;
        for (skip_between(); !at_end(); skip_between()) {
            const char c = peek();
            if (c == '|' || c == ')' || c == '\n' || c == '\r') break;
            TT_TRY(ExpressionId part, item());
            TT_TRY(part, repetitions(part));
            parts.push_back(part);
        }
        return rules_.sequence(std::move(parts));
    }

    Result<ExpressionId> item() {
        if (consume("\"")) return text();
        if (consume("[")) return set();
        if (consume(".")) return rules_.characters(CodePointSet::all());
        if (consume("(")) return group();
        if (peek() == '<' || peek() == '!')
            return invalid("tokens (<...>, !<...>) are not supported; write their text");
        if (!is_name_character(peek()))
            return invalid("need a text, a set, a group or a rule's name");
        TT_TRY(const std::string called, name());
        return rules_.call(rule_named(called));
    }

    Result<ExpressionId> group() {
        if (++depth_ > nesting_max) {
            return fail(ErrorCode::grammar_too_complex, "grammar: groups nested more than " +
                                                            std::to_string(nesting_max) + " deep");
        }
        TT_TRY(const ExpressionId inner, alternatives());
        if (!consume(")")) return invalid("need ) at the end of a group");
        --depth_;
        return inner;
    }

    /// Bounds how deep the parts of one expression may lie in each other, as `(` does.
    Result<ExpressionId> repetitions(ExpressionId part) {
        for (size_t count = 0;; ++count) {
            skip_between();
            std::optional<Repetition> repetition;
            if (consume("*")) {
                repetition = Repetition{0, {}};
            } else if (consume("+")) {
                repetition = Repetition{1, {}};
            } else if (consume("?")) {
                repetition = Repetition{0, 1};
            } else if (consume("{")) {
                TT_TRY(repetition, counts());
            }
            if (!repetition) return part;
            if (count == 8) return invalid("too many repetitions of one item");
            part = rules_.repeat(part, *repetition);
        }
    }

    Result<Repetition> counts() {
        Repetition out;
        skip_space();
        TT_TRY(out.least, number());
        out.most = out.least;
        skip_space();
        if (consume(",")) {
            out.most.reset();
            skip_space();
            if (peek() != '}') {
                TT_TRY(out.most, number());
            }
            skip_space();
        }
        if (!consume("}")) return invalid("need } after the counts of a repetition");
        if (out.most && *out.most < out.least)
            return invalid("a repetition's upper count is below the lower one");
        return out;
    }

    Result<uint32_t> number() {
        uint32_t value = 0;
        const size_t begin = position_;
        for (; peek() >= '0' && peek() <= '9'; ++position_) {
            value = value * 10 + static_cast<uint32_t>(peek() - '0');
            if (value > repetitions_max) {
                return fail(ErrorCode::grammar_too_complex, "grammar: a repetition may count to " +
                                                                std::to_string(repetitions_max));
            }
        }
        if (position_ == begin) return invalid("need a number");
        return value;
    }

    Result<ExpressionId> text() {
        std::string out;
        while (!consume("\"")) {
            TT_TRY(const char32_t c, character());
            out += to_utf8(c);
        }
        return rules_.text(std::move(out));
    }

    Result<ExpressionId> set() {
        std::vector<CodePointRange> ranges;
        const bool is_negated = consume("^");
        while (!consume("]")) {
            TT_TRY(const char32_t first, character());
            char32_t last = first;
            if (peek() == '-' && !source_.substr(position_ + 1).starts_with(']')) {
                ++position_;
                TT_TRY(last, character());
                if (last < first) return invalid("a range runs backwards");
            }
            ranges.push_back({first, last});
        }
        CodePointSet out(std::move(ranges));
        return rules_.characters(is_negated ? out.inverted() : std::move(out));
    }

    /// One of a text or set, escapes resolved.
    Result<char32_t> character() {
        if (at_end() || peek() == '\n' || peek() == '\r')
            return invalid("a text or set is not closed on its line");
        if (!consume("\\")) {
            std::string_view rest = source_.substr(position_);
            const char32_t c = take_code_point(rest);
            position_ = source_.size() - rest.size();
            return c;
        }
        const char kind = peek();
        ++position_;
        switch (kind) {
            case 'x':
                return hexadecimal(2);
            case 'u':
                return hexadecimal(4);
            case 'U':
                return hexadecimal(8);
            case 't':
                return U'\t';
            case 'r':
                return U'\r';
            case 'n':
                return U'\n';
            case '\\':
            case '"':
            case '[':
            case ']':
            case '-':
            case '^':
                return static_cast<char32_t>(kind);
            default:
                return invalid("unknown escape \\" + quote_foreign({&kind, 1}));
        }
    }

    Result<char32_t> hexadecimal(size_t digit_count) {
        char32_t value = 0;
        for (size_t i = 0; i < digit_count; ++i, ++position_) {
            const char c = peek();
            const char lower = static_cast<char>(c | 0x20);
            if (c >= '0' && c <= '9') {
                value = value << 4 | static_cast<char32_t>(c - '0');
            } else if (lower >= 'a' && lower <= 'f') {
                value = value << 4 | static_cast<char32_t>(lower - 'a' + 10);
            } else {
                return invalid("need " + std::to_string(digit_count) + " hexadecimal digits");
            }
        }
        if (!is_scalar(value)) return invalid("an escape names no Unicode character");
        return value;
    }

    std::string_view source_;
    size_t position_ = 0;
    size_t depth_ = 0;
    Rules rules_;
    std::map<std::string, RuleId> names_;
};

}  // namespace

Result<Grammar> parse_gbnf(std::string_view source) {
    if (source.size() > source_bytes_max) {
        return fail(ErrorCode::grammar_too_complex,
                    "grammar: have " + std::to_string(source.size()) + " bytes, need at most " +
                        std::to_string(source_bytes_max));
    }
    if (!is_utf8(source)) return fail(ErrorCode::grammar_invalid, "grammar: not UTF-8");
    return GbnfParser(source).parse();
}

}  // namespace teetee::grammar
