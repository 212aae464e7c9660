// SPDX-License-Identifier: Apache-2.0
// What may stand behind "is" (jinja2.tests).
#include <algorithm>
#include <iterator>

#include "jinja/operations.hpp"
#include "jinja/python.hpp"

namespace teetee::jinja {
namespace {

Result<Value> argument(const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"other"}));
    if (!bound[0]) return failed("the test needs an argument");
    return *bound[0];
}

/// A test that looks at its subject alone.
template <bool (*holds)(const Value&)>
Result<Value> simple(Runtime&, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    return Value(holds(subject));
}

bool is_defined(const Value& value) {
    return !is<Undefined>(value);
}
bool is_undefined(const Value& value) {
    return is<Undefined>(value);
}
bool is_none(const Value& value) {
    return is<None>(value);
}
bool is_float(const Value& value) {
    return is<double>(value);
}
bool is_boolean(const Value& value) {
    return is<bool>(value);
}
bool is_false(const Value& value) {
    return is<bool>(value) && !std::get<bool>(value);
}
bool is_real_true(const Value& value) {
    return is<bool>(value) && std::get<bool>(value);
}
bool is_integer(const Value& value) {
    return is<int64_t>(value);
}
bool is_any_number(const Value& value) {
    return if_number(value).has_value();
}
bool is_string(const Value& value) {
    return if_text(value) != nullptr;
}
bool is_mapping(const Value& value) {
    const Dict* dict = if_dict(value);
    return dict != nullptr && !dict->is_namespace;
}
bool is_sequence(const Value& value) {
    const Sequence* sequence = if_sequence(value);
    return is_string(value) || is_mapping(value) ||
           (sequence != nullptr && sequence->kind <= SequenceKind::range);
}
bool is_callable(const Value& value) {
    return if_callable(value) != nullptr || is<Loop*>(value);
}
bool names_filter(const Value& value) {
    return is_string(value) && find_filter(if_text(value)->bytes) != nullptr;
}
bool names_test(const Value& value) {
    return is_string(value) && find_test(if_text(value)->bytes) != nullptr;
}

template <int64_t wanted>
Result<Value> parity(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    TT_TRY(const Value rest,
           calculate(runtime, BinaryOperator::modulo, subject, Value(int64_t{2})));
    return Value(if_number(rest) == static_cast<double>(wanted));
}

Result<Value> divisibleby(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const Value divisor, argument(arguments));
    TT_TRY(const Value rest, calculate(runtime, BinaryOperator::modulo, subject, divisor));
    return Value(if_number(rest) == 0.0);
}

template <bool is_negated>
Result<Value> equal(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const Value other, argument(arguments));
    TT_TRY(const bool same, equals(runtime, subject, other));
    return Value(same != is_negated);
}

template <bool is_swapped, bool is_negated>
Result<Value> ordered(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const Value other, argument(arguments));
    TT_TRY(const bool before,
           is_swapped ? less(runtime, other, subject) : less(runtime, subject, other));
    return Value(before != is_negated);
}

Result<Value> is_in(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const Value container, argument(arguments));
    TT_TRY(const bool found, contains(runtime, container, subject));
    return Value(found);
}

Result<Value> sameas(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_TRY(const Value other, argument(arguments));
    if (subject.index() != other.index()) return Value(false);
    if (if_sequence(subject) != nullptr) return Value(if_sequence(subject) == if_sequence(other));
    if (if_dict(subject) != nullptr) return Value(if_dict(subject) == if_dict(other));
    TT_TRY(const bool same, equals(runtime, subject, other));
    return Value(same);
}

/// str(subject).islower() and the like.
template <bool wants_upper>
Result<Value> in_case(Runtime& runtime, const Value& subject, const Arguments& arguments) {
    TT_CHECK(bind(arguments, {}));
    TT_TRY(const Text* const text, str(runtime, subject));
    const Operation method = find_method(Value(text), wants_upper ? "isupper" : "islower");
    return method(runtime, Value(text), arguments);
}

}  // namespace

Operation find_test(std::string_view name) {
    static constexpr std::pair<std::string_view, Operation> tests[] = {
        {"!=", equal<true>},
        {"<", ordered<false, false>},
        {"<=", ordered<true, true>},
        {"==", equal<false>},
        {">", ordered<true, false>},
        {">=", ordered<false, true>},
        {"boolean", simple<is_boolean>},
        {"callable", simple<is_callable>},
        {"defined", simple<is_defined>},
        {"divisibleby", divisibleby},
        {"eq", equal<false>},
        {"equalto", equal<false>},
        {"even", parity<0>},
        {"false", simple<is_false>},
        {"filter", simple<names_filter>},
        {"float", simple<is_float>},
        {"ge", ordered<false, true>},
        {"greaterthan", ordered<true, false>},
        {"gt", ordered<true, false>},
        {"in", is_in},
        {"integer", simple<is_integer>},
        {"iterable", simple<is_iterable>},
        {"le", ordered<true, true>},
        {"lessthan", ordered<false, false>},
        {"lower", in_case<false>},
        {"lt", ordered<false, false>},
        {"mapping", simple<is_mapping>},
        {"ne", equal<true>},
        {"none", simple<is_none>},
        {"number", simple<is_any_number>},
        {"odd", parity<1>},
        {"sameas", sameas},
        {"sequence", simple<is_sequence>},
        {"string", simple<is_string>},
        {"test", simple<names_test>},
        {"true", simple<is_real_true>},
        {"undefined", simple<is_undefined>},
        {"upper", in_case<true>},
    };
    const auto* found = std::find_if(std::begin(tests), std::end(tests),
                                     [&](const auto& test) { return test.first == name; });
    return found == std::end(tests) ? nullptr : found->second;
}

Result<bool> apply_test(Runtime& runtime, std::string_view name, const Value& subject,
                        const Arguments& arguments) {
    const Operation test = find_test(name);
    if (test == nullptr) return failed("no test named " + quote_foreign(name));
    TT_CHECK(runtime.spend_steps());
    TT_TRY(const Value holds, test(runtime, subject, arguments));
    return is_true(holds);
}

}  // namespace teetee::jinja
