// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "grammar/json_text.hpp"
#include "grammar/rules.hpp"

namespace teetee::grammar {

/// What fits a pattern, as it stands between the quotes of a JSON string.
struct PatternText {
    ExpressionId expression = 0;
    /// In characters; without a most there is no limit.
    uint64_t length_least = 0;
    std::optional<uint64_t> length_most{};
};

/// A regular expression as JSON schema has it (ECMA 262), which may match anywhere in the string:
/// characters, ., [sets], \d \w \s and their opposites, \n \r \t \f \v \0 \xHH \uHHHH, groups, |,
/// * + ? {m,n} (lazy ones as well), and ^ $ at the ends of an alternative. Classes and what
/// negates one stand for ASCII only, where all readers of patterns agree on them.
/// Errors: grammar_invalid naming the place (look-around, back references, \b, \p and the like),
/// grammar_too_complex.
Result<PatternText> parse_pattern(std::string_view pattern, Rules& rules, JsonText& json);

}  // namespace teetee::grammar
