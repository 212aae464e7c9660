// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace teetee::model {

/// Rewrites a pattern from Oniguruma's Ruby syntax, in which tokenizer.json files are written, to
/// PCRE2's. What means the same in both is kept; \h, \v, \uHHHH, ^, $, {,n} and classes inside of
/// classes are respelled; groups do not capture. Errors: tokenizer_unsupported naming what is not
/// known (references, named groups, class intersections ...); limit_exceeded.
Result<std::string> pcre2_from_oniguruma(std::string_view pattern);

/// Respells \s and \S as Unicode's White_Space: PCRE2's own also has U+180E, which Unicode took out
/// in version 6.3.
std::string with_unicode_spaces(std::string_view pattern);

}  // namespace teetee::model
