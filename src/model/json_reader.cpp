// SPDX-License-Identifier: Apache-2.0
#include "model/json_reader.hpp"

#include <charconv>
#include <set>
#include <utility>

#include "base/bytes.hpp"

namespace teetee::model {
namespace {

constexpr uint64_t integer_max = (uint64_t{1} << 53) - 1;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

void append_utf8(std::string& out, uint32_t point) {
    const auto continuation = [&](int shift) {
        out.push_back(static_cast<char>(0x80 | (point >> shift & 0x3f)));
    };
    if (point < 0x80) {
        out.push_back(static_cast<char>(point));
    } else if (point < 0x800) {
        out.push_back(static_cast<char>(0xc0 | point >> 6));
        continuation(0);
    } else if (point < 0x10000) {
        out.push_back(static_cast<char>(0xe0 | point >> 12));
        continuation(6);
        continuation(0);
    } else {
        out.push_back(static_cast<char>(0xf0 | point >> 18));
        continuation(12);
        continuation(6);
        continuation(0);
    }
}

}  // namespace

Error JsonReader::expected(std::string_view what) const {
    return fail(ErrorCode::invalid_json,
                "at byte " + std::to_string(position_) + ": need " + std::string(what));
}

void JsonReader::skip_space() {
    while (position_ < text_.size() &&
           std::string_view(" \t\n\r").find(text_[position_]) != std::string_view::npos) {
        ++position_;
    }
}

bool JsonReader::consume(char expected_char) {
    if (position_ == text_.size() || text_[position_] != expected_char) return false;
    ++position_;
    return true;
}

Result<void> JsonReader::items(char close, const std::function<Result<void>()>& on_item) {
    skip_space();
    if (consume(close)) return {};
    for (;;) {
        TT_CHECK(on_item());
        skip_space();
        if (consume(close)) return {};
        if (!consume(',')) return expected("a comma or the end of the object or array");
    }
}

Result<void> JsonReader::object(
    const std::function<Result<void>(const std::string& key)>& on_member) {
    skip_space();
    if (!consume('{')) return expected("an object");
    std::set<std::string> keys;
    return items('}', [&]() -> Result<void> {
        TT_TRY(std::string key, string());
        const auto [at, is_new] = keys.insert(std::move(key));
        if (!is_new) {
            return fail(ErrorCode::invalid_json, quote_foreign(*at) + ": key occurs twice");
        }
        skip_space();
        if (!consume(':')) return expected("a colon");
        return on_member(*at);
    });
}

Result<void> JsonReader::array(const std::function<Result<void>()>& on_element) {
    skip_space();
    if (!consume('[')) return expected("an array");
    return items(']', on_element);
}

Result<std::string> JsonReader::string() {
    skip_space();
    if (!consume('"')) return expected("a string");
    std::string out;
    while (!consume('"')) {
        if (position_ == text_.size()) return expected("the end of the string");
        if (consume('\\')) {
            TT_CHECK(escape(out));
            continue;
        }
        const char c = text_[position_];
        if (static_cast<uint8_t>(c) < 0x20) return expected("control characters escaped");
        out.push_back(c);
        ++position_;
    }
    if (!is_utf8(out)) return expected("UTF-8 in the string that ends here");
    return out;
}

Result<void> JsonReader::escape(std::string& out) {
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    if (!consume('u')) {
        const size_t at =
            position_ == text_.size() ? std::string_view::npos : letters.find(text_[position_]);
        if (at == std::string_view::npos) return expected("a known escape");
        out.push_back(meanings[at]);
        ++position_;
        return {};
    }
    TT_TRY(uint32_t point, hex_escape());
    // Beyond U+FFFF JSON writes two surrogates; either of them alone is no character.
    if (point >= 0xd800 && point <= 0xdbff) {
        if (!consume('\\') || !consume('u')) return expected("the second surrogate");
        TT_TRY(const uint32_t low, hex_escape());
        if (low < 0xdc00 || low > 0xdfff) return expected("a second surrogate before this");
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    } else if (point >= 0xdc00 && point <= 0xdfff) {
        return expected("no lone surrogate before this");
    }
    append_utf8(out, point);
    return {};
}

Result<uint32_t> JsonReader::hex_escape() {
    const std::string_view digits = text_.substr(position_, 4);
    uint32_t value = 0;
    const auto [end, failure] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 4 || failure != std::errc() || end != digits.data() + 4) {
        return expected("four hex digits");
    }
    position_ += 4;
    return value;
}

Result<uint64_t> JsonReader::integer() {
    skip_space();
    const size_t begin = position_;
    uint64_t value = 0;
    for (; position_ < text_.size() && is_digit(text_[position_]); ++position_) {
        value = 10 * value + static_cast<uint64_t>(text_[position_] - '0');
        if (value > integer_max) return expected("a number up to 2^53 - 1");
    }
    if (position_ == begin) return expected("a whole number");
    const bool leading_zero = text_[begin] == '0' && position_ > begin + 1;
    const bool fraction = position_ < text_.size() &&
                          std::string_view(".eE").find(text_[position_]) != std::string_view::npos;
    if (leading_zero || fraction) return expected("a whole number");
    return value;
}

Result<double> JsonReader::number() {
    skip_space();
    const size_t begin = position_;
    while (position_ < text_.size() &&
           (is_digit(text_[position_]) ||
            std::string_view("+-.eE").find(text_[position_]) != std::string_view::npos)) {
        ++position_;
    }
    double value = 0;
    const char* const end = text_.data() + position_;
    const auto [at, failure] = std::from_chars(text_.data() + begin, end, value);
    if (failure != std::errc() || at != end || position_ == begin) return expected("a number");
    return value;
}

char JsonReader::peek() {
    skip_space();
    return position_ == text_.size() ? '\0' : text_[position_];
}

Result<std::string_view> JsonReader::raw(size_t depth_max) {
    skip_space();
    const size_t begin = position_;
    size_t depth = 0;
    do {
        const char c = peek();
        if (c == '"') {
            TT_CHECK(string());
        } else if (c == '{' || c == '[') {
            if (++depth > depth_max) return expected("less nesting");
            ++position_;
        } else if (c == '}' || c == ']') {
            if (depth == 0) return expected("a value");
            --depth;
            ++position_;
        } else {
            if (c == '\0' || (depth == 0 && (c == ',' || c == ':'))) return expected("a value");
            ++position_;
            while (depth == 0 && position_ < text_.size() &&
                   std::string_view(",]} \t\n\r").find(text_[position_]) ==
                       std::string_view::npos) {
                ++position_;
            }
        }
    } while (depth > 0);
    return text_.substr(begin, position_ - begin);
}

Result<void> JsonReader::end() {
    skip_space();
    if (position_ != text_.size()) return expected("the end of the text");
    return {};
}

}  // namespace teetee::model
