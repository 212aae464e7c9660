// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "jinja/text.hpp"

namespace teetee::jinja {

/// A name's number in Syntax::names.
using Symbol = uint32_t;

struct Sequence;
struct Dict;
struct Callable;
struct Loop;

/// What a missing name or key evaluates to: empty when printed, an error in most other uses.
struct Undefined {
    const std::string* name = nullptr;  // of what is missing, for the error
    bool is_forbidden = false;          // a method that would change a list or a mapping
};
struct None {};

/// A Python value. Pointers lead into the Heap of one rendering, or into the template.
using Value = std::variant<Undefined, None, bool, int64_t, double, const Text*, Sequence*, Dict*,
                           const Callable*, Loop*>;

enum class SequenceKind : uint8_t {
    list,
    tuple,
    range,
    generator,  // always true, read once
    dict_keys,
    dict_values,
    dict_items,
};

struct Sequence {
    SequenceKind kind = SequenceKind::list;
    std::vector<Value> items;
    size_t consumed = 0;                   // of a generator
    int64_t begin = 0, end = 0, step = 1;  // of a range
};

/// A mapping in order of insertion, or a namespace.
struct Dict {
    bool is_namespace = false;
    std::vector<std::pair<Value, Value>> entries;
    std::map<std::string, size_t, std::less<>> index_of;  // by canonical key, see python.hpp
};

struct Arguments {
    std::vector<Value> positional;
    std::vector<std::pair<std::string, Value>> named;
};

struct Callable {
    std::string name;
    std::function<Result<Value>(const Arguments&)> call;
};

/// The variable `loop` of a for block.
struct Loop {
    const std::vector<Value>* items = nullptr;
    size_t index = 0;
    size_t depth = 0;
    std::vector<Value> last_changed;
    bool has_changed_before = false;
    const Callable* recurse = nullptr;  // null unless the loop is recursive
};

// Null where the value is something else.
inline const Text* if_text(const Value& value) {
    const auto* pointer = std::get_if<const Text*>(&value);
    return pointer == nullptr ? nullptr : *pointer;
}
inline Sequence* if_sequence(const Value& value) {
    const auto* pointer = std::get_if<Sequence*>(&value);
    return pointer == nullptr ? nullptr : *pointer;
}
inline Dict* if_dict(const Value& value) {
    const auto* pointer = std::get_if<Dict*>(&value);
    return pointer == nullptr ? nullptr : *pointer;
}
inline const Callable* if_callable(const Value& value) {
    const auto* pointer = std::get_if<const Callable*>(&value);
    return pointer == nullptr ? nullptr : *pointer;
}
/// What is missing under `name`, which MUST live as long; the error quotes no foreign name.
inline Undefined missing(const Text& name) {
    return {.name = name.foreign.empty() ? &name.bytes : nullptr};
}
template <class T>
bool is(const Value& value) {
    return std::holds_alternative<T>(value);
}

/// An integer, or a boolean as 0 or 1.
inline std::optional<int64_t> if_integer(const Value& value) {
    if (const auto* integer = std::get_if<int64_t>(&value)) return *integer;
    if (const auto* boolean = std::get_if<bool>(&value)) return *boolean ? 1 : 0;
    return std::nullopt;
}
/// Any number as the nearest double.
inline std::optional<double> if_number(const Value& value) {
    if (const auto* number = std::get_if<double>(&value)) return *number;
    if (const auto integer = if_integer(value)) return static_cast<double>(*integer);
    return std::nullopt;
}

inline Error failed(std::string what) {
    return fail(ErrorCode::template_failed, std::move(what));
}

}  // namespace teetee::jinja
