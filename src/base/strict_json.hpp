// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <boost/json.hpp>

#include "base/result.hpp"

namespace teetee {

struct JsonLimits {
    size_t bytes_max = 0;
    size_t depth_max = 0;
};

/// RFC 8259 and nothing more: no comments, no trailing commas, valid UTF-8, and no key twice in an
/// object; fractions are rounded as IEEE 754 says. Errors: invalid_json, limit_exceeded.
Result<boost::json::value> parse_strict_json(std::string_view text, const JsonLimits& limits);

/// The exact text of the value that stands under `key` in an object, for signatures over it. The
/// text must be an object that parse_strict_json takes; a key written with escapes is not found.
/// Error: not_found.
Result<std::string_view> raw_member(std::string_view object_text, std::string_view key);

}  // namespace teetee
