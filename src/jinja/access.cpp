// SPDX-License-Identifier: Apache-2.0
// How a template reaches into values: iteration, items, attributes, slices.
#include <algorithm>

#include "jinja/operations.hpp"
#include "jinja/python.hpp"
#include "jinja/unicode.hpp"

namespace teetee::jinja {
namespace {

Value loop_item(const Loop& loop, size_t index) {
    return index < loop.items->size() ? (*loop.items)[index] : Value(Undefined{});
}

std::optional<Value> loop_attribute(const Loop& loop, std::string_view name) {
    const auto count = static_cast<int64_t>(loop.items->size());
    const auto index = static_cast<int64_t>(loop.index);
    if (name == "index") return Value(index + 1);
    if (name == "index0") return Value(index);
    if (name == "revindex") return Value(count - index);
    if (name == "revindex0") return Value(count - index - 1);
    if (name == "first") return Value(index == 0);
    if (name == "last") return Value(index + 1 == count);
    if (name == "length") return Value(count);
    if (name == "depth") return Value(static_cast<int64_t>(loop.depth) + 1);
    if (name == "depth0") return Value(static_cast<int64_t>(loop.depth));
    if (name == "previtem") return loop_item(loop, loop.index - 1);
    if (name == "nextitem") return loop_item(loop, loop.index + 1);
    return std::nullopt;
}

/// What getattr() finds: a value, a method bound to the object, or nothing.
Result<std::optional<Value>> own_attribute(Runtime& runtime, const Value& object,
                                           const std::string& name) {
    if (const auto* loop = std::get_if<Loop*>(&object)) {
        if (auto value = loop_attribute(**loop, name)) return value;
    }
    if (const Dict* dict = if_dict(object); dict != nullptr && dict->is_namespace) {
        const Value* value = find(*dict, name);
        return value == nullptr ? std::nullopt : std::optional<Value>(*value);
    }
    if (changes_its_object(object, name))
        return std::optional<Value>(Undefined{.name = &name, .is_forbidden = true});
    const Operation method = find_method(object, name);
    if (method == nullptr) return std::optional<Value>();
    TT_TRY(const Value bound,
           runtime.callable(name, [&runtime, object, method](const Arguments& arguments) {
               return method(runtime, object, arguments);
           }));
    return std::optional<Value>(bound);
}

/// What obj[key] finds.
Result<std::optional<Value>> own_item(Runtime& runtime, const Value& object, const Value& key) {
    if (const Dict* dict = if_dict(object); dict != nullptr && !dict->is_namespace) {
        const auto canonical = canonical_key(runtime, key);
        if (!canonical && canonical.error().code == ErrorCode::limit_exceeded)
            return canonical.error();
        if (!canonical) return std::optional<Value>();
        const auto place = dict->index_of.find(*canonical);
        if (place == dict->index_of.end()) return std::optional<Value>();
        return std::optional<Value>(dict->entries[place->second].second);
    }
    const auto index = if_integer(key);
    if (!index) return std::optional<Value>();
    if (const Sequence* sequence = if_sequence(object)) {
        if (sequence->kind > SequenceKind::range) return std::optional<Value>();
        const auto count = static_cast<int64_t>(sequence->items.size());
        const int64_t at = *index < 0 ? *index + count : *index;
        if (at < 0 || at >= count) return std::optional<Value>();
        return std::optional<Value>(sequence->items[static_cast<size_t>(at)]);
    }
    if (const Text* text = if_text(object)) {
        TT_CHECK(runtime.spend_steps(text->bytes.size() / 32));
        const auto count = static_cast<int64_t>(count_points(text->bytes));
        const int64_t at = *index < 0 ? *index + count : *index;
        if (at < 0 || at >= count) return std::optional<Value>();
        const size_t begin = offset_of_point(text->bytes, static_cast<size_t>(at));
        TextBuilder out(runtime);
        out.append(*text, begin, begin + point_bytes(std::string_view(text->bytes).substr(begin)));
        TT_TRY(const Value point, out.finish());
        return std::optional<Value>(point);
    }
    return std::optional<Value>();
}

struct SliceRange {
    int64_t begin = 0, step = 1;
    size_t count = 0;
};

/// Python's slice.indices(count).
Result<SliceRange> slice_range(const SliceBounds& bounds, int64_t count) {
    const auto bound = [](const Value& value) -> Result<std::optional<int64_t>> {
        if (is<None>(value)) return std::optional<int64_t>();
        const auto integer = if_integer(value);
        if (!integer) return failed("slice indices must be integers or None");
        return integer;
    };
    TT_TRY(const auto step_given, bound(bounds.step));
    TT_TRY(const auto begin_given, bound(bounds.begin));
    TT_TRY(const auto end_given, bound(bounds.end));
    const int64_t step =
        std::clamp<int64_t>(step_given.value_or(1), -(int64_t{1} << 32), int64_t{1} << 32);
    if (step == 0) return failed("slice step cannot be zero");
    const int64_t low = step > 0 ? 0 : -1;
    const int64_t high = step > 0 ? count : count - 1;
    const auto place = [&](std::optional<int64_t> given, int64_t fallback) {
        if (!given) return fallback;
        return std::clamp(*given < 0 ? *given + count : *given, low, high);
    };
    const int64_t begin = place(begin_given, step > 0 ? low : high);
    const int64_t end = place(end_given, step > 0 ? high : low);
    const int64_t distance = step > 0 ? end - begin : begin - end;
    const int64_t stride = step > 0 ? step : -step;
    return SliceRange{begin, step,
                      distance <= 0 ? 0 : static_cast<size_t>((distance + stride - 1) / stride)};
}

Result<Value> slice_text(Runtime& runtime, const Text& text, const SliceBounds& bounds) {
    std::vector<size_t> offsets;
    TT_CHECK(runtime.spend_memory(text.bytes.size() * sizeof(size_t)));
    for (size_t at = 0; at < text.bytes.size();) {
        offsets.push_back(at);
        at += point_bytes(std::string_view(text.bytes).substr(at));
    }
    TT_TRY(const auto range, slice_range(bounds, static_cast<int64_t>(offsets.size())));
    offsets.push_back(text.bytes.size());
    TextBuilder out(runtime);
    if (range.step == 1) {
        const auto begin = static_cast<size_t>(range.begin);
        if (range.count > 0) out.append(text, offsets[begin], offsets[begin + range.count]);
        return out.finish();
    }
    for (size_t i = 0; i < range.count; ++i) {
        const auto at = static_cast<size_t>(range.begin + static_cast<int64_t>(i) * range.step);
        out.append(text, offsets[at], offsets[at + 1]);
    }
    return out.finish();
}

}  // namespace

bool is_iterable(const Value& value) {
    const Dict* dict = if_dict(value);
    return is<Undefined>(value) || if_text(value) != nullptr || if_sequence(value) != nullptr ||
           (dict != nullptr && !dict->is_namespace) || is<Loop*>(value);
}

Result<std::vector<Value>> iterate(Runtime& runtime, const Value& value) {
    if (const auto* undefined = std::get_if<Undefined>(&value)) {
        if (undefined->is_forbidden) return undefined_error(*undefined);
        return std::vector<Value>();
    }
    if (Sequence* sequence = if_sequence(value)) {
        TT_CHECK(runtime.spend_steps(sequence->items.size()));
        if (sequence->kind != SequenceKind::generator) return sequence->items;
        const size_t from = std::exchange(sequence->consumed, sequence->items.size());
        return std::vector<Value>(sequence->items.begin() + static_cast<ptrdiff_t>(from),
                                  sequence->items.end());
    }
    std::vector<Value> out;
    if (const Text* text = if_text(value)) {
        for (size_t at = 0; at < text->bytes.size();) {
            const size_t bytes = point_bytes(std::string_view(text->bytes).substr(at));
            TextBuilder point(runtime);
            point.append(*text, at, at + bytes);
            TT_TRY(out.emplace_back(), point.finish());
            at += bytes;
        }
        return out;
    }
    if (const Dict* dict = if_dict(value); dict != nullptr && !dict->is_namespace) {
        TT_CHECK(runtime.spend_steps(dict->entries.size()));
        for (const auto& [key, item] : dict->entries) out.push_back(key);
        return out;
    }
    return failed("a '" + std::string(type_name(value)) + "' cannot be iterated");
}

Result<int64_t> length(Runtime& runtime, const Value& value) {
    TT_CHECK(runtime.spend_steps());
    if (const auto* undefined = std::get_if<Undefined>(&value); undefined != nullptr) {
        if (undefined->is_forbidden) return undefined_error(*undefined);
        return int64_t{0};
    }
    if (const Text* text = if_text(value)) {
        TT_CHECK(runtime.spend_steps(text->bytes.size() / 32));
        return static_cast<int64_t>(count_points(text->bytes));
    }
    // A generator has no len() in Python; counting what is left of it hurts nobody.
    if (const Sequence* sequence = if_sequence(value))
        return static_cast<int64_t>(sequence->items.size() - sequence->consumed);
    if (const Dict* dict = if_dict(value); dict != nullptr && !dict->is_namespace)
        return static_cast<int64_t>(dict->entries.size());
    return failed("a '" + std::string(type_name(value)) + "' has no length");
}

Result<Value> get_item(Runtime& runtime, const Value& object, const Value& key) {
    if (const auto* undefined = std::get_if<Undefined>(&object)) return undefined_error(*undefined);
    TT_TRY(auto item, own_item(runtime, object, key));
    if (item) return *item;
    const Text* name = if_text(key);
    if (name == nullptr) return Value(Undefined{});
    TT_TRY(item, own_attribute(runtime, object, name->bytes));
    return item.value_or(Value(missing(*name)));
}

Result<Value> get_attribute(Runtime& runtime, const Value& object, const std::string& name) {
    if (const auto* undefined = std::get_if<Undefined>(&object)) return undefined_error(*undefined);
    TT_TRY(auto attribute, own_attribute(runtime, object, name));
    if (attribute) return *attribute;
    if (const Dict* dict = if_dict(object); dict != nullptr && !dict->is_namespace) {
        if (const Value* item = find(*dict, name)) return *item;
    }
    return Value(Undefined{.name = &name});
}

Result<Value> slice(Runtime& runtime, const Value& object, const SliceBounds& bounds) {
    if (const auto* undefined = std::get_if<Undefined>(&object)) return undefined_error(*undefined);
    if (const Text* text = if_text(object)) return slice_text(runtime, *text, bounds);
    const Sequence* sequence = if_sequence(object);
    if (sequence == nullptr || sequence->kind > SequenceKind::range)
        return failed("a '" + std::string(type_name(object)) + "' cannot be sliced");
    TT_TRY(const auto range, slice_range(bounds, static_cast<int64_t>(sequence->items.size())));
    std::vector<Value> items;
    for (size_t i = 0; i < range.count; ++i) {
        items.push_back(
            sequence
                ->items[static_cast<size_t>(range.begin + static_cast<int64_t>(i) * range.step)]);
    }
    const bool is_tuple = sequence->kind == SequenceKind::tuple;
    return runtime.sequence(is_tuple ? SequenceKind::tuple : SequenceKind::list, std::move(items));
}

}  // namespace teetee::jinja
