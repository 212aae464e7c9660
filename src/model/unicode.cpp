// SPDX-License-Identifier: Apache-2.0
#include "model/unicode.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include <utf8proc.h>

#include "model/utf8.hpp"

namespace teetee::model {
namespace {

struct Character {
    int32_t point = -1;
    size_t bytes = 1;
};

Character first_character(std::string_view text) {
    Character character;
    const auto* data = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
    const auto bytes =
        utf8proc_iterate(data, static_cast<utf8proc_ssize_t>(text.size()), &character.point);
    if (bytes > 0) character.bytes = static_cast<size_t>(bytes);
    return character;
}

Character last_character(std::string_view text) {
    size_t begin = text.size() - 1;
    while (begin > 0 && (static_cast<uint8_t>(text[begin]) & 0xc0) == 0x80) --begin;
    return first_character(text.substr(begin));
}

void append_point(std::string& out, int32_t point) {
    utf8proc_uint8_t bytes[4];
    const auto count = utf8proc_encode_char(point, bytes);
    out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(count));
}

bool is_space(int32_t point) {
    return (point >= 0x09 && point <= 0x0d) || point == 0x20 || point == 0x85 || point == 0xa0 ||
           point == 0x1680 || (point >= 0x2000 && point <= 0x200a) || point == 0x2028 ||
           point == 0x2029 || point == 0x202f || point == 0x205f || point == 0x3000;
}

bool is_mark(int32_t point) {
    const auto category = utf8proc_category(point);
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
           category == UTF8PROC_CATEGORY_ME;
}

bool is_word(int32_t point) {
    const auto category = utf8proc_category(point);
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
           category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_NL ||
           category == UTF8PROC_CATEGORY_PC || is_mark(point);
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}

template <class Function>
void for_each_character(std::string_view text, const Function& function) {
    while (!text.empty()) {
        const Character character = first_character(text);
        function(character, text.substr(0, character.bytes));
        text.remove_prefix(character.bytes);
    }
}

int options_of(NormalForm form) {
    switch (form) {
        case NormalForm::nfc:
            return UTF8PROC_COMPOSE;
        case NormalForm::nfd:
            return UTF8PROC_DECOMPOSE;
        case NormalForm::nfkc:
            return UTF8PROC_COMPOSE | UTF8PROC_COMPAT;
        case NormalForm::nfkd:
            return UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT;
    }
    return 0;
}

}  // namespace

Result<std::string> normal_form(std::string_view text, NormalForm form) {
    if (is_ascii(text)) return std::string(text);
    utf8proc_uint8_t* raw = nullptr;
    const auto bytes =
        utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                     static_cast<utf8proc_ssize_t>(text.size()), &raw,
                     static_cast<utf8proc_option_t>(UTF8PROC_STABLE | options_of(form)));
    const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owner(raw, &std::free);
    if (bytes < 0)
        return fail(ErrorCode::internal, std::string("utf8proc: ") + utf8proc_errmsg(bytes));
    return std::string(reinterpret_cast<const char*>(raw), static_cast<size_t>(bytes));
}

std::string lower_case(std::string_view text) {
    constexpr int32_t capital_i_with_dot = 0x130;  // the only one that becomes two characters
    std::string out;
    out.reserve(text.size());
    for_each_character(text, [&](Character character, std::string_view) {
        append_point(out, utf8proc_tolower(character.point));
        if (character.point == capital_i_with_dot) out += "\xcc\x87";
    });
    return out;
}

std::string without_marks(std::string_view text) {
    std::string out;
    for_each_character(text, [&](Character character, std::string_view bytes) {
        if (!is_mark(character.point)) out += bytes;
    });
    return out;
}

std::string with_replacements(std::string_view bytes) {
    std::string out;
    while (!bytes.empty()) {
        const Utf8Head head = utf8_head(bytes);
        out += head.state == Utf8State::complete ? bytes.substr(0, head.bytes) : "\xef\xbf\xbd";
        bytes.remove_prefix(head.bytes);
    }
    return out;
}

size_t space_bytes_at_begin(std::string_view text) {
    const size_t bytes_before = text.size();
    while (!text.empty() && is_space(first_character(text).point))
        text.remove_prefix(first_character(text).bytes);
    return bytes_before - text.size();
}

size_t space_bytes_at_end(std::string_view text) {
    const size_t bytes_before = text.size();
    while (!text.empty() && is_space(last_character(text).point))
        text.remove_suffix(last_character(text).bytes);
    return bytes_before - text.size();
}

bool begins_with_word(std::string_view text) {
    return !text.empty() && is_word(first_character(text).point);
}

bool ends_with_word(std::string_view text) {
    return !text.empty() && is_word(last_character(text).point);
}

}  // namespace teetee::model
