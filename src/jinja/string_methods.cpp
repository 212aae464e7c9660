// SPDX-License-Identifier: Apache-2.0
#include "jinja/string_methods.hpp"

#include <algorithm>
#include <iterator>

#include "jinja/python.hpp"
#include "jinja/text_search.hpp"
#include "jinja/unicode.hpp"

namespace teetee::jinja {
namespace {

Result<const Text*> text_argument(const std::optional<Value>& given, std::string_view name) {
    if (const Text* text = given ? if_text(*given) : nullptr) return text;
    return failed("'" + std::string(name) + "' must be a str");
}

Result<int64_t> integer_argument(const std::optional<Value>& given, int64_t fallback) {
    if (!given || is<None>(*given)) return fallback;
    if (const auto integer = if_integer(*given)) return *integer;
    return failed("have a '" + std::string(type_name(*given)) + "', need an integer");
}

Result<Value> part(Runtime& runtime, const Text& text, Span span) {
    TextBuilder out(runtime);
    out.append(text, span.begin, span.end);
    return out.finish();
}

/// Each code point in the case that `choose` says.
template <class Choose>
Result<Value> in_case(Runtime& runtime, const Text& text, Choose choose) {
    TextBuilder out(runtime);
    for (size_t at = 0; at < text.bytes.size();) {
        const std::string_view rest = std::string_view(text.bytes).substr(at);
        const char32_t point = point_at(rest);
        std::string changed;
        append_in_case(changed, point, choose(point));
        out.derived(changed, text, at, at + point_bytes(rest));
        at += point_bytes(rest);
    }
    return out.finish();
}

enum class Side { left, right, both };

/// What is left without the characters of `set` (white space if null) at the sides.
Span stripped(const Text& text, const Text* set, Side side) {
    const std::string_view bytes = text.bytes;
    if (set == nullptr) {
        const size_t end = side == Side::left ? bytes.size() : trailing_space_begin(bytes);
        const size_t begin = side == Side::right ? 0 : leading_space_end(bytes);
        return {std::min(begin, end), end};
    }
    const auto in_set = [&](std::string_view point) {
        for (size_t at = 0; at < set->bytes.size();) {
            const auto candidate = std::string_view(set->bytes).substr(at);
            const size_t count = point_bytes(candidate);
            if (candidate.substr(0, count) == point) return true;
            at += count;
        }
        return false;
    };
    Span span{0, bytes.size()};
    while (side != Side::right && span.begin < span.end) {
        const size_t count = point_bytes(bytes.substr(span.begin));
        if (!in_set(bytes.substr(span.begin, count))) break;
        span.begin += count;
    }
    while (side != Side::left && span.begin < span.end) {
        size_t last = span.end - 1;
        while ((static_cast<uint8_t>(bytes[last]) & 0xc0) == 0x80) --last;
        if (!in_set(bytes.substr(last, span.end - last))) break;
        span.end = last;
    }
    return span;
}

template <Side side>
Result<Value> strip(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"chars"}));
    const Text* set = nullptr;
    if (bound[0] && !is<None>(*bound[0])) {
        TT_TRY(set, text_argument(bound[0], "chars"));
    }
    const Text& text = *if_text(subject);
    // Each end character may be compared with the whole set.
    if (set != nullptr)
        TT_CHECK(runtime.spend_steps(text.bytes.size() * (set->bytes.size() / 16 + 1) / 16));
    return part(runtime, text, stripped(text, set, side));
}

Result<Value> title(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    bool inside = false;
    return in_case(runtime, *if_text(subject), [&](char32_t point) {
        return std::exchange(inside, is_cased(point)) ? Case::lower : Case::title;
    });
}

Result<Value> swapcase(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    return in_case(runtime, *if_text(subject),
                   [](char32_t point) { return is_upper(point) ? Case::lower : Case::upper; });
}

std::vector<Span> split_at_space(std::string_view text, int64_t cuts, bool from_right) {
    std::vector<Span> words;
    size_t begin = leading_space_end(text), end = trailing_space_begin(text);
    while (begin < end) {
        if (cuts >= 0 && static_cast<int64_t>(words.size()) == cuts) {
            words.push_back(from_right ? Span{0, end} : Span{begin, text.size()});
            break;
        }
        if (from_right) {
            size_t at = end;
            while (at > begin && trailing_space_begin(text.substr(0, at)) == at) --at;
            // `at` may be inside of a character that is no space; step to behind the space.
            while (at < end && (static_cast<uint8_t>(text[at]) & 0xc0) == 0x80) ++at;
            words.push_back({at, end});
            end = trailing_space_begin(text.substr(0, at));
        } else {
            size_t at = begin;
            while (at < end && leading_space_end(text.substr(at, end - at)) == 0)
                at += point_bytes(text.substr(at));
            words.push_back({begin, at});
            begin = at + leading_space_end(text.substr(at));
        }
    }
    if (from_right) std::reverse(words.begin(), words.end());
    return words;
}

Result<std::vector<Span>> split_at(Runtime& runtime, std::string_view text, Search search) {
    TT_TRY(auto places, places_in(runtime, text, search));
    if (search.from_right) std::reverse(places.begin(), places.end());
    std::vector<Span> parts;
    size_t begin = 0;
    for (const size_t place : places) {
        parts.push_back({begin, place});
        begin = place + search.part.size();
    }
    parts.push_back({begin, text.size()});
    return parts;
}

Result<Value> texts_of(Runtime& runtime, const Text& text, const std::vector<Span>& spans) {
    std::vector<Value> parts;
    for (const Span& span : spans) {
        TT_TRY(parts.emplace_back(), part(runtime, text, span));
    }
    return runtime.list(std::move(parts));
}

template <bool from_right>
Result<Value> split(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"sep", "maxsplit"}));
    TT_TRY(const int64_t cuts, integer_argument(bound[1], -1));
    const Text& text = *if_text(subject);
    TT_CHECK(runtime.spend_steps(text.bytes.size() / 8));
    if (!bound[0] || is<None>(*bound[0]))
        return texts_of(runtime, text, split_at_space(text.bytes, cuts, from_right));
    TT_TRY(const Text* const separator, text_argument(bound[0], "sep"));
    if (separator->bytes.empty()) return failed("split: the separator is empty");
    TT_TRY(const auto parts, split_at(runtime, text.bytes,
                                      {.part = separator->bytes,
                                       .count_max = static_cast<size_t>(cuts),  // all if negative
                                       .from_right = from_right}));
    return texts_of(runtime, text, parts);
}

Result<Value> splitlines(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    const Text& text = *if_text(subject);
    return texts_of(runtime, text, split_lines(text.bytes));
}

template <bool from_right>
Result<Value> partition(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"sep"}));
    TT_TRY(const Text* const separator, text_argument(bound[0], "sep"));
    if (separator->bytes.empty()) return failed("partition: the separator is empty");
    const Text& text = *if_text(subject);
    const size_t size = text.bytes.size();
    TT_TRY(const auto places,
           places_in(runtime, text.bytes,
                     {.part = separator->bytes, .count_max = 1, .from_right = from_right}));
    const size_t found = !places.empty() ? places[0] : from_right ? 0 : size;
    const size_t behind = places.empty() ? found : found + separator->bytes.size();
    TT_TRY(const Value parts,
           texts_of(runtime, text, {{0, found}, {found, behind}, {behind, size}}));
    if_sequence(parts)->kind = SequenceKind::tuple;
    return parts;
}

template <bool at_end>
Result<Value> has_affix(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"prefix"}));
    const std::string_view text = if_text(subject)->bytes;
    std::vector<Value> affixes = {bound[0].value_or(None{})};
    if (const Sequence* tuple = if_sequence(affixes[0]);
        tuple != nullptr && tuple->kind == SequenceKind::tuple) {
        TT_TRY(affixes, iterate(runtime, affixes[0]));
    }
    for (const Value& candidate : affixes) {
        TT_TRY(const Text* const affix, text_argument(candidate, at_end ? "suffix" : "prefix"));
        if (at_end ? text.ends_with(affix->bytes) : text.starts_with(affix->bytes))
            return Value(true);
    }
    return Value(false);
}

template <bool at_end>
Result<Value> remove_affix(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"prefix"}));
    TT_TRY(const Text* const affix, text_argument(bound[0], at_end ? "suffix" : "prefix"));
    const Text& text = *if_text(subject);
    Span span{0, text.bytes.size()};
    if (at_end && text.bytes.ends_with(affix->bytes)) span.end -= affix->bytes.size();
    if (!at_end && text.bytes.starts_with(affix->bytes)) span.begin += affix->bytes.size();
    return part(runtime, text, span);
}

template <bool from_right, bool must_exist>
Result<Value> find_part(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"sub"}));
    TT_TRY(const Text* const sub, text_argument(bound[0], "sub"));
    const std::string& text = if_text(subject)->bytes;
    TT_TRY(
        const auto places,
        places_in(runtime, text, {.part = sub->bytes, .count_max = 1, .from_right = from_right}));
    if (places.empty()) {
        if (must_exist) return failed("index: the text is not there");
        return Value(int64_t{-1});
    }
    return Value(static_cast<int64_t>(count_points(std::string_view(text).substr(0, places[0]))));
}

Result<Value> count(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"sub"}));
    TT_TRY(const Text* const sub, text_argument(bound[0], "sub"));
    TT_TRY(const auto places, places_in(runtime, if_text(subject)->bytes, {.part = sub->bytes}));
    return Value(static_cast<int64_t>(places.size()));
}

Result<Value> join(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"iterable"}));
    TT_TRY(const auto items, iterate(runtime, bound[0].value_or(None{})));
    TextBuilder out(runtime);
    for (size_t i = 0; i < items.size(); ++i) {
        TT_TRY(const Text* const item, text_argument(items[i], "each item"));
        if (i > 0) out.append(*if_text(subject));
        out.append(*item);
    }
    return out.finish();
}

enum class Place { left, right, centre, zeros };

template <Place place>
Result<Value> justify(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"width", "fillchar"}));
    TT_TRY(const int64_t width, integer_argument(bound[0], 80));
    if (width > static_cast<int64_t>(format_width_max))
        return fail(ErrorCode::limit_exceeded, "a text is justified to too many characters");
    const Text space = Text::trusted(place == Place::zeros ? "0" : " ");
    const Text* fill = &space;
    if (bound[1]) {
        TT_TRY(fill, text_argument(bound[1], "fillchar"));
    }
    const Text& text = *if_text(subject);
    const auto have = static_cast<int64_t>(count_points(text.bytes));
    const int64_t missing = std::max<int64_t>(width - have, 0);
    // As CPython rounds.
    const int64_t before = place == Place::left     ? 0
                           : place == Place::centre ? missing / 2 + (missing & width & 1)
                                                    : missing;
    const bool has_sign =
        place == Place::zeros && (text.bytes.starts_with('-') || text.bytes.starts_with('+'));
    TextBuilder out(runtime);
    if (has_sign) out.append(text, 0, 1);
    for (int64_t i = 0; i < before; ++i) out.append(*fill);
    out.append(text, has_sign ? 1 : 0);
    for (int64_t i = before; i < missing; ++i) out.append(*fill);
    return out.finish();
}

/// True if there is a character and all are of the class.
template <bool (*is_member)(char32_t)>
Result<Value> all_are(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    const std::string_view text = if_text(subject)->bytes;
    TT_CHECK(runtime.spend_steps(text.size() / 8));
    for (size_t at = 0; at < text.size(); at += point_bytes(text.substr(at))) {
        if (!is_member(point_at(text.substr(at)))) return Value(false);
    }
    return Value(!text.empty());
}

bool is_alphanumeric(char32_t point) {
    return is_alphabetic(point) || is_digit(point);
}

/// True if there is a cased character and none of the other case.
template <bool (*is_other)(char32_t)>
Result<Value> cased_none(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    const std::string_view text = if_text(subject)->bytes;
    TT_CHECK(runtime.spend_steps(text.size() / 8));
    bool has_cased = false;
    for (size_t at = 0; at < text.size(); at += point_bytes(text.substr(at))) {
        const char32_t point = point_at(text.substr(at));
        if (is_other(point)) return Value(false);
        has_cased = has_cased || is_cased(point);
    }
    return Value(has_cased);
}

}  // namespace

std::vector<Span> split_lines(std::string_view text) {
    const auto ends_line = [](char32_t point) {
        return (point >= '\n' && point <= '\r') || (point >= 0x1c && point <= 0x1e) ||
               point == 0x85 || point == 0x2028 || point == 0x2029;
    };
    std::vector<Span> lines;
    size_t begin = 0;
    for (size_t at = 0; at < text.size();) {
        const char32_t point = point_at(text.substr(at));
        size_t behind = at + point_bytes(text.substr(at));
        if (ends_line(point)) {
            if (point == '\r' && behind < text.size() && text[behind] == '\n') ++behind;
            lines.push_back({begin, at});
            begin = behind;
        }
        at = behind;
    }
    if (begin < text.size()) lines.push_back({begin, text.size()});
    return lines;
}

Result<Value> str_upper(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    return in_case(runtime, *if_text(subject), [](char32_t) { return Case::upper; });
}

Result<Value> str_lower(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    return in_case(runtime, *if_text(subject), [](char32_t) { return Case::lower; });
}

Result<Value> str_capitalize(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    bool is_first = true;
    return in_case(runtime, *if_text(subject), [&](char32_t) {
        return std::exchange(is_first, false) ? Case::title : Case::lower;
    });
}

Result<Value> str_strip(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    return strip<Side::both>(runtime, subject, arguments);
}

Result<Value> str_center(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    return justify<Place::centre>(runtime, subject, arguments);
}

Result<Value> str_replace(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"old", "new", "count"}));
    TT_TRY(const Text* const old, text_argument(bound[0], "old"));
    TT_TRY(const Text* const fresh, text_argument(bound[1], "new"));
    TT_TRY(const int64_t count_max, integer_argument(bound[2], -1));
    const Text& text = *if_text(subject);
    TT_TRY(const auto places,
           places_in(runtime, text.bytes,
                     {.part = old->bytes, .count_max = static_cast<size_t>(count_max)}));
    TextBuilder out(runtime);
    size_t begin = 0;
    for (const size_t place : places) {
        if (out.failed()) break;
        out.append(text, begin, place);
        out.append(*fresh);
        begin = place + old->bytes.size();
    }
    out.append(text, begin);
    return out.finish();
}

Operation find_string_method(std::string_view name) {
    static constexpr std::pair<std::string_view, Operation> methods[] = {
        {"capitalize", str_capitalize},
        {"center", str_center},
        {"count", count},
        {"endswith", has_affix<true>},
        {"find", find_part<false, false>},
        {"index", find_part<false, true>},
        {"isalnum", all_are<is_alphanumeric>},
        {"isalpha", all_are<is_alphabetic>},
        {"isdecimal", all_are<is_digit>},
        {"isdigit", all_are<is_digit>},
        {"islower", cased_none<is_upper>},
        {"isnumeric", all_are<is_digit>},
        {"isspace", all_are<is_space>},
        {"isupper", cased_none<is_lower>},
        {"join", join},
        {"ljust", justify<Place::left>},
        {"lower", str_lower},
        {"lstrip", strip<Side::left>},
        {"partition", partition<false>},
        {"removeprefix", remove_affix<false>},
        {"removesuffix", remove_affix<true>},
        {"replace", str_replace},
        {"rfind", find_part<true, false>},
        {"rindex", find_part<true, true>},
        {"rjust", justify<Place::right>},
        {"rpartition", partition<true>},
        {"rsplit", split<true>},
        {"rstrip", strip<Side::right>},
        {"split", split<false>},
        {"splitlines", splitlines},
        {"startswith", has_affix<false>},
        {"strip", str_strip},
        {"swapcase", swapcase},
        {"title", title},
        {"upper", str_upper},
        {"zfill", justify<Place::zeros>},
    };
    const auto* found = std::find_if(std::begin(methods), std::end(methods),
                                     [&](const auto& method) { return method.first == name; });
    return found == std::end(methods) ? nullptr : found->second;
}

}  // namespace teetee::jinja
