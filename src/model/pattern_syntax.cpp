// SPDX-License-Identifier: Apache-2.0
#include "model/pattern_syntax.hpp"

#include <algorithm>
#include <array>

#include "model/tokenizer_limits.hpp"

namespace teetee::model {
namespace {

bool is_hex_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_letter_or_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

class Translator {
  public:
    explicit Translator(std::string_view rest) : rest_(rest) {}

    Result<std::string> translate() {
        while (!rest_.empty()) {
            switch (rest_[0]) {
                case '\\':
                    TT_CHECK(escape(Place::outside));
                    break;
                case '[':
                    TT_CHECK(character_class());
                    break;
                case '(':
                    TT_CHECK(group());
                    break;
                case '^':
                case '$':  // of every line
                    out_ += std::string("(?m:") + rest_[0] + ")";
                    rest_.remove_prefix(1);
                    break;
                case '{':
                    repeat();
                    break;
                case '}':
                    if (rest_.starts_with("}+")) return unknown("}+");
                    copy(1);
                    break;
                default:
                    copy(1);
            }
        }
        return std::move(out_);
    }

  private:
    enum class Place { outside, in_class };

    static Error unknown(std::string_view what) {
        return fail(ErrorCode::tokenizer_unsupported,
                    "regular expression: " + quote_foreign(what) + " is not known");
    }

    void copy(size_t bytes) {
        out_ += rest_.substr(0, bytes);
        rest_.remove_prefix(std::min(bytes, rest_.size()));
    }

    void replace(size_t bytes, std::string_view by) {
        out_ += by;
        rest_.remove_prefix(bytes);
    }

    Result<void> escape(Place place) {
        if (rest_.size() < 2) return unknown("\\ at the end");
        const char c = rest_[1];
        if (c == 'p' || c == 'P') return property();
        if (c == 'x' || c == 'u') return code_point(c);
        if (c == 'v') {
            replace(2, R"(\x0b)");
        } else if (c == 'h') {
            replace(2, place == Place::outside ? "[0-9a-fA-F]" : "0-9a-fA-F");
        } else if (place == Place::outside && std::string_view("bBAzZ").find(c) != npos) {
            copy(2);
        } else if (!is_letter_or_digit(c) || std::string_view("sSdDwWnrtf").find(c) != npos) {
            copy(2);
        } else {
            return unknown(rest_.substr(0, 2));
        }
        return {};
    }

    // \p{Name}, \p{^Name}
    Result<void> property() {
        const size_t end = rest_.find('}');
        if (rest_.size() < 3 || rest_[2] != '{' || end == npos) return unknown(rest_.substr(0, 3));
        const std::string_view name = rest_.substr(3, end - 3);
        if (!std::all_of(name.begin(), name.end(),
                         [](char c) { return is_letter_or_digit(c) || c == '_' || c == '^'; })) {
            return unknown(rest_.substr(0, end + 1));
        }
        copy(end + 1);
        return {};
    }

    // \xH, \xHH, \x{H...}, \uHHHH
    Result<void> code_point(char kind) {
        const bool braced = kind == 'x' && rest_.size() > 2 && rest_[2] == '{';
        size_t end = braced ? 3 : 2;
        const size_t begin = end;
        const size_t digits_max = braced ? 8 : kind == 'x' ? 2 : 4;
        while (end < rest_.size() && end - begin < digits_max && is_hex_digit(rest_[end])) ++end;
        const bool complete = end > begin && (kind == 'x' || end - begin == 4) &&
                              (!braced || (end < rest_.size() && rest_[end] == '}'));
        if (!complete) return unknown(rest_.substr(0, 2));
        const std::string digits(rest_.substr(begin, end - begin));
        replace(end + (braced ? 1 : 0), R"(\x{)" + digits + "}");
        return {};
    }

    // A class inside of a class adds its members; it is spelled without its brackets.
    Result<void> character_class() {
        size_t depth = 0;
        do {
            if (rest_.empty()) return unknown("[ without ]");
            const char c = rest_[0];
            if (c == '\\') {
                TT_CHECK(escape(Place::in_class));
            } else if (rest_.starts_with("[:")) {
                const size_t end = rest_.find(":]");
                if (end == npos) return unknown("[: without :]");
                copy(end + 2);
            } else if (c == '[') {
                if (depth > 0 && rest_.starts_with("[^")) return unknown("[^ inside of [");
                open_class(depth++ == 0);
            } else if (c == ']') {
                --depth;
                replace(1, depth == 0 ? "]" : "");
            } else if (rest_.starts_with("&&")) {
                return unknown("&&");
            } else {
                copy(1);
            }
        } while (depth > 0);
        return {};
    }

    void open_class(bool outermost) {
        if (!outermost) return rest_.remove_prefix(1);
        copy(rest_.starts_with("[^") ? 2 : 1);
        if (rest_.starts_with(']')) replace(1, R"(\])");
    }

    Result<void> group() {
        static constexpr std::array<std::string_view, 10> known = {
            "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?-i:", "(?i)", "(?-i)"};
        for (const std::string_view opening : known) {
            if (!rest_.starts_with(opening)) continue;
            copy(opening.size());
            return {};
        }
        if (rest_.starts_with("(?") || rest_.starts_with("(*")) return unknown(rest_.substr(0, 4));
        replace(1, "(?:");
        return {};
    }

    void repeat() {
        if (rest_.starts_with("{,")) return replace(2, "{0,");
        copy(1);
    }

    static constexpr size_t npos = std::string_view::npos;
    std::string_view rest_;
    std::string out_;
};

}  // namespace

Result<std::string> pcre2_from_oniguruma(std::string_view pattern) {
    if (pattern.size() > pattern_bytes_max) {
        return fail(ErrorCode::limit_exceeded,
                    "regular expression: have " + std::to_string(pattern.size()) +
                        " bytes, need at most " + std::to_string(pattern_bytes_max));
    }
    return Translator(pattern).translate();
}

std::string with_unicode_spaces(std::string_view pattern) {
    std::string out;
    for (size_t i = 0; i < pattern.size(); ++i) {
        const bool escape = pattern[i] == '\\' && i + 1 < pattern.size();
        if (escape && (pattern[i + 1] == 's' || pattern[i + 1] == 'S')) {
            out += pattern[i + 1] == 's' ? R"(\p{WSpace})" : R"(\P{WSpace})";
            ++i;
        } else {
            out += pattern[i];
            if (escape) out += pattern[++i];
        }
    }
    return out;
}

}  // namespace teetee::model
