// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <utility>

#include "jinja/ast.hpp"
#include "jinja/token_stream.hpp"

namespace teetee::jinja {

enum class Conditionals : bool { refused, allowed };

/// Recursive descent over the operators of Jinja, loosest first. Errors as in parser.hpp.
class ExpressionParser {
  public:
    explicit ExpressionParser(TokenStream& tokens) : tokens_(tokens) {}

    Result<ExpressionPtr> expression(Conditionals conditionals = Conditionals::allowed);
    /// One expression, or several with commas, which are a tuple.
    Result<ExpressionPtr> tuple(Conditionals conditionals = Conditionals::allowed);
    Result<CallArguments> call_arguments();
    /// "name(arguments) | name ..." behind a "|" or a filter tag; `value` may be null.
    Result<ExpressionPtr> filter_chain(ExpressionPtr value);
    Result<ExpressionPtr> unary(bool with_filters = true);

  private:
    using Rule = Result<ExpressionPtr> (ExpressionParser::*)();

    template <class Node>
    Result<ExpressionPtr> make(Node node);

    Result<ExpressionPtr> conditional();
    Result<ExpressionPtr> logical_or();
    Result<ExpressionPtr> logical_and();
    Result<ExpressionPtr> logical_not();
    Result<ExpressionPtr> comparison();
    std::optional<CompareOperator> compare_operator();
    Result<ExpressionPtr> sum();
    Result<ExpressionPtr> concatenation();
    Result<ExpressionPtr> product();
    Result<ExpressionPtr> power();
    /// operand (operator operand)*, from the left.
    using Operators = std::initializer_list<std::pair<std::string_view, BinaryOperator>>;
    Result<ExpressionPtr> binary_chain(Rule operand, Operators operators);

    Result<ExpressionPtr> primary();
    Result<ExpressionPtr> name();
    Result<ExpressionPtr> parenthesised();
    Result<ExpressionPtr> list();
    Result<ExpressionPtr> dict();
    Result<ExpressionPtr> postfix(ExpressionPtr object);
    Result<ExpressionPtr> filters_and_tests(ExpressionPtr value);
    Result<ExpressionPtr> dotted(ExpressionPtr object);
    Result<ExpressionPtr> subscript(ExpressionPtr object);
    Result<ExpressionPtr> one_filter(ExpressionPtr value);
    Result<ExpressionPtr> test(ExpressionPtr value);

    TokenStream& tokens_;
};

}  // namespace teetee::jinja
