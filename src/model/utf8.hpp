// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace teetee::model {

enum class Utf8State {
    complete,    // one well-formed character
    incomplete,  // a proper prefix of one, and the text ends there
    malformed,   // can never become one
};

struct Utf8Head {
    Utf8State state{};
    size_t bytes = 0;
};

/// What a text begins with. `bytes` counts the character, the prefix, or the maximal ill-formed
/// part that one U+FFFD stands for (Unicode 15, section 3.9, table 3-7 and "U+FFFD Substitution").
/// `text` MUST NOT be empty.
Utf8Head utf8_head(std::string_view text);

/// The bytes of the character at `at` of a well-formed text.
inline size_t utf8_character_bytes(std::string_view text, size_t at) {
    return utf8_head(text.substr(at)).bytes;
}

}  // namespace teetee::model
