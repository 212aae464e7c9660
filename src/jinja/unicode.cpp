// SPDX-License-Identifier: Apache-2.0
#include "jinja/unicode.hpp"

#include <utf8proc.h>

namespace teetee::jinja {
namespace {

utf8proc_int32_t as_utf8proc(char32_t point) {
    return static_cast<utf8proc_int32_t>(point);
}

bool is_continuation(char byte) {
    return (static_cast<uint8_t>(byte) & 0xc0) == 0x80;
}

}  // namespace

size_t point_bytes(std::string_view text) {
    size_t bytes = 1;
    while (bytes < text.size() && is_continuation(text[bytes])) ++bytes;
    return bytes;
}

char32_t point_at(std::string_view text) {
    const auto first = static_cast<uint8_t>(text[0]);
    if (first < 0x80) return first;
    const size_t bytes = point_bytes(text);
    char32_t point = first & (0x7fu >> bytes);
    for (size_t i = 1; i < bytes; ++i) point = point << 6 | (static_cast<uint8_t>(text[i]) & 0x3f);
    return point;
}

void append_point(std::string& out, char32_t point) {
    utf8proc_uint8_t bytes[4];
    const auto count = utf8proc_encode_char(as_utf8proc(point), bytes);
    for (utf8proc_ssize_t i = 0; i < count; ++i) out.push_back(static_cast<char>(bytes[i]));
}

size_t count_points(std::string_view text) {
    size_t count = 0;
    for (const char c : text) count += is_continuation(c) ? 0 : 1;
    return count;
}

size_t offset_of_point(std::string_view text, size_t index) {
    size_t offset = 0;
    for (; index > 0 && offset < text.size(); --index) offset += point_bytes(text.substr(offset));
    return offset;
}

bool is_space(char32_t point) {
    if (point < 0x80)
        return point == ' ' || (point >= 9 && point <= 13) || (point >= 28 && point <= 31);
    return point == 0x85 || point == 0xa0 || point == 0x1680 ||
           (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 ||
           point == 0x202f || point == 0x205f || point == 0x3000;
}

bool is_printable(char32_t point) {
    if (point == ' ') return true;
    switch (utf8proc_category(as_utf8proc(point))) {
        case UTF8PROC_CATEGORY_CN:
        case UTF8PROC_CATEGORY_CC:
        case UTF8PROC_CATEGORY_CF:
        case UTF8PROC_CATEGORY_CS:
        case UTF8PROC_CATEGORY_CO:
        case UTF8PROC_CATEGORY_ZS:
        case UTF8PROC_CATEGORY_ZL:
        case UTF8PROC_CATEGORY_ZP:
            return false;
        default:
            return true;
    }
}

bool is_alphabetic(char32_t point) {
    switch (utf8proc_category(as_utf8proc(point))) {
        case UTF8PROC_CATEGORY_LU:
        case UTF8PROC_CATEGORY_LL:
        case UTF8PROC_CATEGORY_LT:
        case UTF8PROC_CATEGORY_LM:
        case UTF8PROC_CATEGORY_LO:
            return true;
        default:
            return false;
    }
}

bool is_digit(char32_t point) {
    return utf8proc_category(as_utf8proc(point)) == UTF8PROC_CATEGORY_ND;
}

bool is_upper(char32_t point) {
    return utf8proc_category(as_utf8proc(point)) == UTF8PROC_CATEGORY_LU;
}

bool is_lower(char32_t point) {
    return utf8proc_category(as_utf8proc(point)) == UTF8PROC_CATEGORY_LL;
}

bool is_cased(char32_t point) {
    return is_upper(point) || is_lower(point) ||
           utf8proc_category(as_utf8proc(point)) == UTF8PROC_CATEGORY_LT;
}

void append_in_case(std::string& out, char32_t point, Case to) {
    constexpr char32_t sharp_s = 0xdf;
    if (point == sharp_s && to != Case::lower) {
        out += to == Case::upper ? "SS" : "Ss";
        return;
    }
    const auto from = as_utf8proc(point);
    const auto changed = to == Case::upper   ? utf8proc_toupper(from)
                         : to == Case::lower ? utf8proc_tolower(from)
                                             : utf8proc_totitle(from);
    append_point(out, static_cast<char32_t>(changed));
}

size_t leading_space_end(std::string_view text) {
    size_t offset = 0;
    while (offset < text.size() && is_space(point_at(text.substr(offset)))) {
        offset += point_bytes(text.substr(offset));
    }
    return offset;
}

size_t trailing_space_begin(std::string_view text) {
    size_t end = text.size();
    while (end > 0) {
        size_t begin = end - 1;
        while (begin > 0 && is_continuation(text[begin])) --begin;
        if (!is_space(point_at(text.substr(begin)))) break;
        end = begin;
    }
    return end;
}

}  // namespace teetee::jinja
