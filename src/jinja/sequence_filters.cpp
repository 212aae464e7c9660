// SPDX-License-Identifier: Apache-2.0
// Filters over lists and mappings, and `default` (jinja2.filters).
#include <algorithm>
#include <iterator>

#include "jinja/python.hpp"
#include "jinja/text_filters.hpp"

namespace teetee::jinja {
namespace {

using Values = std::vector<Value>;

bool flag(const std::optional<Value>& given) {
    return given && is_true(*given);
}

/// The value at a path: 'a.b.0', an index, or the value itself without a path.
Result<Value> value_at(Runtime& runtime, Value item, const std::optional<Value>& path,
                       const std::optional<Value>& fallback = std::nullopt) {
    if (!path || is<None>(*path)) return item;
    const Text* text = if_text(*path);
    if (text == nullptr) {
        TT_TRY(item, get_item(runtime, item, *path));
        return is<Undefined>(item) && fallback ? *fallback : item;
    }
    for (size_t begin = 0; begin <= text->bytes.size();) {
        const size_t end = std::min(text->bytes.find('.', begin), text->bytes.size());
        const std::string part = text->bytes.substr(begin, end - begin);
        const bool is_index = !part.empty() && part.size() < 18 &&
                              part.find_first_not_of("0123456789") == std::string::npos;
        TextBuilder builder(runtime);
        builder.append(*text, begin, end);
        TT_TRY(const Value name, builder.finish());
        TT_TRY(item, get_item(runtime, item, is_index ? Value(std::stoll(part)) : name));
        if (is<Undefined>(item) && fallback) item = *fallback;
        begin = end + 1;
    }
    return item;
}

/// What values are ordered by: texts without case unless asked for.
Result<Value> sort_key(Runtime& runtime, const Value& item, const std::optional<Value>& path,
                       bool case_sensitive) {
    TT_TRY(const Value key, value_at(runtime, item, path));
    if (case_sensitive || if_text(key) == nullptr) return key;
    return apply_filter(runtime, "lower", key, {});
}

/// The items in the order of their keys; equal ones stay as they are.
Result<Values> sorted(Runtime& runtime, const Values& items, const Values& keys, bool reverse) {
    std::vector<size_t> order(items.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    Result<void> state;
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
        if (!state) return false;
        // Keys are compared as lists of one, so that equal ones need no order.
        auto same = equals(runtime, keys[a], keys[b]);
        if (!same) state = same.error();
        if (!same || *same) return false;
        auto before = reverse ? less(runtime, keys[b], keys[a]) : less(runtime, keys[a], keys[b]);
        if (!before) state = before.error();
        return before && *before;
    });
    TT_CHECK(state);
    Values out;
    for (const size_t index : order) out.push_back(items[index]);
    return out;
}

Result<Values> keys_of(Runtime& runtime, const Values& items, const std::optional<Value>& path,
                       bool case_sensitive) {
    Values keys;
    for (const Value& item : items) {
        TT_TRY(keys.emplace_back(), sort_key(runtime, item, path, case_sensitive));
    }
    return keys;
}

Result<Value> sort(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"reverse", "case_sensitive", "attribute"}));
    TT_TRY(Values items, iterate(runtime, subject));
    std::vector<std::optional<Value>> paths = {bound[2]};
    if (const Text* text = bound[2] ? if_text(*bound[2]) : nullptr;
        text != nullptr && text->bytes.find(',') != std::string::npos) {
        paths.clear();
        for (size_t begin = 0; begin <= text->bytes.size();) {
            const size_t end = std::min(text->bytes.find(',', begin), text->bytes.size());
            TextBuilder builder(runtime);
            builder.append(*text, begin, end);
            TT_TRY(const Value path, builder.finish());
            paths.emplace_back(path);
            begin = end + 1;
        }
        std::reverse(paths.begin(), paths.end());
    }
    // The last path decides least, so it sorts first.
    for (const auto& path : paths) {
        TT_TRY(const Values keys, keys_of(runtime, items, path, flag(bound[1])));
        TT_TRY(items, sorted(runtime, items, keys, flag(bound[0])));
    }
    return runtime.list(std::move(items));
}

Result<Values> dict_items(Runtime& runtime, const Value& subject, std::string_view filter) {
    const Dict* dict = if_dict(subject);
    if (dict == nullptr || dict->is_namespace) {
        return failed(std::string(filter) + ": have a '" + std::string(type_name(subject)) +
                      "', need a mapping");
    }
    Values items;
    for (const auto& [key, value] : dict->entries) {
        TT_TRY(items.emplace_back(), runtime.sequence(SequenceKind::tuple, {key, value}));
    }
    return items;
}

Result<Value> dictsort(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"case_sensitive", "by", "reverse"}));
    const Text* given = bound[1] ? if_text(*bound[1]) : nullptr;
    const std::string_view by = given == nullptr ? "key" : std::string_view(given->bytes);
    if (by != "key" && by != "value") return failed("dictsort: by must be 'key' or 'value'");
    TT_TRY(const Values items, dict_items(runtime, subject, "dictsort"));
    TT_TRY(const Values keys,
           keys_of(runtime, items, Value(int64_t{by == "key" ? 0 : 1}), flag(bound[0])));
    TT_TRY(auto out, sorted(runtime, items, keys, flag(bound[2])));
    return runtime.list(std::move(out));
}

Result<Value> items(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    if (is<Undefined>(subject)) return runtime.sequence(SequenceKind::generator, {});
    TT_TRY(auto out, dict_items(runtime, subject, "items"));
    return runtime.sequence(SequenceKind::generator, std::move(out));
}

Result<Value> groupby(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"attribute", "default", "case_sensitive"}));
    TT_TRY(const Values all, iterate(runtime, subject));
    Values keys, shown;
    for (const Value& item : all) {
        TT_TRY(shown.emplace_back(), value_at(runtime, item, bound[0], bound[1]));
        TT_TRY(keys.emplace_back(), sort_key(runtime, shown.back(), std::nullopt, flag(bound[2])));
    }
    Values places;
    for (size_t i = 0; i < all.size(); ++i) places.emplace_back(static_cast<int64_t>(i));
    TT_TRY(const Values order, sorted(runtime, places, keys, false));
    Values groups, members;
    for (size_t i = 0; i < order.size(); ++i) {
        const auto index = static_cast<size_t>(*if_integer(order[i]));
        members.push_back(all[index]);
        bool ends = i + 1 == order.size();
        if (!ends) {
            const auto next = static_cast<size_t>(*if_integer(order[i + 1]));
            TT_TRY(const bool same, equals(runtime, keys[index], keys[next]));
            ends = !same;
        }
        if (!ends) continue;
        const auto first = static_cast<size_t>(*if_integer(order[i + 1 - members.size()]));
        TT_TRY(const Value list, runtime.list(std::exchange(members, {})));
        TT_TRY(groups.emplace_back(), runtime.sequence(SequenceKind::tuple, {shown[first], list}));
    }
    return runtime.list(std::move(groups));
}

Result<Value> unique(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"case_sensitive", "attribute"}));
    TT_TRY(const Values all, iterate(runtime, subject));
    TT_TRY(const Values keys, keys_of(runtime, all, bound[1], flag(bound[0])));
    TT_TRY(Dict* const seen, runtime.dict());
    Values out;
    for (size_t i = 0; i < all.size(); ++i) {
        TT_TRY(const auto key, canonical_key(runtime, keys[i]));
        if (seen->index_of.contains(key)) continue;
        TT_CHECK(insert(runtime, *seen, keys[i], None{}));
        out.push_back(all[i]);
    }
    return runtime.sequence(SequenceKind::generator, std::move(out));
}

template <bool wants_largest>
Result<Value> extreme(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"case_sensitive", "attribute"}));
    TT_TRY(const Values all, iterate(runtime, subject));
    if (all.empty()) return Value(Undefined{});
    TT_TRY(const Values keys, keys_of(runtime, all, bound[1], flag(bound[0])));
    size_t best = 0;
    for (size_t i = 1; i < all.size(); ++i) {
        TT_TRY(const bool better, wants_largest ? less(runtime, keys[best], keys[i])
                                                : less(runtime, keys[i], keys[best]));
        if (better) best = i;
    }
    return all[best];
}

Result<Value> sum(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"attribute", "start"}));
    TT_TRY(const Values all, iterate(runtime, subject));
    Value total = bound[1].value_or(Value(int64_t{0}));
    for (const Value& item : all) {
        TT_TRY(const Value part, value_at(runtime, item, bound[0]));
        TT_TRY(total, calculate(runtime, BinaryOperator::add, total, part));
    }
    return total;
}

Result<Value> join(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"d", "attribute"}));
    TT_TRY(const Values all, iterate(runtime, subject));
    TT_TRY(const Text* const separator, str(runtime, bound[0].value_or(Value(Undefined{}))));
    TextBuilder out(runtime);
    for (size_t i = 0; i < all.size(); ++i) {
        if (i > 0) out.append(*separator);
        TT_TRY(const Value part, value_at(runtime, all[i], bound[1]));
        TT_CHECK(append_str(out, part));
    }
    return out.finish();
}

/// map, select and the like look at nothing of what is false: None there is an empty list.
Result<Values> iterate_if_true(Runtime& runtime, const Value& subject) {
    if (!is_true(subject)) return Values();
    return iterate(runtime, subject);
}

Result<Value> map(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const Values all, iterate_if_true(runtime, subject));
    Values out;
    if (arguments.positional.empty()) {
        TT_TRY(const auto bound, bind(arguments, {"attribute", "default"}));
        if (!bound[0]) return failed("map: need a filter or an attribute");
        for (const Value& item : all) {
            TT_TRY(out.emplace_back(), value_at(runtime, item, bound[0], bound[1]));
        }
    } else {
        const Text* filter = if_text(arguments.positional[0]);
        if (filter == nullptr) return failed("map: the filter must be named by a str");
        // The general error would quote it.
        if (!filter->foreign.empty() && find_filter(filter->bytes) == nullptr)
            return failed("map: there is no such filter");
        Arguments rest = arguments;
        rest.positional.erase(rest.positional.begin());
        for (const Value& item : all) {
            TT_TRY(out.emplace_back(), apply_filter(runtime, filter->bytes, item, rest));
        }
    }
    return runtime.sequence(SequenceKind::generator, std::move(out));
}

/// select, reject, selectattr, rejectattr: the items of which a test (or bool()) holds, or not.
template <bool keeps_passing, bool has_attribute>
Result<Value> choose(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const Values all, iterate_if_true(runtime, subject));
    Arguments rest = arguments;
    const auto take = [&rest]() -> std::optional<Value> {
        if (rest.positional.empty()) return std::nullopt;
        const Value first = rest.positional.front();
        rest.positional.erase(rest.positional.begin());
        return first;
    };
    std::optional<Value> path;
    if (has_attribute) path = take();
    if (has_attribute && !path) return failed("selectattr: need an attribute");
    const auto test = take();
    if (test && if_text(*test) == nullptr) return failed("select: the test must be named by a str");
    if (test && !if_text(*test)->foreign.empty() && find_test(if_text(*test)->bytes) == nullptr)
        return failed("select: there is no such test");
    Values out;
    for (const Value& item : all) {
        TT_TRY(const Value value, value_at(runtime, item, path));
        bool passes = is_true(value);
        if (test) {
            TT_TRY(passes, apply_test(runtime, if_text(*test)->bytes, value, rest));
        }
        if (passes == keeps_passing) out.push_back(item);
    }
    return runtime.sequence(SequenceKind::generator, std::move(out));
}

Result<Value> first(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    if (Sequence* sequence = if_sequence(subject)) {
        if (sequence->consumed == sequence->items.size()) return Value(Undefined{});
        const Value value = sequence->items[sequence->consumed];
        if (sequence->kind == SequenceKind::generator) ++sequence->consumed;
        return value;
    }
    TT_TRY(const Values all, iterate(runtime, subject));
    return all.empty() ? Value(Undefined{}) : all.front();
}

Result<Value> last(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    TT_TRY(const Values all, iterate(runtime, subject));
    return all.empty() ? Value(Undefined{}) : all.back();
}

Result<Value> reverse(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    if (if_text(subject) != nullptr) {
        return slice(runtime, subject, {None{}, None{}, Value(int64_t{-1})});
    }
    TT_TRY(Values all, iterate(runtime, subject));
    std::reverse(all.begin(), all.end());
    return runtime.sequence(SequenceKind::generator, std::move(all));
}

Result<Value> list(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    TT_TRY(Values all, iterate(runtime, subject));
    return runtime.list(std::move(all));
}

Result<Value> count(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    TT_TRY(const int64_t found, length(runtime, subject));
    return Value(found);
}

Result<Value> fallback(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"default_value", "boolean"}));
    if (!is<Undefined>(subject) && (!flag(bound[1]) || is_true(subject))) return subject;
    if (bound[0]) return *bound[0];
    return runtime.trusted_text("");
}

Result<Value> attribute(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"name"}));
    const Text* name = bound[0] ? if_text(*bound[0]) : nullptr;
    if (name == nullptr) return failed("attr: the name must be a str");
    // Attributes alone, no items; only those of mappings differ.
    if (const Dict* dict = if_dict(subject);
        dict != nullptr && !dict->is_namespace && find_method(subject, name->bytes) == nullptr) {
        return Value(missing(*name));
    }
    TT_TRY(const Value value, get_attribute(runtime, subject, name->bytes));
    const auto* undefined = std::get_if<Undefined>(&value);
    return undefined == nullptr || undefined->is_forbidden ? value : Value(missing(*name));
}

Result<Value> batch(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"linecount", "fill_with"}));
    const auto per_row = if_integer(bound[0].value_or(None{}));
    if (!per_row || *per_row < 1 || *per_row > range_length_max)
        return failed("batch: need a number of items a row");
    TT_TRY(const Values all, iterate(runtime, subject));
    Values rows, row;
    for (size_t i = 0; i < all.size(); ++i) {
        row.push_back(all[i]);
        const bool is_last = i + 1 == all.size();
        if (is_last && bound[1] && !is<None>(*bound[1])) {
            TT_CHECK(runtime.spend_memory(static_cast<uint64_t>(*per_row) * sizeof(Value)));
            row.resize(static_cast<size_t>(*per_row), *bound[1]);
        }
        if (row.size() < static_cast<size_t>(*per_row) && !is_last) continue;
        TT_TRY(rows.emplace_back(), runtime.list(std::exchange(row, {})));
    }
    return runtime.sequence(SequenceKind::generator, std::move(rows));
}

}  // namespace

Operation find_sequence_filter(std::string_view name) {
    static constexpr std::pair<std::string_view, Operation> filters[] = {
        {"attr", attribute},
        {"batch", batch},
        {"count", count},
        {"d", fallback},
        {"default", fallback},
        {"dictsort", dictsort},
        {"first", first},
        {"groupby", groupby},
        {"items", items},
        {"join", join},
        {"last", last},
        {"length", count},
        {"list", list},
        {"map", map},
        {"max", extreme<true>},
        {"min", extreme<false>},
        {"reject", choose<false, false>},
        {"rejectattr", choose<false, true>},
        {"reverse", reverse},
        {"select", choose<true, false>},
        {"selectattr", choose<true, true>},
        {"sort", sort},
        {"sum", sum},
        {"unique", unique},
    };
    const auto* found = std::find_if(std::begin(filters), std::end(filters),
                                     [&](const auto& filter) { return filter.first == name; });
    return found == std::end(filters) ? nullptr : found->second;
}

}  // namespace teetee::jinja
