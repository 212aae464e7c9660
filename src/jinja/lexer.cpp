// SPDX-License-Identifier: Apache-2.0
#include "jinja/lexer.hpp"

#include <charconv>

#include "base/bytes.hpp"
#include "jinja/limits.hpp"
#include "jinja/unicode.hpp"

namespace teetee::jinja {
namespace {

bool is_name_byte(char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           static_cast<uint8_t>(c) >= 0x80;
}

bool is_decimal(char c) {
    return c >= '0' && c <= '9';
}

/// "\r\n" and "\r" become "\n"; one newline at the end goes.
std::string normalised(std::string_view source) {
    std::string out;
    out.reserve(source.size());
    for (size_t i = 0; i < source.size(); ++i) {
        if (source[i] != '\r') {
            out.push_back(source[i]);
        } else if (i + 1 == source.size() || source[i + 1] != '\n') {
            out.push_back('\n');
        }
    }
    if (out.ends_with('\n')) out.pop_back();
    return out;
}

class Lexer {
  public:
    explicit Lexer(std::string source) : source_(std::move(source)), rest_(source_) {}

    Result<std::vector<Token>> run();

  private:
    enum class Tag { output, block, comment };

    Result<void> tag(Tag kind);
    Result<void> comment();
    Result<bool> raw_block();
    Result<void> code(Tag kind);
    bool close_tag(Tag kind);
    Result<void> token();
    Result<void> string();
    Result<void> escape(std::string& out, std::string_view body, size_t& at) const;
    Result<void> number();
    Result<void> radix_number(int base);
    Result<void> punctuation();

    void data_before(size_t begin, char sign, bool strips_line);
    void emit(TokenKind kind, std::string text = {});
    Error malformed(const std::string& what) const;
    /// Consumes bytes and counts their lines.
    void advance(size_t bytes);
    void skip_space() { advance(leading_space_end(rest_)); }
    /// After a tag: "-" takes all white space, else trim_blocks takes one newline.
    void trim_after(char sign, bool trims_newline);

    std::string source_;
    std::string_view rest_;
    std::vector<Token> tokens_;
    std::string brackets_;
    uint32_t line_ = 1;
    bool begins_line_ = true;
};

Error Lexer::malformed(const std::string& what) const {
    return fail(ErrorCode::template_malformed, "line " + std::to_string(line_) + ": " + what);
}

void Lexer::advance(size_t bytes) {
    for (const char c : rest_.substr(0, bytes)) line_ += c == '\n' ? 1 : 0;
    if (bytes > 0) begins_line_ = rest_[bytes - 1] == '\n';
    rest_.remove_prefix(bytes);
}

void Lexer::emit(TokenKind kind, std::string text) {
    tokens_.push_back({kind, std::move(text), 0, 0, line_});
}

// The text up to the tag at `begin`, with the white space gone that the tag strips before itself.
void Lexer::data_before(size_t begin, char sign, bool strips_line) {
    std::string_view text = rest_.substr(0, begin);
    if (sign == '-') {
        text = text.substr(0, trailing_space_begin(text));
    } else if (sign != '+' && strips_line) {
        const size_t newline = text.rfind('\n');
        const size_t line_begin = newline == text.npos ? 0 : newline + 1;
        const bool is_whole_line = newline != text.npos || begins_line_;
        if (is_whole_line && trailing_space_begin(text) <= line_begin) {
            text = text.substr(0, line_begin);
        }
    }
    if (!text.empty()) emit(TokenKind::data, std::string(text));
    advance(begin);
}

void Lexer::trim_after(char sign, bool trims_newline) {
    if (sign == '-') {
        skip_space();
    } else if (trims_newline && sign != '+' && rest_.starts_with('\n')) {
        advance(1);
    }
}

Result<std::vector<Token>> Lexer::run() {
    while (true) {
        size_t begin = 0;
        while (true) {
            begin = rest_.find('{', begin);
            if (begin == rest_.npos || begin + 1 == rest_.size()) begin = rest_.npos;
            if (begin == rest_.npos || rest_[begin + 1] == '{' || rest_[begin + 1] == '%' ||
                rest_[begin + 1] == '#') {
                break;
            }
            ++begin;
        }
        if (begin == rest_.npos) break;
        const char mark = rest_[begin + 1];
        const Tag kind = mark == '{' ? Tag::output : mark == '%' ? Tag::block : Tag::comment;
        const char after = begin + 2 < rest_.size() ? rest_[begin + 2] : '\0';
        const char sign = after == '-' || after == '+' ? after : '\0';
        // Jinja strips no line before {{, and reads "{{+" as an output of +x.
        data_before(begin, kind == Tag::output && sign == '+' ? '\0' : sign, kind != Tag::output);
        const bool takes_sign = sign == '-' || (sign == '+' && kind != Tag::output);
        advance(takes_sign ? 3 : 2);
        TT_CHECK(tag(kind));
    }
    if (!rest_.empty()) emit(TokenKind::data, std::string(rest_));
    emit(TokenKind::end);
    return std::move(tokens_);
}

Result<void> Lexer::tag(Tag kind) {
    if (kind == Tag::comment) return comment();
    if (kind == Tag::block) {
        TT_TRY(const bool was_raw, raw_block());
        if (was_raw) return {};
    }
    return code(kind);
}

Result<void> Lexer::comment() {
    const size_t end = rest_.find("#}");
    if (end == rest_.npos) return malformed("a comment has no end");
    const char sign =
        end > 0 && (rest_[end - 1] == '-' || rest_[end - 1] == '+') ? rest_[end - 1] : '\0';
    advance(end + 2);
    trim_after(sign, true);
    return {};
}

// Behind "{%": consumes "raw %}...{% endraw %}" as data, or nothing at all.
Result<bool> Lexer::raw_block() {
    std::string_view text = rest_;
    const auto word = [&text](std::string_view expected) {
        text.remove_prefix(leading_space_end(text));
        if (!text.starts_with(expected)) return false;
        text.remove_prefix(expected.size());
        text.remove_prefix(leading_space_end(text));
        return true;
    };
    if (!word("raw")) return false;
    const bool strips = text.starts_with('-');
    if (strips) text.remove_prefix(1);
    if (!text.starts_with("%}")) return false;
    advance(rest_.size() - text.size() + 2);
    trim_after(strips ? '-' : '\0', false);
    for (size_t begin = rest_.find("{%"); begin != rest_.npos;
         begin = rest_.find("{%", begin + 2)) {
        text = rest_.substr(begin + 2);
        const char begin_sign = text.empty() ? '\0' : text[0];
        const bool has_sign = begin_sign == '-' || begin_sign == '+';
        if (has_sign) text.remove_prefix(1);
        if (!word("endraw")) continue;
        const char end_sign = text.starts_with('-') || text.starts_with('+') ? text[0] : '\0';
        if (end_sign != '\0') text.remove_prefix(1);
        if (!text.starts_with("%}")) continue;
        const size_t after = rest_.size() - text.size() + 2;
        data_before(begin, has_sign ? begin_sign : '\0', true);
        advance(after - begin);
        trim_after(end_sign, true);
        return true;
    }
    return malformed("a raw block has no {% endraw %}");
}

Result<void> Lexer::code(Tag kind) {
    emit(kind == Tag::output ? TokenKind::output_begin : TokenKind::block_begin);
    while (true) {
        skip_space();
        if (rest_.empty()) return malformed("a tag has no end");
        if (brackets_.empty() && close_tag(kind)) return {};
        TT_CHECK(token());
    }
}

bool Lexer::close_tag(Tag kind) {
    const std::string_view close = kind == Tag::output ? "}}" : "%}";
    char sign = '\0';
    if (!rest_.starts_with(close)) {
        if (rest_[0] != '-' && (rest_[0] != '+' || kind == Tag::output)) return false;
        if (!rest_.substr(1).starts_with(close)) return false;
        sign = rest_[0];
    }
    emit(kind == Tag::output ? TokenKind::output_end : TokenKind::block_end);
    advance(sign == '\0' ? 2 : 3);
    trim_after(sign, kind == Tag::block);
    return true;
}

Result<void> Lexer::token() {
    const char c = rest_[0];
    if (c == '\'' || c == '"') return string();
    if (is_decimal(c)) return number();
    if (!is_name_byte(c)) return punctuation();
    size_t end = 1;
    while (end < rest_.size() && is_name_byte(rest_[end])) ++end;
    emit(TokenKind::name, std::string(rest_.substr(0, end)));
    advance(end);
    return {};
}

Result<void> Lexer::string() {
    const char quote = rest_[0];
    std::string out;
    for (size_t at = 1; at < rest_.size();) {
        if (rest_[at] == quote) {
            emit(TokenKind::string, std::move(out));
            advance(at + 1);
            return {};
        }
        if (rest_[at] == '\\') {
            TT_CHECK(escape(out, rest_, at));
        } else {
            out.push_back(rest_[at++]);
        }
    }
    return malformed("a string has no end");
}

// Python's escapes; an unknown one stays as it is.
Result<void> Lexer::escape(std::string& out, std::string_view body, size_t& at) const {
    if (at + 1 >= body.size()) return malformed("a string has no end");
    const char c = body[at + 1];
    static constexpr std::string_view letters = "abfnrtv\\'\"";
    static constexpr std::string_view meanings = "\a\b\f\n\r\t\v\\'\"";
    const size_t plain = letters.find(c);
    const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (plain != letters.npos) {
        out.push_back(meanings[plain]);
        at += 2;
    } else if (c == '\n') {
        at += 2;
    } else if (digits > 0 || (c >= '0' && c <= '7')) {
        const size_t begin = digits > 0 ? at + 2 : at + 1;
        size_t end = begin;
        if (digits > 0) {
            end = begin + digits;
        } else {
            while (end < begin + 3 && end < body.size() && body[end] >= '0' && body[end] <= '7')
                ++end;
        }
        uint32_t point = 0;
        if (end > body.size()) return malformed("a string has no end");
        const auto [stop, failed] =
            std::from_chars(body.data() + begin, body.data() + end, point, digits > 0 ? 16 : 8);
        if (failed != std::errc() || stop != body.data() + end || point > 0x10ffff ||
            (point >= 0xd800 && point < 0xe000)) {
            return malformed("a string has a bad escape");
        }
        append_point(out, point);
        at = end;
    } else if (c == 'N') {
        return malformed("\\N{...} is not supported");
    } else {
        out.push_back('\\');
        ++at;
    }
    return {};
}

Result<void> Lexer::radix_number(int base) {
    std::string digits;
    size_t end = 2;
    for (; end < rest_.size() && is_name_byte(rest_[end]); ++end) {
        if (rest_[end] != '_') digits.push_back(rest_[end]);
    }
    emit(TokenKind::integer);
    const auto [stop, failed] =
        std::from_chars(digits.data(), digits.data() + digits.size(), tokens_.back().integer, base);
    if (digits.empty() || failed != std::errc() || stop != digits.data() + digits.size())
        return malformed("a number is malformed or out of range");
    advance(end);
    return {};
}

Result<void> Lexer::number() {
    const char second = rest_.size() > 1 ? static_cast<char>(rest_[1] | 0x20) : '\0';
    if (rest_[0] == '0' && (second == 'x' || second == 'o' || second == 'b'))
        return radix_number(second == 'x' ? 16 : second == 'o' ? 8 : 2);
    std::string digits;
    size_t end = 0;
    const auto take_digits = [&] {
        while (end < rest_.size() && (is_decimal(rest_[end]) || rest_[end] == '_')) {
            if (rest_[end] != '_') digits.push_back(rest_[end]);
            ++end;
        }
    };
    const auto digit_at = [&](size_t at) { return at < rest_.size() && is_decimal(rest_[at]); };
    take_digits();
    // In "a.0.1" the digits are two subscripts.
    const bool after_dot = !tokens_.empty() && tokens_.back().kind == TokenKind::punctuation &&
                           tokens_.back().text == ".";
    bool is_float = false;
    if (!after_dot && end < rest_.size() && rest_[end] == '.' && digit_at(end + 1)) {
        is_float = true;
        digits.push_back(rest_[end++]);
        take_digits();
    }
    if (!after_dot && end < rest_.size() && (rest_[end] | 0x20) == 'e') {
        const size_t sign =
            end + 1 < rest_.size() && (rest_[end + 1] == '+' || rest_[end + 1] == '-') ? 1 : 0;
        if (digit_at(end + 1 + sign)) {
            is_float = true;
            digits.push_back('e');
            if (sign == 1) digits.push_back(rest_[end + 1]);
            end += 1 + sign;
            take_digits();
        }
    }
    emit(is_float ? TokenKind::floating : TokenKind::integer, digits);
    const char* last = digits.data() + digits.size();
    const auto outcome = is_float ? std::from_chars(digits.data(), last, tokens_.back().floating)
                                  : std::from_chars(digits.data(), last, tokens_.back().integer);
    if (outcome.ec != std::errc()) return malformed("a number is out of range");
    advance(end);
    return {};
}

Result<void> Lexer::punctuation() {
    static constexpr std::string_view pairs[] = {"//", "**", "==", "!=", ">=", "<="};
    size_t bytes = 0;
    for (const auto pair : pairs) {
        if (rest_.starts_with(pair)) bytes = 2;
    }
    if (bytes == 0) {
        if (std::string_view("+-/*%~[](){}<>=.:|,;").find(rest_[0]) == std::string_view::npos)
            return malformed("unexpected character " + quote_foreign(rest_.substr(0, 1)));
        bytes = 1;
    }
    const char c = rest_[0];
    if (c == '(' || c == '[' || c == '{')
        brackets_.push_back(c == '(' ? ')' : c == '[' ? ']' : '}');
    if (c == ')' || c == ']' || c == '}') {
        if (brackets_.empty() || brackets_.back() != c)
            return malformed("unexpected '" + std::string(1, c) + "'");
        brackets_.pop_back();
    }
    emit(TokenKind::punctuation, std::string(rest_.substr(0, bytes)));
    advance(bytes);
    return {};
}

}  // namespace

Result<std::vector<Token>> tokenize(std::string_view source) {
    if (source.size() > source_bytes_max) {
        return fail(ErrorCode::limit_exceeded, "template: have " + std::to_string(source.size()) +
                                                   " bytes, need at most " +
                                                   std::to_string(source_bytes_max));
    }
    if (!is_utf8(source)) return fail(ErrorCode::invalid_utf8, "template: not UTF-8");
    return Lexer(normalised(source)).run();
}

}  // namespace teetee::jinja
