// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "jinja/value.hpp"

namespace teetee::jinja {

struct Expression;
using ExpressionPtr = std::unique_ptr<const Expression>;
using Expressions = std::vector<ExpressionPtr>;

struct Keyword {
    std::string name;
    ExpressionPtr value;
};

/// (a, *b, c=d, **e)
struct CallArguments {
    Expressions positional;
    std::vector<Keyword> named;
    ExpressionPtr star, double_star;  // may be null
};

struct Literal {
    Value value;  // none, a boolean or a number
};
struct StringLiteral {
    Text text;
};
struct Name {
    Symbol symbol = 0;
};
struct ListDisplay {
    bool is_tuple = false;
    Expressions items;
};
struct DictDisplay {
    std::vector<std::pair<ExpressionPtr, ExpressionPtr>> items;
};
enum class UnaryOperator : uint8_t { negate, plus, logical_not };
struct Unary {
    UnaryOperator op{};
    ExpressionPtr operand;
};
enum class BinaryOperator : uint8_t {
    add,
    subtract,
    multiply,
    divide,
    floor_divide,
    modulo,
    power
};
struct Binary {
    BinaryOperator op{};
    ExpressionPtr left, right;
};
struct Logical {
    bool is_and = false;
    ExpressionPtr left, right;
};
struct Concatenation {
    Expressions parts;
};
enum class CompareOperator : uint8_t {
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    in,
    not_in
};
struct Comparison {
    ExpressionPtr first;
    std::vector<std::pair<CompareOperator, ExpressionPtr>> rest;
};
struct Conditional {
    ExpressionPtr value, condition, otherwise;  // otherwise may be null
};
struct Attribute {
    ExpressionPtr object;
    std::string name;
};
struct Subscript {
    ExpressionPtr object, key;
};
struct Slice {
    ExpressionPtr object, begin, end, step;  // bounds may be null
};
struct Call {
    ExpressionPtr callee;
    CallArguments arguments;
};
struct Filtered {
    ExpressionPtr value;  // null in a filter block: the block's text
    std::string filter;
    CallArguments arguments;
};
struct Tested {
    ExpressionPtr value;
    std::string test;
    CallArguments arguments;
    bool is_negated = false;
};

struct Expression {
    std::variant<Literal, StringLiteral, Name, ListDisplay, DictDisplay, Unary, Binary, Logical,
                 Concatenation, Comparison, Conditional, Attribute, Subscript, Slice, Call,
                 Filtered, Tested>
        node;
    uint32_t depth = 1;  // of the tree under it
};

struct Statement;
using Body = std::vector<Statement>;

/// What an assignment or a loop writes to: one name, an attribute of a namespace, or several names.
struct Target {
    Symbol symbol = 0;
    std::optional<std::string> attribute;
    std::vector<Target> items;  // not empty: a tuple
};

struct Data {
    Text text;
};
struct Output {
    ExpressionPtr value;
};
struct Branch {
    ExpressionPtr condition;  // null: else
    Body body;
};
struct If {
    std::vector<Branch> branches;
};
struct For {
    Target target;
    ExpressionPtr iterable, filter;  // filter may be null
    bool is_recursive = false;
    Body body, otherwise;
};
struct Set {
    Target target;
    ExpressionPtr value;
};
/// {% set x | filters %}body{% endset %}
struct SetBlock {
    Target target;
    ExpressionPtr filters;  // a chain of Filtered, may be null
    Body body;
};
struct FilterBlock {
    ExpressionPtr filters;
    Body body;
};
struct With {
    std::vector<std::pair<Target, ExpressionPtr>> variables;
    Body body;
};
struct Parameter {
    Symbol symbol = 0;
    std::string name;
    ExpressionPtr fallback;  // may be null
};
struct Macro {
    Symbol symbol = 0;
    std::string name;
    std::vector<Parameter> parameters;
    bool takes_varargs = false, takes_kwargs = false, takes_caller = false;
    Body body;
};
/// {% call(parameters) f(x) %}body{% endcall %}: the body is a macro named "caller".
struct CallBlock {
    Macro caller;
    ExpressionPtr call;
};
/// {% generation %} and {% block %}: a body with a scope of its own.
struct Scoped {
    Body body;
};
struct Break {};
struct Continue {};

struct Statement {
    uint32_t line = 1;
    std::variant<Data, Output, If, For, Set, SetBlock, FilterBlock, With, Macro, CallBlock, Scoped,
                 Break, Continue>
        node;
};

/// A parsed template. `names` are all names that occur in it; the first are the well-known ones.
struct Syntax {
    Body body;
    std::vector<std::string> names;
};

enum WellKnown : Symbol { symbol_loop, symbol_caller, symbol_varargs, symbol_kwargs };

}  // namespace teetee::jinja
