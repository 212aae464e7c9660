// SPDX-License-Identifier: Apache-2.0
#include "jinja/python.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "jinja/text_search.hpp"
#include "jinja/unicode.hpp"

namespace teetee::jinja {
namespace {

Result<void> ensure_depth(size_t depth) {
    if (depth > value_depth_max)
        return fail(ErrorCode::limit_exceeded, "a value is nested too deep");
    return {};
}

void append_hex(std::string& out, std::string_view prefix, uint32_t number, int digits) {
    out += prefix;
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
        out.push_back("0123456789abcdef"[number >> shift & 0xf]);
}

void append_repr_point(std::string& out, std::string_view point_text, char quote) {
    const char32_t point = point_at(point_text);
    if (point == '\n') {
        out += "\\n";
    } else if (point == '\r') {
        out += "\\r";
    } else if (point == '\t') {
        out += "\\t";
    } else if (point == '\\' || point == static_cast<char32_t>(quote)) {
        out += '\\';
        out += point_text;
    } else if (is_printable(point)) {
        out += point_text;
    } else if (point < 0x100) {
        append_hex(out, "\\x", point, 2);
    } else if (point < 0x10000) {
        append_hex(out, "\\u", point, 4);
    } else {
        append_hex(out, "\\U", point, 8);
    }
}

void append_text_repr(TextBuilder& out, const Text& text) {
    const bool has_single = text.bytes.find('\'') != std::string::npos;
    const bool has_double = text.bytes.find('"') != std::string::npos;
    const char quote = has_single && !has_double ? '"' : '\'';
    std::string quoted(1, quote);
    for (std::string_view rest = text.bytes; !rest.empty();) {
        const size_t bytes = point_bytes(rest);
        append_repr_point(quoted, rest.substr(0, bytes), quote);
        rest.remove_prefix(bytes);
    }
    quoted.push_back(quote);
    out.derived(quoted, text, 0, text.bytes.size());
}

Result<void> append_items(TextBuilder& out, const std::vector<Value>& items, size_t depth) {
    for (size_t i = 0; i < items.size(); ++i) {
        if (i > 0) out.trusted(", ");
        TT_CHECK(append_repr(out, items[i], depth + 1));
    }
    return {};
}

Result<void> append_sequence_repr(TextBuilder& out, const Sequence& sequence, size_t depth) {
    std::string_view open = "[", close = "]";
    switch (sequence.kind) {
        case SequenceKind::list:
            break;
        case SequenceKind::tuple:
            open = "(";
            close = sequence.items.size() == 1 ? ",)" : ")";
            break;
        case SequenceKind::range: {
            out.trusted("range(" + std::to_string(sequence.begin) + ", " +
                        std::to_string(sequence.end) +
                        (sequence.step == 1 ? "" : ", " + std::to_string(sequence.step)) + ")");
            return {};
        }
        case SequenceKind::generator:
            out.trusted("<generator object>");
            return {};
        case SequenceKind::dict_keys:
            open = "dict_keys([", close = "])";
            break;
        case SequenceKind::dict_values:
            open = "dict_values([", close = "])";
            break;
        case SequenceKind::dict_items:
            open = "dict_items([", close = "])";
            break;
    }
    out.trusted(open);
    TT_CHECK(append_items(out, sequence.items, depth));
    out.trusted(close);
    return {};
}

Result<void> append_dict_repr(TextBuilder& out, const Dict& dict, size_t depth) {
    out.trusted(dict.is_namespace ? "<Namespace {" : "{");
    for (size_t i = 0; i < dict.entries.size(); ++i) {
        if (i > 0) out.trusted(", ");
        TT_CHECK(append_repr(out, dict.entries[i].first, depth + 1));
        out.trusted(": ");
        TT_CHECK(append_repr(out, dict.entries[i].second, depth + 1));
    }
    out.trusted(dict.is_namespace ? "}>" : "}");
    return {};
}

/// Numbers of any two types compare exactly: 64 bits of mantissa hold every int64.
std::optional<long double> exact_number(const Value& value) {
    if (const auto integer = if_integer(value)) return static_cast<long double>(*integer);
    if (const auto* number = std::get_if<double>(&value)) return static_cast<long double>(*number);
    return std::nullopt;
}

bool is_list_or_tuple(const Sequence& sequence) {
    return sequence.kind == SequenceKind::list || sequence.kind == SequenceKind::tuple;
}

Result<bool> dicts_equal(Runtime& runtime, const Dict& left, const Dict& right, size_t depth) {
    if (left.is_namespace || right.is_namespace) return &left == &right;
    if (left.entries.size() != right.entries.size()) return false;
    for (const auto& [key, index] : left.index_of) {
        const auto other = right.index_of.find(key);
        if (other == right.index_of.end()) return false;
        TT_TRY(const bool same, equals(runtime, left.entries[index].second,
                                       right.entries[other->second].second, depth + 1));
        if (!same) return false;
    }
    return true;
}

}  // namespace

bool is_true(const Value& value) {
    if (is<Undefined>(value) || is<None>(value)) return false;
    if (const auto number = if_number(value)) return *number != 0;
    if (const Text* text = if_text(value)) return !text->bytes.empty();
    if (const Sequence* sequence = if_sequence(value))
        return sequence->kind == SequenceKind::generator || !sequence->items.empty();
    if (const Dict* dict = if_dict(value)) return dict->is_namespace || !dict->entries.empty();
    return true;
}

std::string_view type_name(const Value& value) {
    static constexpr std::string_view sequences[] = {
        "list", "tuple", "range", "generator", "dict_keys", "dict_values", "dict_items"};
    static constexpr std::string_view others[] = {"Undefined", "NoneType",   "bool", "int",
                                                  "float",     "str",        "",     "dict",
                                                  "function",  "LoopContext"};
    if (const Sequence* sequence = if_sequence(value))
        return sequences[static_cast<size_t>(sequence->kind)];
    if (const Dict* dict = if_dict(value); dict != nullptr && dict->is_namespace)
        return "Namespace";
    return others[value.index()];
}

Error undefined_error(const Undefined& undefined) {
    const std::string name = undefined.name == nullptr ? "a value" : quote_foreign(*undefined.name);
    return failed(name +
                  (undefined.is_forbidden ? " is not allowed in a sandbox" : " is undefined"));
}

std::string float_repr(double number) {
    if (std::isnan(number)) return "nan";
    if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
    char buffer[64];
    const auto scientific =
        std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific);
    const std::string_view text(buffer, static_cast<size_t>(scientific.ptr - buffer));
    int exponent = 0;
    const size_t mark = text.find('e');
    const char* digits = text.data() + mark + (text[mark + 1] == '+' ? 2 : 1);
    std::from_chars(digits, scientific.ptr, exponent);
    if (exponent < -4 || exponent >= 16) return std::string(text);
    const auto fixed =
        std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::fixed);
    std::string out(buffer, fixed.ptr);
    if (out.find('.') == std::string::npos) out += ".0";
    return out;
}

Result<void> append_str(TextBuilder& out, const Value& value) {
    if (const Text* text = if_text(value)) {
        out.append(*text);
        return {};
    }
    if (const auto* undefined = std::get_if<Undefined>(&value)) {
        if (undefined->is_forbidden) return undefined_error(*undefined);
        return {};
    }
    return append_repr(out, value);
}

Result<void> append_repr(TextBuilder& out, const Value& value, size_t depth) {
    TT_CHECK(ensure_depth(depth));
    TT_CHECK(out.spend_step());
    if (const Text* text = if_text(value)) {
        append_text_repr(out, *text);
    } else if (const Sequence* sequence = if_sequence(value)) {
        return append_sequence_repr(out, *sequence, depth);
    } else if (const Dict* dict = if_dict(value)) {
        return append_dict_repr(out, *dict, depth);
    } else if (is<Undefined>(value)) {
        out.trusted("Undefined");
    } else if (is<None>(value)) {
        out.trusted("None");
    } else if (const auto* boolean = std::get_if<bool>(&value)) {
        out.trusted(*boolean ? "True" : "False");
    } else if (const auto integer = if_integer(value)) {
        out.trusted(std::to_string(*integer));
    } else if (const auto* number = std::get_if<double>(&value)) {
        out.trusted(float_repr(*number));
    } else {
        out.trusted("<" + std::string(type_name(value)) + ">");
    }
    return {};
}

Result<const Text*> str(Runtime& runtime, const Value& value) {
    if (const Text* text = if_text(value)) return text;
    TextBuilder out(runtime);
    TT_CHECK(append_str(out, value));
    TT_TRY(const Value made, out.finish());
    return if_text(made);
}

Result<bool> equals(Runtime& runtime, const Value& left, const Value& right, size_t depth) {
    TT_CHECK(ensure_depth(depth));
    TT_CHECK(runtime.spend_steps());
    const auto left_number = exact_number(left), right_number = exact_number(right);
    if (left_number && right_number) return *left_number == *right_number;
    if (left.index() != right.index()) return false;
    if (const Text* text = if_text(left)) {
        TT_CHECK(runtime.spend_steps(text->bytes.size() / 32));
        return text->bytes == if_text(right)->bytes;
    }
    if (const Dict* dict = if_dict(left))
        return dicts_equal(runtime, *dict, *if_dict(right), depth);
    if (const Sequence* sequence = if_sequence(left)) {
        const Sequence& other = *if_sequence(right);
        if (sequence == &other) return true;
        if (sequence->kind != other.kind || sequence->items.size() != other.items.size() ||
            !(is_list_or_tuple(*sequence) || sequence->kind == SequenceKind::range)) {
            return false;
        }
        for (size_t i = 0; i < other.items.size(); ++i) {
            TT_TRY(const bool same, equals(runtime, sequence->items[i], other.items[i], depth + 1));
            if (!same) return false;
        }
        return true;
    }
    if (is<Undefined>(left) || is<None>(left)) return true;
    if (const Callable* callable = if_callable(left)) return callable == if_callable(right);
    return std::get<Loop*>(left) == std::get<Loop*>(right);
}

Result<bool> less(Runtime& runtime, const Value& left, const Value& right, size_t depth) {
    TT_CHECK(ensure_depth(depth));
    TT_CHECK(runtime.spend_steps());
    const auto left_number = exact_number(left), right_number = exact_number(right);
    if (left_number && right_number) return *left_number < *right_number;
    const Text *text = if_text(left), *other_text = if_text(right);
    if (text != nullptr && other_text != nullptr) {
        TT_CHECK(runtime.spend_steps(text->bytes.size() / 32));
        // The order of UTF-8 is the order of code points.
        return text->bytes < other_text->bytes;
    }
    const Sequence *sequence = if_sequence(left), *other = if_sequence(right);
    if (sequence != nullptr && other != nullptr && sequence->kind == other->kind &&
        is_list_or_tuple(*sequence)) {
        const size_t common = std::min(sequence->items.size(), other->items.size());
        for (size_t i = 0; i < common; ++i) {
            TT_TRY(const bool same,
                   equals(runtime, sequence->items[i], other->items[i], depth + 1));
            if (!same) return less(runtime, sequence->items[i], other->items[i], depth + 1);
        }
        return sequence->items.size() < other->items.size();
    }
    for (const Value& side : {left, right}) {
        if (const auto* undefined = std::get_if<Undefined>(&side))
            return undefined_error(*undefined);
    }
    return failed("cannot compare '" + std::string(type_name(left)) + "' and '" +
                  std::string(type_name(right)) + "' by order");
}

Result<bool> contains(Runtime& runtime, const Value& container, const Value& item) {
    TT_CHECK(runtime.spend_steps());
    if (const Text* text = if_text(container)) {
        const Text* part = if_text(item);
        if (part == nullptr)
            return failed("'in' of a str: have '" + std::string(type_name(item)) + "', need 'str'");
        TT_TRY(const auto places,
               places_in(runtime, text->bytes, {.part = part->bytes, .count_max = 1}));
        return !places.empty();
    }
    if (const Dict* dict = if_dict(container); dict != nullptr && !dict->is_namespace) {
        TT_TRY(const auto key, canonical_key(runtime, item));
        return dict->index_of.contains(key);
    }
    TT_TRY(const auto items, iterate(runtime, container));
    for (const Value& candidate : items) {
        TT_TRY(const bool same, equals(runtime, candidate, item));
        if (same) return true;
    }
    return false;
}

Result<std::string> canonical_key(Runtime& runtime, const Value& key, size_t depth) {
    TT_CHECK(ensure_depth(depth));
    TT_CHECK(runtime.spend_steps());
    if (const Text* text = if_text(key)) {
        TT_CHECK(runtime.spend_steps(text->bytes.size() / 32));
        return "s" + text->bytes;
    }
    if (const auto integer = if_integer(key)) return "i" + std::to_string(*integer);
    if (const auto* number = std::get_if<double>(&key)) {
        if (std::trunc(*number) == *number && std::abs(*number) < 0x1p63)
            return "i" + std::to_string(static_cast<int64_t>(*number));
        return "f" + float_repr(*number);
    }
    if (is<None>(key)) return std::string("n");
    if (is<Undefined>(key)) return std::string("u");
    if (const Sequence* tuple = if_sequence(key);
        tuple != nullptr && depth < key_depth_max &&
        (tuple->kind == SequenceKind::tuple || tuple->kind == SequenceKind::range)) {
        std::string out = tuple->kind == SequenceKind::tuple ? "t" : "r";
        for (const Value& item : tuple->items) {
            TT_TRY(const auto part, canonical_key(runtime, item, depth + 1));
            TT_CHECK(runtime.spend_memory(part.size()));
            out += std::to_string(part.size()) + ":" + part;
        }
        return out;
    }
    return failed("a '" + std::string(type_name(key)) + "' cannot be a key");
}

Result<void> insert(Runtime& runtime, Dict& dict, const Value& key, const Value& value) {
    TT_TRY(auto canonical, canonical_key(runtime, key));
    TT_CHECK(runtime.spend_memory(2 * sizeof(Value) + canonical.size() + 64));
    const auto [place, is_new] =
        dict.index_of.try_emplace(std::move(canonical), dict.entries.size());
    if (is_new) {
        dict.entries.emplace_back(key, value);
    } else {
        dict.entries[place->second].second = value;
    }
    return {};
}

const Value* find(const Dict& dict, std::string_view text_key) {
    const auto place = dict.index_of.find("s" + std::string(text_key));
    return place == dict.index_of.end() ? nullptr : &dict.entries[place->second].second;
}

}  // namespace teetee::jinja
