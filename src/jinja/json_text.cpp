// SPDX-License-Identifier: Apache-2.0
// json.dumps of Python.
#include <algorithm>
#include <cmath>

#include "jinja/operations.hpp"
#include "jinja/python.hpp"
#include "jinja/unicode.hpp"

namespace teetee::jinja {
namespace {

class JsonWriter {
  public:
    JsonWriter(Runtime& runtime, const JsonStyle& style)
        : runtime_(runtime), style_(style), out_(runtime) {}

    Result<void> value(const Value& value, size_t depth);
    Result<Value> finish() { return out_.finish(); }

  private:
    void text(const Text& text);
    Result<void> list(const Sequence& list, size_t depth);
    Result<void> dict(const Dict& dict, size_t depth);
    Result<void> key(const Value& key);
    void new_line(size_t depth);
    static std::string number(double number);

    Runtime& runtime_;
    const JsonStyle& style_;
    TextBuilder out_;
};

std::string escaped(char32_t point, bool ensure_ascii) {
    static constexpr std::string_view plain = "\"\\\n\r\t\f\b", letters = "\"\\nrtfb";
    const size_t index = point < 0x80 ? plain.find(static_cast<char>(point)) : plain.npos;
    if (index != plain.npos) return {'\\', letters[index]};
    if (point >= 0x20 && (point < 0x7f || !ensure_ascii)) return "";
    const auto unit = [](uint32_t code) {
        std::string out = "\\u";
        for (int shift = 12; shift >= 0; shift -= 4)
            out.push_back("0123456789abcdef"[code >> shift & 0xf]);
        return out;
    };
    if (point < 0x10000) return unit(point);
    return unit(0xd800 + ((point - 0x10000) >> 10)) + unit(0xdc00 + ((point - 0x10000) & 0x3ff));
}

void JsonWriter::text(const Text& text) {
    out_.trusted("\"");
    size_t begin = 0, at = 0;
    while (at < text.bytes.size()) {
        const std::string_view rest = std::string_view(text.bytes).substr(at);
        const size_t bytes = point_bytes(rest);
        const std::string code = escaped(point_at(rest), style_.ensure_ascii);
        if (!code.empty()) {
            out_.append(text, begin, at);
            out_.derived(code, text, at, at + bytes);
            begin = at + bytes;
        }
        at += bytes;
    }
    out_.append(text, begin, at);
    out_.trusted("\"");
}

void JsonWriter::new_line(size_t depth) {
    if (!style_.indent) return;
    out_.trusted("\n");
    for (size_t i = 0; i < depth; ++i) out_.append(*style_.indent);
}

std::string JsonWriter::number(double number) {
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
    return float_repr(number);
}

Result<void> JsonWriter::value(const Value& value, size_t depth) {
    if (depth > value_depth_max)
        return fail(ErrorCode::limit_exceeded, "tojson: a value is nested too deep");
    TT_CHECK(runtime_.spend_steps());
    if (const Text* string = if_text(value)) {
        text(*string);
    } else if (is<None>(value)) {
        out_.trusted("null");
    } else if (const auto* boolean = std::get_if<bool>(&value)) {
        out_.trusted(*boolean ? "true" : "false");
    } else if (const auto integer = if_integer(value)) {
        out_.trusted(std::to_string(*integer));
    } else if (const auto* real = std::get_if<double>(&value)) {
        out_.trusted(number(*real));
    } else if (const Sequence* sequence = if_sequence(value);
               sequence != nullptr && sequence->kind <= SequenceKind::tuple) {
        return list(*sequence, depth);
    } else if (const Dict* mapping = if_dict(value); mapping != nullptr && !mapping->is_namespace) {
        return dict(*mapping, depth);
    } else if (const auto* undefined = std::get_if<Undefined>(&value)) {
        return undefined_error(*undefined);
    } else {
        return failed("tojson: a '" + std::string(type_name(value)) + "' is not JSON");
    }
    return {};
}

Result<void> JsonWriter::list(const Sequence& list, size_t depth) {
    out_.trusted("[");
    for (size_t i = 0; i < list.items.size(); ++i) {
        if (i > 0) out_.append(style_.item_separator);
        new_line(depth + 1);
        TT_CHECK(value(list.items[i], depth + 1));
    }
    if (!list.items.empty()) new_line(depth);
    out_.trusted("]");
    return {};
}

Result<void> JsonWriter::key(const Value& key) {
    if (const Text* string = if_text(key)) {
        text(*string);
        return {};
    }
    if (!is<None>(key) && !if_number(key))
        return failed("tojson: a key is a '" + std::string(type_name(key)) + "', need a str");
    out_.trusted("\"");
    TT_CHECK(value(key, 0));
    out_.trusted("\"");
    return {};
}

Result<void> JsonWriter::dict(const Dict& dict, size_t depth) {
    std::vector<size_t> order(dict.entries.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    if (style_.sort_keys) {
        Result<void> state;
        std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
            if (!state) return false;
            auto before = less(runtime_, dict.entries[a].first, dict.entries[b].first);
            if (!before) state = before.error();
            return before && *before;
        });
        TT_CHECK(state);
    }
    out_.trusted("{");
    for (size_t i = 0; i < order.size(); ++i) {
        const auto& [name, item] = dict.entries[order[i]];
        if (i > 0) out_.append(style_.item_separator);
        new_line(depth + 1);
        TT_CHECK(key(name));
        out_.append(style_.key_separator);
        TT_CHECK(value(item, depth + 1));
    }
    if (!order.empty()) new_line(depth);
    out_.trusted("}");
    return {};
}

}  // namespace

Result<Value> to_json(Runtime& runtime, const Value& value, const JsonStyle& style) {
    JsonWriter writer(runtime, style);
    TT_CHECK(writer.value(value, 0));
    return writer.finish();
}

}  // namespace teetee::jinja
