// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace teetee::jinja {

// Code points of valid UTF-8, classified as Python's str does. All text in this module is valid.

/// Bytes of the code point that begins at `text[0]`; text MUST NOT be empty.
size_t point_bytes(std::string_view text);
char32_t point_at(std::string_view text);
void append_point(std::string& out, char32_t point);
size_t count_points(std::string_view text);

/// Byte offset of code point `index`, or text.size() if there are no more.
size_t offset_of_point(std::string_view text, size_t index);

bool is_space(char32_t point);
bool is_printable(char32_t point);
bool is_alphabetic(char32_t point);
bool is_digit(char32_t point);
bool is_cased(char32_t point);
bool is_upper(char32_t point);
bool is_lower(char32_t point);

enum class Case { upper, lower, title };
/// One point can become two: "ß" is "SS" in upper case.
void append_in_case(std::string& out, char32_t point, Case to);

/// Offset behind the leading white space, and of the trailing one.
size_t leading_space_end(std::string_view text);
size_t trailing_space_begin(std::string_view text);

}  // namespace teetee::jinja
