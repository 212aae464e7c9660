// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace teetee::model {

// Texts are well-formed UTF-8 unless said otherwise; white space is Unicode's White_Space.

enum class NormalForm { nfc, nfd, nfkc, nfkd };

/// Error: internal.
Result<std::string> normal_form(std::string_view text, NormalForm form);
/// Character by character, as Unicode's SpecialCasing has it without context.
std::string lower_case(std::string_view text);
/// Without the characters of general category M.
std::string without_marks(std::string_view text);
/// Any bytes; what is no UTF-8 becomes U+FFFD.
std::string with_replacements(std::string_view bytes);

size_t space_bytes_at_begin(std::string_view text);
size_t space_bytes_at_end(std::string_view text);
/// Letters, marks, digits and connectors such as the underscore.
bool begins_with_word(std::string_view text);
bool ends_with_word(std::string_view text);

}  // namespace teetee::model
