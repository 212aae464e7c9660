// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "jinja/operations.hpp"

namespace teetee::jinja {

// Methods of Python's str; the subject MUST be a Text. Several are filters too.

Result<Value> str_upper(Runtime& runtime, const Value& subject, const Arguments& arguments);
Result<Value> str_lower(Runtime& runtime, const Value& subject, const Arguments& arguments);
Result<Value> str_capitalize(Runtime& runtime, const Value& subject, const Arguments& arguments);
Result<Value> str_strip(Runtime& runtime, const Value& subject, const Arguments& arguments);
Result<Value> str_replace(Runtime& runtime, const Value& subject, const Arguments& arguments);
Result<Value> str_center(Runtime& runtime, const Value& subject, const Arguments& arguments);

/// The lines of a text as spans without their ends.
std::vector<Span> split_lines(std::string_view text);

/// Null where str has no such method (or this program lacks it).
Operation find_string_method(std::string_view name);

}  // namespace teetee::jinja
