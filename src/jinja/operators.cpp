// SPDX-License-Identifier: Apache-2.0
// Arithmetic, and text formatted with "%".
#include <charconv>
#include <cmath>

#include "jinja/operations.hpp"
#include "jinja/python.hpp"
#include "jinja/unicode.hpp"

namespace teetee::jinja {
namespace {

Error out_of_range() {
    return fail(ErrorCode::limit_exceeded, "a number does not fit in 64 bits");
}

Error wrong_operands(BinaryOperator op, const Value& left, const Value& right) {
    for (const Value& side : {left, right}) {
        if (const auto* undefined = std::get_if<Undefined>(&side))
            return undefined_error(*undefined);
    }
    static constexpr std::string_view signs[] = {"+", "-", "*", "/", "//", "%", "**"};
    return failed("unsupported operands for " + std::string(signs[static_cast<size_t>(op)]) +
                  ": '" + std::string(type_name(left)) + "' and '" + std::string(type_name(right)) +
                  "'");
}

Result<Value> integer_power(int64_t base, int64_t exponent) {
    if (exponent < 0) {
        if (base == 0) return failed("0 to a negative power");
        return Value(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
    }
    int64_t out = 1;
    for (; exponent > 0; exponent >>= 1) {
        if ((exponent & 1) != 0 && __builtin_mul_overflow(out, base, &out)) return out_of_range();
        if (exponent > 1 && __builtin_mul_overflow(base, base, &base)) return out_of_range();
    }
    return Value(out);
}

Result<Value> integer_arithmetic(BinaryOperator op, int64_t left, int64_t right) {
    int64_t out = 0;
    bool overflows = false;
    switch (op) {
        case BinaryOperator::add:
            overflows = __builtin_add_overflow(left, right, &out);
            break;
        case BinaryOperator::subtract:
            overflows = __builtin_sub_overflow(left, right, &out);
            break;
        case BinaryOperator::multiply:
            overflows = __builtin_mul_overflow(left, right, &out);
            break;
        case BinaryOperator::power:
            return integer_power(left, right);
        case BinaryOperator::divide:
            if (right == 0) return failed("division by zero");
            return Value(static_cast<double>(left) / static_cast<double>(right));
        case BinaryOperator::floor_divide:
        case BinaryOperator::modulo:
            if (right == 0) return failed("division by zero");
            if (right == -1) {
                if (op == BinaryOperator::modulo) return Value(int64_t{0});
                overflows = __builtin_sub_overflow(int64_t{0}, left, &out);
                break;
            }
            // Python rounds down: the remainder has the divisor's sign.
            const bool rounds_wrong = left % right != 0 && (left % right < 0) != (right < 0);
            out = op == BinaryOperator::floor_divide ? left / right - (rounds_wrong ? 1 : 0)
                                                     : left % right + (rounds_wrong ? right : 0);
            break;
    }
    if (overflows) return out_of_range();
    return Value(out);
}

Result<Value> float_arithmetic(BinaryOperator op, double left, double right) {
    switch (op) {
        case BinaryOperator::add:
            return Value(left + right);
        case BinaryOperator::subtract:
            return Value(left - right);
        case BinaryOperator::multiply:
            return Value(left * right);
        case BinaryOperator::power:
            if (left < 0 && std::floor(right) != right) return failed("a complex number");
            if (left == 0 && right < 0) return failed("0 to a negative power");
            return Value(std::pow(left, right));
        default:
            break;
    }
    if (right == 0) return failed("division by zero");
    if (op == BinaryOperator::divide) return Value(left / right);
    double rest = std::fmod(left, right);
    if (rest != 0 && (rest < 0) != (right < 0)) rest += right;
    if (op == BinaryOperator::modulo) return Value(rest == 0 ? std::copysign(0.0, right) : rest);
    return Value(std::round((left - rest) / right));
}

Result<Value> join_values(Runtime& runtime, const Value& left, const Value& right) {
    const Text *text = if_text(left), *more_text = if_text(right);
    if (text != nullptr && more_text != nullptr) {
        TextBuilder out(runtime);
        out.append(*text);
        out.append(*more_text);
        return out.finish();
    }
    const Sequence *list = if_sequence(left), *more = if_sequence(right);
    const bool fit = list != nullptr && more != nullptr && list->kind == more->kind &&
                     list->kind <= SequenceKind::tuple;
    if (!fit) return wrong_operands(BinaryOperator::add, left, right);
    TT_CHECK(runtime.spend_steps(list->items.size() + more->items.size()));
    std::vector<Value> items = list->items;
    items.insert(items.end(), more->items.begin(), more->items.end());
    return runtime.sequence(list->kind, std::move(items));
}

Result<Value> repeat(Runtime& runtime, const Value& what, int64_t times) {
    if (const Text* text = if_text(what)) {
        TextBuilder out(runtime);
        for (int64_t i = 0; i < times && !out.failed() && !text->bytes.empty(); ++i)
            out.append(*text);
        return out.finish();
    }
    const Sequence* list = if_sequence(what);
    std::vector<Value> items;
    for (int64_t i = 0; i < times && !list->items.empty(); ++i) {
        TT_CHECK(runtime.spend_memory(list->items.size() * sizeof(Value)));
        items.insert(items.end(), list->items.begin(), list->items.end());
    }
    return runtime.sequence(list->kind, std::move(items));
}

bool can_repeat(const Value& value) {
    const Sequence* list = if_sequence(value);
    return if_text(value) != nullptr || (list != nullptr && list->kind <= SequenceKind::tuple);
}

/// "%-08.3f" without its letter.
struct Conversion {
    std::string key;
    bool has_key = false, aligns_left = false, pads_zeros = false, shows_plus = false;
    size_t width = 0;
    std::optional<int> precision;
    char letter = 0;
};

Result<size_t> small_number(std::string_view format, size_t& at) {
    size_t number = 0;
    for (; at < format.size() && format[at] >= '0' && format[at] <= '9'; ++at) {
        number = number * 10 + static_cast<size_t>(format[at] - '0');
        if (number > format_width_max)
            return fail(ErrorCode::limit_exceeded, "a format is too wide");
    }
    return number;
}

Result<Conversion> read_conversion(std::string_view format, size_t& at) {
    Conversion out;
    if (at < format.size() && format[at] == '(') {
        const size_t end = format.find(')', at);
        if (end == format.npos) return failed("a format has no ')'");
        out.key = format.substr(at + 1, end - at - 1);
        out.has_key = true;
        at = end + 1;
    }
    for (;
         at < format.size() && std::string_view("-0+ #").find(format[at]) != std::string_view::npos;
         ++at) {
        out.aligns_left = out.aligns_left || format[at] == '-';
        out.pads_zeros = out.pads_zeros || format[at] == '0';
        out.shows_plus = out.shows_plus || format[at] == '+';
    }
    TT_TRY(out.width, small_number(format, at));
    if (at < format.size() && format[at] == '.') {
        ++at;
        TT_TRY(const size_t precision, small_number(format, at));
        out.precision = static_cast<int>(precision);
    }
    if (at == format.size()) return failed("a format ends early");
    out.letter = format[at++];
    return out;
}

Result<std::string> number_text(const Conversion& conversion, const Value& value) {
    const auto number = if_number(value);
    if (!number) return failed("a format needs a number");
    std::string out;
    if (conversion.letter == 'd' || conversion.letter == 'i' || conversion.letter == 'x' ||
        conversion.letter == 'X') {
        const bool is_hex = conversion.letter == 'x' || conversion.letter == 'X';
        const auto integer = if_integer(value);
        if (!integer && (is_hex || std::abs(*number) >= 0x1p63)) return out_of_range();
        char buffer[80];
        const auto end =
            std::to_chars(buffer, buffer + sizeof buffer,
                          integer.value_or(static_cast<int64_t>(*number)), is_hex ? 16 : 10);
        out.assign(buffer, end.ptr);
        if (conversion.letter == 'X') {
            for (char& c : out) c = c >= 'a' ? static_cast<char>(c - 32) : c;
        }
    } else {
        std::string buffer(512 + format_width_max, '\0');
        const auto style = conversion.letter == 'f'   ? std::chars_format::fixed
                           : conversion.letter == 'e' ? std::chars_format::scientific
                                                      : std::chars_format::general;
        const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), *number, style,
                                       conversion.precision.value_or(6));
        if (end.ec != std::errc()) return failed("a number cannot be formatted");
        out.assign(buffer.data(), end.ptr);
    }
    if (conversion.shows_plus && !out.starts_with('-')) out.insert(0, "+");
    if (conversion.pads_zeros && !conversion.aligns_left && out.size() < conversion.width) {
        const size_t sign = out.starts_with('-') || out.starts_with('+') ? 1 : 0;
        out.insert(sign, conversion.width - out.size(), '0');
    }
    return out;
}

Result<Text> converted(Runtime& runtime, const Conversion& conversion, const Value& value) {
    TextBuilder out(runtime);
    if (conversion.letter == 's') {
        TT_CHECK(append_str(out, value));
    } else if (conversion.letter == 'r') {
        TT_CHECK(append_repr(out, value));
    } else if (std::string_view("dixXfeg").find(conversion.letter) != std::string_view::npos) {
        TT_TRY(const auto number, number_text(conversion, value));
        out.trusted(number);
        return out.take();
    } else {
        return failed("a format letter is not supported");
    }
    TT_TRY(auto text, out.take());
    if (!conversion.precision) return text;
    TextBuilder cut(runtime);
    cut.append(text, 0, offset_of_point(text.bytes, static_cast<size_t>(*conversion.precision)));
    return cut.take();
}

}  // namespace

Result<Value> negate(const Value& operand, UnaryOperator op) {
    const bool negates = op == UnaryOperator::negate;
    if (const auto integer = if_integer(operand)) {
        if (!negates) return Value(*integer);
        return integer_arithmetic(BinaryOperator::subtract, 0, *integer);
    }
    if (const auto number = if_number(operand)) return Value(negates ? -*number : *number);
    if (const auto* undefined = std::get_if<Undefined>(&operand))
        return undefined_error(*undefined);
    return failed("a '" + std::string(type_name(operand)) + "' has no sign");
}

Result<Value> calculate(Runtime& runtime, BinaryOperator op, const Value& left,
                        const Value& right) {
    const auto left_integer = if_integer(left), right_integer = if_integer(right);
    if (left_integer && right_integer) return integer_arithmetic(op, *left_integer, *right_integer);
    const auto left_number = if_number(left), right_number = if_number(right);
    if (left_number && right_number) return float_arithmetic(op, *left_number, *right_number);
    if (op == BinaryOperator::add) return join_values(runtime, left, right);
    if (op == BinaryOperator::multiply && can_repeat(left) && right_integer)
        return repeat(runtime, left, *right_integer);
    if (op == BinaryOperator::multiply && can_repeat(right) && left_integer)
        return repeat(runtime, right, *left_integer);
    if (const Text* format = if_text(left); format != nullptr && op == BinaryOperator::modulo) {
        const Sequence* tuple = if_sequence(right);
        const bool is_tuple = tuple != nullptr && tuple->kind == SequenceKind::tuple;
        return format_percent(runtime, *format, is_tuple ? tuple->items : std::vector<Value>{right},
                              right);
    }
    return wrong_operands(op, left, right);
}

Result<Value> format_percent(Runtime& runtime, const Text& format, const std::vector<Value>& values,
                             const Value& mapping) {
    TextBuilder out(runtime);
    size_t used = 0;
    for (size_t at = 0; at < format.bytes.size();) {
        const size_t sign = std::min(format.bytes.find('%', at), format.bytes.size());
        out.append(format, at, sign);
        at = sign + 1;
        if (sign == format.bytes.size()) break;
        TT_TRY(const auto conversion, read_conversion(format.bytes, at));
        if (conversion.letter == '%') {
            out.append(format, at - 1, at);
            continue;
        }
        Value value;
        if (conversion.has_key) {
            const Dict* dict = if_dict(mapping);
            const Value* item = dict == nullptr ? nullptr : find(*dict, conversion.key);
            if (item == nullptr) return failed("a format names a missing key");
            value = *item;
            used = values.size();
        } else {
            if (used == values.size()) return failed("a format has too few arguments");
            value = values[used++];
        }
        TT_TRY(const Text text, converted(runtime, conversion, value));
        const size_t points = count_points(text.bytes);
        const std::string padding(conversion.width > points ? conversion.width - points : 0, ' ');
        if (!conversion.aligns_left) out.trusted(padding);
        out.append(text);
        if (conversion.aligns_left) out.trusted(padding);
    }
    const Dict* dict = if_dict(mapping);
    if (used < values.size() && dict == nullptr) return failed("a format has too many arguments");
    return out.finish();
}

}  // namespace teetee::jinja
