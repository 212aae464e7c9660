// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "jinja/ast.hpp"
#include "jinja/runtime.hpp"

namespace teetee::jinja {

/// A filter, a test or a method: applied to its subject with arguments. Errors as in python.hpp.
using Operation = Result<Value> (*)(Runtime& runtime, const Value& subject,
                                    const Arguments& arguments);

// Null where there is none of the name.
Operation find_filter(std::string_view name);
Operation find_test(std::string_view name);
Operation find_method(const Value& object, std::string_view name);
/// True for list.append and the like, which the sandbox forbids.
bool changes_its_object(const Value& object, std::string_view name);

// Error: template_failed where there is none of the name.
Result<Value> apply_filter(Runtime& runtime, std::string_view name, const Value& subject,
                           const Arguments& arguments);
Result<bool> apply_test(Runtime& runtime, std::string_view name, const Value& subject,
                        const Arguments& arguments);

/// The arguments in the order of the parameter names; nullopt where one is left out. Error:
/// template_failed for one too many, unknown or given twice.
using Bound = std::vector<std::optional<Value>>;
Result<Bound> bind(const Arguments& arguments, std::initializer_list<std::string_view> names);

/// range, namespace, dict, raise_exception, strftime_now; nullopt where there is none.
Result<std::optional<Value>> find_global(Runtime& runtime, std::string_view name);

Result<Value> negate(const Value& operand, UnaryOperator op);
Result<Value> calculate(Runtime& runtime, BinaryOperator op, const Value& left, const Value& right);
/// Python's "%s, %d" % values.
Result<Value> format_percent(Runtime& runtime, const Text& format, const std::vector<Value>& values,
                             const Value& mapping);

struct JsonStyle {
    bool ensure_ascii = false;
    bool sort_keys = false;
    std::optional<Text> indent;  // of one level
    Text item_separator, key_separator;
};
/// json.dumps(value).
Result<Value> to_json(Runtime& runtime, const Value& value, const JsonStyle& style);

}  // namespace teetee::jinja
