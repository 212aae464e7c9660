// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace teetee::jinja {

enum class TokenKind : uint8_t {
    data,         // text outside of tags, white space already trimmed
    block_begin,  // {%
    block_end,
    output_begin,  // {{
    output_end,
    name,
    string,  // escapes resolved
    integer,
    floating,
    punctuation,  // operators and brackets
    end,
};

struct Token {
    TokenKind kind{};
    std::string text;
    int64_t integer = 0;
    double floating = 0;
    uint32_t line = 1;
};

/// Cuts a template into tokens as Jinja 3 does with trim_blocks and lstrip_blocks on: comments are
/// gone, raw blocks are data, "-" and "+" have done their work, one last newline is dropped.
/// The list ends with a token of kind `end`. Errors: template_malformed with the line,
/// limit_exceeded, invalid_utf8.
Result<std::vector<Token>> tokenize(std::string_view source);

}  // namespace teetee::jinja
