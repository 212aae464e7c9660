// SPDX-License-Identifier: Apache-2.0
#include "cli/shell_word.hpp"

#include <algorithm>

namespace teetee::cli {

std::string shell_word(std::string_view text) {
    const auto is_plain = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view("/._-+,:@%").find(c) != std::string_view::npos;
    };
    const bool is_word = !text.empty() && std::ranges::all_of(text, is_plain);
    return is_word ? std::string(text) : shell_quoted(text);
}

std::string shell_quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'')
            out += "'\\''";
        else
            out += c;
    }
    return out + "'";
}

}  // namespace teetee::cli
