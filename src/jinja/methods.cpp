// SPDX-License-Identifier: Apache-2.0
// Methods of mappings, lists and loops, and how arguments meet parameters.
#include <algorithm>
#include <iterator>

#include "jinja/operations.hpp"
#include "jinja/python.hpp"
#include "jinja/string_methods.hpp"

namespace teetee::jinja {
namespace {

Result<Value> dict_get(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"key", "default"}));
    if (!bound[0]) return failed("get: a key is missing");
    TT_CHECK(runtime.spend_steps());
    const Dict& dict = *if_dict(subject);
    TT_TRY(const auto key, canonical_key(runtime, *bound[0]));
    const auto place = dict.index_of.find(key);
    if (place != dict.index_of.end()) return dict.entries[place->second].second;
    return bound[1].value_or(Value(None{}));
}

template <SequenceKind kind>
Result<Value> dict_view(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    std::vector<Value> items;
    for (const auto& [key, value] : if_dict(subject)->entries) {
        if (kind == SequenceKind::dict_keys) {
            items.push_back(key);
        } else if (kind == SequenceKind::dict_values) {
            items.push_back(value);
        } else {
            TT_TRY(items.emplace_back(), runtime.sequence(SequenceKind::tuple, {key, value}));
        }
    }
    return runtime.sequence(kind, std::move(items));
}

Result<Value> dict_copy(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    TT_TRY(Dict* const copy, runtime.dict());
    for (const auto& [key, value] : if_dict(subject)->entries)
        TT_CHECK(insert(runtime, *copy, key, value));
    return Value(copy);
}

Result<Value> list_copy(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    return runtime.list(if_sequence(subject)->items);
}

template <bool counts>
Result<Value> list_search(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"value"}));
    const auto& items = if_sequence(subject)->items;
    int64_t count = 0;
    for (size_t i = 0; i < items.size(); ++i) {
        TT_TRY(const bool same, equals(runtime, items[i], bound[0].value_or(None{})));
        if (same && !counts) return Value(static_cast<int64_t>(i));
        count += same ? 1 : 0;
    }
    if (!counts) return failed("index: the value is not in the list");
    return Value(count);
}

Result<Value> loop_cycle(Runtime&, const Value& subject, const Arguments& arguments) {
    if (arguments.positional.empty()) return failed("loop.cycle: no items to cycle through");
    const Loop& loop = *std::get<Loop*>(subject);
    return arguments.positional[loop.index % arguments.positional.size()];
}

Result<Value> loop_changed(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    Loop& loop = *std::get<Loop*>(subject);
    bool same = loop.has_changed_before && loop.last_changed.size() == arguments.positional.size();
    for (size_t i = 0; same && i < loop.last_changed.size(); ++i) {
        TT_TRY(same, equals(runtime, loop.last_changed[i], arguments.positional[i]));
    }
    loop.has_changed_before = true;
    loop.last_changed = arguments.positional;
    return Value(!same);
}

using Table = std::pair<std::string_view, Operation>;

constexpr Table dict_methods[] = {
    {"copy", dict_copy},
    {"get", dict_get},
    {"items", dict_view<SequenceKind::dict_items>},
    {"keys", dict_view<SequenceKind::dict_keys>},
    {"values", dict_view<SequenceKind::dict_values>},
};
constexpr Table list_methods[] = {
    {"copy", list_copy},
    {"count", list_search<true>},
    {"index", list_search<false>},
};
constexpr Table loop_methods[] = {{"changed", loop_changed}, {"cycle", loop_cycle}};

constexpr std::string_view dict_mutators[] = {"clear", "pop", "popitem", "setdefault", "update"};
constexpr std::string_view list_mutators[] = {"append", "clear",  "extend",  "insert",
                                              "pop",    "remove", "reverse", "sort"};

template <size_t count>
Operation find_in(const Table (&table)[count], std::string_view name) {
    for (const auto& [method, operation] : table) {
        if (method == name) return operation;
    }
    return nullptr;
}

}  // namespace

bool changes_its_object(const Value& object, std::string_view name) {
    const auto among = [&](const auto& names) {
        return std::find(std::begin(names), std::end(names), name) != std::end(names);
    };
    const Dict* dict = if_dict(object);
    const Sequence* sequence = if_sequence(object);
    return (dict != nullptr && !dict->is_namespace && among(dict_mutators)) ||
           (sequence != nullptr && sequence->kind == SequenceKind::list && among(list_mutators));
}

Operation find_method(const Value& object, std::string_view name) {
    if (if_text(object) != nullptr) return find_string_method(name);
    if (const Dict* dict = if_dict(object); dict != nullptr && !dict->is_namespace)
        return find_in(dict_methods, name);
    if (const Sequence* sequence = if_sequence(object);
        sequence != nullptr && sequence->kind <= SequenceKind::range) {
        return name == "copy" && sequence->kind != SequenceKind::list ? nullptr
                                                                      : find_in(list_methods, name);
    }
    if (is<Loop*>(object)) return find_in(loop_methods, name);
    return nullptr;
}

Result<Bound> bind(const Arguments& arguments, std::initializer_list<std::string_view> names) {
    Bound out(names.size());
    if (arguments.positional.size() > names.size()) {
        return failed("have " + std::to_string(arguments.positional.size()) +
                      " arguments, need at most " + std::to_string(names.size()));
    }
    std::copy(arguments.positional.begin(), arguments.positional.end(), out.begin());
    for (const auto& [name, value] : arguments.named) {
        const auto* place = std::find(names.begin(), names.end(), name);
        if (place == names.end()) return failed("unknown argument " + quote_foreign(name));
        auto& slot = out[static_cast<size_t>(place - names.begin())];
        if (slot) return failed("the argument '" + name + "' is given twice");
        slot = value;
    }
    return out;
}

}  // namespace teetee::jinja
