// SPDX-License-Identifier: Apache-2.0
// Filters that make texts and numbers (jinja2.filters).
#include "jinja/text_filters.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

#include "jinja/python.hpp"
#include "jinja/string_methods.hpp"
#include "jinja/unicode.hpp"

namespace teetee::jinja {
namespace {

Result<Value> to_string(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    TT_TRY(const Text* const text, str(runtime, subject));
    return Value(text);
}

/// A method of str as a filter: the subject becomes a text first.
template <Operation method>
Result<Value> on_text(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const Text* const text, str(runtime, subject));
    return method(runtime, Value(text), arguments);
}

/// As on_text, and the arguments become texts too: 'a1'|replace(1, 2).
Result<Value> replace(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"old", "new", "count"}));
    Arguments texts;
    for (size_t i = 0; i < bound.size(); ++i) {
        if (i == 2 || !bound[i]) {
            texts.positional.push_back(bound[i].value_or(None{}));
            continue;
        }
        TT_TRY(const Text* const text, str(runtime, *bound[i]));
        texts.positional.push_back(text);
    }
    return on_text<str_replace>(runtime, subject, texts);
}

/// Words begin behind white space, "-" and opening brackets.
Result<Value> title(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    TT_TRY(const Text* const text, str(runtime, subject));
    TextBuilder out(runtime);
    bool begins = true;
    for (size_t at = 0; at < text->bytes.size();) {
        const std::string_view rest = std::string_view(text->bytes).substr(at);
        const char32_t point = point_at(rest);
        std::string changed;
        append_in_case(changed, point, begins ? Case::upper : Case::lower);
        begins = is_space(point) ||
                 (point < 0x80 && std::string_view("-({[<").find(static_cast<char>(point)) !=
                                      std::string_view::npos);
        out.derived(changed, *text, at, at + point_bytes(rest));
        at += point_bytes(rest);
    }
    return out.finish();
}

Result<Value> indent(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"width", "first", "blank"}));
    if (const auto* undefined = std::get_if<Undefined>(&subject))
        return undefined_error(*undefined);
    if (if_text(subject) == nullptr) return failed("indent: need a str");
    Text indention;
    if (const Text* given = bound[0] ? if_text(*bound[0]) : nullptr) {
        indention = *given;
    } else {
        const auto width = if_integer(bound[0].value_or(Value(int64_t{4})));
        if (!width) return failed("indent: the width must be an integer or a str");
        if (*width > static_cast<int64_t>(format_width_max))
            return fail(ErrorCode::limit_exceeded, "indent: too wide");
        indention =
            Text::trusted(std::string(static_cast<size_t>(std::max<int64_t>(*width, 0)), ' '));
    }
    const bool blank = bound[2] && is_true(*bound[2]);
    TT_TRY(const Text* const text, str(runtime, subject));
    const std::string padded = text->bytes + "\n";
    TextBuilder out(runtime);
    if (bound[1] && is_true(*bound[1])) out.append(indention);
    bool is_first = true;
    for (const Span& line : split_lines(padded)) {
        if (!is_first) {
            out.trusted("\n");
            if (blank || line.end > line.begin) out.append(indention);
        }
        is_first = false;
        out.append(*text, line.begin, line.end);
    }
    return out.finish();
}

Result<Value> escape(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    TT_TRY(const Text* const text, str(runtime, subject));
    TextBuilder out(runtime);
    for (size_t at = 0; at < text->bytes.size(); ++at) {
        const char c = text->bytes[at];
        const std::string_view name = c == '&'    ? "&amp;"
                                      : c == '<'  ? "&lt;"
                                      : c == '>'  ? "&gt;"
                                      : c == '\'' ? "&#39;"
                                      : c == '"'  ? "&#34;"
                                                  : "";
        out.derived(name.empty() ? std::string_view(&c, 1) : name, *text, at, at + 1);
    }
    return out.finish();
}

Result<Value> urlencode(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    TT_TRY(const Text* const text, str(runtime, subject));
    TextBuilder out(runtime);
    for (size_t at = 0; at < text->bytes.size(); ++at) {
        const char c = text->bytes[at];
        const bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                              (c >= 'A' && c <= 'Z') ||
                              std::string_view("_.-~/").find(c) != std::string_view::npos;
        const auto byte = static_cast<uint8_t>(c);
        const char coded[] = {'%', "0123456789ABCDEF"[byte >> 4], "0123456789ABCDEF"[byte & 15]};
        out.derived(is_plain ? std::string_view(&c, 1) : std::string_view(coded, 3), *text, at,
                    at + 1);
    }
    return out.finish();
}

Result<Value> truncate(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"length", "killwords", "end", "leeway"}));
    const int64_t length = if_integer(bound[0].value_or(None{})).value_or(255);
    const int64_t leeway = if_integer(bound[3].value_or(None{})).value_or(5);
    const Text dots = Text::trusted("...");
    const Text* given_end = bound[2] ? if_text(*bound[2]) : nullptr;
    const Text& end = given_end == nullptr ? dots : *given_end;
    // Python asks for a length first: what is short passes, whatever it is. Undefined has a length.
    const Sequence* sequence = if_sequence(subject);
    const int64_t size = sequence == nullptr ? 0 : static_cast<int64_t>(sequence->items.size());
    if (is<Undefined>(subject) || (sequence != nullptr && size <= length + leeway)) return subject;
    const Text* text = if_text(subject);
    if (text == nullptr) return failed("truncate: need a str");
    TT_CHECK(runtime.spend_steps(text->bytes.size() / 8));
    const int64_t kept = length - static_cast<int64_t>(count_points(end.bytes));
    if (kept < 0 || leeway < 0) return failed("truncate: need a length of at least the end's");
    if (static_cast<int64_t>(count_points(text->bytes)) <= length + leeway) return Value(text);
    size_t cut = offset_of_point(text->bytes, static_cast<size_t>(kept));
    if (!bound[1] || !is_true(*bound[1])) {
        const size_t space = std::string_view(text->bytes).substr(0, cut).rfind(' ');
        if (space != std::string_view::npos) cut = space;
    }
    TextBuilder out(runtime);
    out.append(*text, 0, cut);
    out.append(end);
    return out.finish();
}

Result<Value> wordcount(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    TT_TRY(const Text* const text, str(runtime, subject));
    TT_CHECK(runtime.spend_steps(text->bytes.size() / 8));
    int64_t words = 0;
    bool inside = false;
    for (size_t at = 0; at < text->bytes.size();) {
        const std::string_view rest = std::string_view(text->bytes).substr(at);
        const char32_t point = point_at(rest);
        const bool is_word = point == '_' || is_alphabetic(point) || is_digit(point);
        words += is_word && !inside ? 1 : 0;
        inside = is_word;
        at += point_bytes(rest);
    }
    return Value(words);
}

Result<Value> format(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const Text* const text, str(runtime, subject));
    if (arguments.named.empty())
        return format_percent(runtime, *text, arguments.positional, None{});
    if (!arguments.positional.empty()) return failed("format: positional and named arguments");
    TT_TRY(Dict* const mapping, runtime.dict());
    for (const auto& [name, value] : arguments.named) {
        TT_TRY(const Value key, runtime.trusted_text(name));
        TT_CHECK(insert(runtime, *mapping, key, value));
    }
    return format_percent(runtime, *text, {Value(mapping)}, mapping);
}

/// What Python's int() and float() take around and inside of digits.
std::string number_digits(std::string_view text) {
    text = text.substr(0, trailing_space_begin(text));
    text.remove_prefix(leading_space_end(text));
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        const bool joins = text[i] == '_' && i > 0 && i + 1 < text.size() && text[i - 1] != '_';
        if (!joins) out.push_back(text[i]);
    }
    if (out.starts_with('+') && !out.starts_with("+-")) out.erase(0, 1);
    return out;
}

template <class Number, class... Options>
std::optional<Number> parse_number(const std::string& digits, Options... options) {
    Number number{};
    const char* end = digits.data() + digits.size();
    const auto outcome = std::from_chars(digits.data(), end, number, options...);
    if (outcome.ec != std::errc() || outcome.ptr != end) return std::nullopt;
    return number;
}

Result<Value> to_int(Runtime&, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"default", "base"}));
    const Value fallback = bound[0].value_or(Value(int64_t{0}));
    const int64_t base = if_integer(bound[1].value_or(None{})).value_or(10);
    if (base < 2 || base > 36) return failed("int: the base must be from 2 to 36");
    if (const auto* undefined = std::get_if<Undefined>(&subject))
        return undefined_error(*undefined);
    if (const auto integer = if_integer(subject)) return Value(*integer);
    std::optional<double> number = if_number(subject);
    if (const Text* text = if_text(subject)) {
        std::string digits = number_digits(text->bytes);
        if (base == 16 && (digits.starts_with("0x") || digits.starts_with("0X")))
            digits.erase(0, 2);
        if (const auto integer = parse_number<int64_t>(digits, static_cast<int>(base)))
            return Value(*integer);
        number = parse_number<double>(digits);
    }
    if (!number || !(std::abs(*number) < 0x1p63)) return fallback;
    return Value(static_cast<int64_t>(*number));
}

Result<Value> to_float(Runtime&, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"default"}));
    if (const auto* undefined = std::get_if<Undefined>(&subject))
        return undefined_error(*undefined);
    if (const auto number = if_number(subject)) return Value(*number);
    if (const Text* text = if_text(subject)) {
        if (const auto number = parse_number<double>(number_digits(text->bytes)))
            return Value(*number);
    }
    return bound[0].value_or(Value(0.0));
}

Result<Value> absolute(Runtime&, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    if (const auto integer = if_integer(subject)) {
        if (*integer < 0) return negate(subject, UnaryOperator::negate);
        return Value(*integer);
    }
    if (const auto number = if_number(subject)) return Value(std::abs(*number));
    return failed("abs: have a '" + std::string(type_name(subject)) + "', need a number");
}

Result<Value> round_number(Runtime&, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"precision", "method"}));
    const int64_t precision = if_integer(bound[0].value_or(None{})).value_or(0);
    if (precision < -300 || precision > 300) return failed("round: the precision is out of range");
    const Text* given = bound[1] ? if_text(*bound[1]) : nullptr;
    const std::string_view method = given == nullptr ? "common" : std::string_view(given->bytes);
    const auto number = if_number(subject);
    if (!number)
        return failed("round: have a '" + std::string(type_name(subject)) + "', need a number");
    if (method == "ceil" || method == "floor") {
        const double scale = std::pow(10.0, static_cast<double>(precision));
        const double scaled = *number * scale;
        return Value((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale);
    }
    if (method != "common") return failed("round: the method must be common, ceil or floor");
    if (if_integer(subject) && precision >= 0) return Value(*if_integer(subject));
    if (precision < 0) {
        const double scale = std::pow(10.0, static_cast<double>(-precision));
        const double rounded = std::nearbyint(*number / scale) * scale;
        if (if_integer(subject)) return Value(static_cast<int64_t>(rounded));
        return Value(rounded);
    }
    if (!std::isfinite(*number)) return Value(*number);
    // Correctly rounded from the exact value, ties to even, as Python does.
    std::string digits(700, '\0');
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *number,
                                   std::chars_format::fixed, static_cast<int>(precision));
    digits.resize(static_cast<size_t>(end.ptr - digits.data()));
    return Value(parse_number<double>(digits).value_or(*number));
}

Result<Value> tojson(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound,
           bind(arguments, {"ensure_ascii", "indent", "separators", "sort_keys"}));
    JsonStyle style;
    style.ensure_ascii = bound[0] && is_true(*bound[0]);
    style.sort_keys = bound[3] && is_true(*bound[3]);
    if (bound[1] && !is<None>(*bound[1])) {
        const auto width = if_integer(*bound[1]);
        const Text* text = if_text(*bound[1]);
        if (!width && text == nullptr)
            return failed("tojson: the indent must be an integer or a str");
        if (width && *width > static_cast<int64_t>(format_width_max))
            return fail(ErrorCode::limit_exceeded, "tojson: the indent is too wide");
        style.indent = text != nullptr
                           ? *text
                           : Text::trusted(std::string(
                                 static_cast<size_t>(std::max<int64_t>(*width, 0)), ' '));
    }
    style.item_separator = Text::trusted(style.indent ? "," : ", ");
    style.key_separator = Text::trusted(": ");
    if (bound[2] && !is<None>(*bound[2])) {
        TT_TRY(const auto pair, iterate(runtime, *bound[2]));
        if (pair.size() != 2 || if_text(pair[0]) == nullptr || if_text(pair[1]) == nullptr)
            return failed("tojson: separators must be two texts");
        style.item_separator = *if_text(pair[0]);
        style.key_separator = *if_text(pair[1]);
    }
    return to_json(runtime, subject, style);
}

}  // namespace

Operation find_text_filter(std::string_view name) {
    static constexpr std::pair<std::string_view, Operation> filters[] = {
        {"abs", absolute},
        {"capitalize", on_text<str_capitalize>},
        {"center", on_text<str_center>},
        {"e", escape},
        {"escape", escape},
        {"float", to_float},
        {"forceescape", escape},
        {"format", format},
        {"indent", indent},
        {"int", to_int},
        {"lower", on_text<str_lower>},
        {"replace", replace},
        {"round", round_number},
        {"safe", to_string},
        {"string", to_string},
        {"title", title},
        {"tojson", tojson},
        {"trim", on_text<str_strip>},
        {"truncate", truncate},
        {"upper", on_text<str_upper>},
        {"urlencode", urlencode},
        {"wordcount", wordcount},
    };
    const auto* found = std::find_if(std::begin(filters), std::end(filters),
                                     [&](const auto& filter) { return filter.first == name; });
    return found == std::end(filters) ? nullptr : found->second;
}

Operation find_filter(std::string_view name) {
    const Operation found = find_text_filter(name);
    return found != nullptr ? found : find_sequence_filter(name);
}

Result<Value> apply_filter(Runtime& runtime, std::string_view name, const Value& subject,
                           const Arguments& arguments) {
    const Operation filter = find_filter(name);
    if (filter == nullptr) return failed("no filter named " + quote_foreign(name));
    TT_CHECK(runtime.spend_steps());
    if (const auto* undefined = std::get_if<Undefined>(&subject);
        undefined != nullptr && undefined->is_forbidden && name != "default" && name != "d") {
        return undefined_error(*undefined);
    }
    return filter(runtime, subject, arguments);
}

}  // namespace teetee::jinja
