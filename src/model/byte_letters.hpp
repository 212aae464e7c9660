// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace teetee::model {

/// GPT-2 writes a byte as one printable character: itself where it is printable in Latin-1, else
/// the next unused one from U+0100 on (encoder.py, bytes_to_unicode).
const std::string& letter_of_byte(uint8_t byte);

std::string letters_of_bytes(std::string_view bytes);

/// nullopt when a character is no such letter.
std::optional<std::string> bytes_of_letters(std::string_view letters);

}  // namespace teetee::model
