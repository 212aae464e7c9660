// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jinja/runtime.hpp"

namespace teetee::jinja {

// What Python and Jinja's sandbox do with values (The Python Language Reference, "Data model";
// jinja2.sandbox.ImmutableSandboxedEnvironment). Errors of all: template_failed where Python
// raises, limit_exceeded.

/// bool(value).
bool is_true(const Value& value);
/// "str", "list", ...: type(value).__name__.
std::string_view type_name(const Value& value);
/// For the error of an operation on something missing.
Error undefined_error(const Undefined& undefined);

/// repr() of a float; shortest digits that read back as the same number.
std::string float_repr(double number);
Result<void> append_str(TextBuilder& out, const Value& value);
Result<void> append_repr(TextBuilder& out, const Value& value, size_t depth = 0);
/// str(value); a text is itself.
Result<const Text*> str(Runtime& runtime, const Value& value);

Result<bool> equals(Runtime& runtime, const Value& left, const Value& right, size_t depth = 0);
/// left < right.
Result<bool> less(Runtime& runtime, const Value& left, const Value& right, size_t depth = 0);
/// item in container.
Result<bool> contains(Runtime& runtime, const Value& container, const Value& item);

/// What a for loop visits; a generator is used up.
Result<std::vector<Value>> iterate(Runtime& runtime, const Value& value);
bool is_iterable(const Value& value);
/// len(value).
Result<int64_t> length(Runtime& runtime, const Value& value);

/// Equal values have equal canonical keys. Error where Python says "unhashable".
Result<std::string> canonical_key(Runtime& runtime, const Value& key, size_t depth = 0);
Result<void> insert(Runtime& runtime, Dict& dict, const Value& key, const Value& value);
/// Null where there is none.
const Value* find(const Dict& dict, std::string_view text_key);

/// object[key], which falls back to an attribute; Undefined where there is neither.
Result<Value> get_item(Runtime& runtime, const Value& object, const Value& key);
/// object.name, which falls back to an item. `name` MUST live as long as the result.
Result<Value> get_attribute(Runtime& runtime, const Value& object, const std::string& name);

struct SliceBounds {
    Value begin, end, step;  // None where left out
};
Result<Value> slice(Runtime& runtime, const Value& object, const SliceBounds& bounds);

}  // namespace teetee::jinja
