// SPDX-License-Identifier: Apache-2.0
#include "cli/log_line.hpp"

#include <cmath>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace teetee::cli {
namespace {

/// How many bytes of well-formed UTF-8 (RFC 3629) the text begins with as one character; 0 if it
/// does not.
size_t character_bytes(std::string_view text) {
    const auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto is_tail = [&](size_t i) { return i < text.size() && (at(i) & 0xc0) == 0x80; };
    const unsigned char first = at(0);
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return is_tail(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        if (!is_tail(1) || !is_tail(2)) return 0;
        const bool is_overlong = first == 0xe0 && at(1) < 0xa0;
        const bool is_surrogate = first == 0xed && at(1) >= 0xa0;
        return is_overlong || is_surrogate ? 0 : 3;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        if (!is_tail(1) || !is_tail(2) || !is_tail(3)) return 0;
        const bool is_overlong = first == 0xf0 && at(1) < 0x90;
        const bool is_beyond = first == 0xf4 && at(1) >= 0x90;
        return is_overlong || is_beyond ? 0 : 4;
    }
    return 0;
}

void append_escaped(std::string& out, std::string_view character) {
    const auto first = static_cast<unsigned char>(character[0]);
    if (character.size() == 1 && first == '\n') {
        out += "\\n";
    } else if (character.size() == 1 && first == '\r') {
        out += "\\r";
    } else if (character.size() == 1 && first == '\t') {
        out += "\\t";
    } else if (character.size() == 1 && (first < 0x20 || first == 0x7f)) {
        out += fmt::format("\\x{:02x}", first);
    } else if (character.size() == 2 && first == 0xc2 &&
               static_cast<unsigned char>(character[1]) < 0xa0) {
        // C1 controls: terminals take some for escape sequences.
        out += fmt::format("\\x{:02x}", static_cast<unsigned char>(character[1]));
    } else if (character == "\u2028") {
        out += "\\u2028";
    } else if (character == "\u2029") {
        out += "\\u2029";
    } else {
        out += character;
    }
}

std::string quoted(std::string_view text) {
    return boost::json::serialize(boost::json::value(text));
}

/// As people write it, where the library would write 1.5E0; no number is no number of JSON.
std::string number_text(double number) {
    return std::isfinite(number) ? fmt::format("{}", number) : "null";
}

std::string to_json(const LogField& field) {
    if (const auto* flag = std::get_if<bool>(&field.value)) return *flag ? "true" : "false";
    if (const auto* number = std::get_if<int64_t>(&field.value)) return std::to_string(*number);
    if (const auto* number = std::get_if<double>(&field.value)) return number_text(*number);
    return quoted(on_one_line(std::get<std::string>(field.value)));
}

std::string to_text(const LogField& field) {
    const auto* text = std::get_if<std::string>(&field.value);
    if (text == nullptr) return to_json(field);
    const bool is_plain = !text->empty() && text->find_first_of(" =\"\\") == std::string::npos;
    return is_plain ? *text : quoted(*text);
}

}  // namespace

std::string on_one_line(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const size_t bytes = character_bytes(text);
        if (bytes == 0) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
            text.remove_prefix(1);
            continue;
        }
        append_escaped(out, text.substr(0, bytes));
        text.remove_prefix(bytes);
    }
    return out;
}

std::string_view to_string(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return "debug";
        case LogLevel::info:
            return "info";
        case LogLevel::warn:
            return "warn";
        case LogLevel::error:
            return "error";
    }
    return "";
}

std::string json_members(LogLevel level, const LogSource& source, std::string_view message,
                         std::span<const LogField> fields) {
    std::string out =
        "\"level\":" + quoted(to_string(level)) + ",\"component\":" + quoted(source.component);
    if (!source.node.empty()) out += ",\"node\":" + quoted(on_one_line(source.node));
    out += ",\"message\":" + quoted(on_one_line(message));
    for (const LogField& field : fields) out += "," + quoted(field.name) + ":" + to_json(field);
    return out;
}

std::string text_line(std::string_view message, std::span<const LogField> fields) {
    std::string out(message);
    for (const LogField& field : fields) {
        out += ' ';
        out += field.name;
        out += '=';
        out += to_text(field);
    }
    return on_one_line(out);
}

}  // namespace teetee::cli
