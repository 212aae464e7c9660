// SPDX-License-Identifier: Apache-2.0
#include "jinja/expression_parser.hpp"

#include <algorithm>

namespace teetee::jinja {
namespace {

uint32_t depth_of(const ExpressionPtr& child) {
    return child == nullptr ? 0 : child->depth;
}

uint32_t depth_of(const Expressions& children) {
    uint32_t depth = 0;
    for (const auto& child : children) depth = std::max(depth, depth_of(child));
    return depth;
}

uint32_t depth_of(const CallArguments& arguments) {
    uint32_t depth = std::max({depth_of(arguments.positional), depth_of(arguments.star),
                               depth_of(arguments.double_star)});
    for (const auto& named : arguments.named) depth = std::max(depth, depth_of(named.value));
    return depth;
}

struct DepthUnder {
    uint32_t operator()(const Literal&) const { return 0; }
    uint32_t operator()(const StringLiteral&) const { return 0; }
    uint32_t operator()(const Name&) const { return 0; }
    uint32_t operator()(const ListDisplay& node) const { return depth_of(node.items); }
    uint32_t operator()(const DictDisplay& node) const {
        uint32_t depth = 0;
        for (const auto& [key, value] : node.items)
            depth = std::max({depth, depth_of(key), depth_of(value)});
        return depth;
    }
    uint32_t operator()(const Unary& node) const { return depth_of(node.operand); }
    uint32_t operator()(const Binary& node) const {
        return std::max(depth_of(node.left), depth_of(node.right));
    }
    uint32_t operator()(const Logical& node) const {
        return std::max(depth_of(node.left), depth_of(node.right));
    }
    uint32_t operator()(const Concatenation& node) const { return depth_of(node.parts); }
    uint32_t operator()(const Comparison& node) const {
        uint32_t depth = depth_of(node.first);
        for (const auto& [op, operand] : node.rest) depth = std::max(depth, depth_of(operand));
        return depth;
    }
    uint32_t operator()(const Conditional& node) const {
        return std::max({depth_of(node.value), depth_of(node.condition), depth_of(node.otherwise)});
    }
    uint32_t operator()(const Attribute& node) const { return depth_of(node.object); }
    uint32_t operator()(const Subscript& node) const {
        return std::max(depth_of(node.object), depth_of(node.key));
    }
    uint32_t operator()(const Slice& node) const {
        return std::max(
            {depth_of(node.object), depth_of(node.begin), depth_of(node.end), depth_of(node.step)});
    }
    uint32_t operator()(const Call& node) const {
        return std::max(depth_of(node.callee), depth_of(node.arguments));
    }
    uint32_t operator()(const Filtered& node) const {
        return std::max(depth_of(node.value), depth_of(node.arguments));
    }
    uint32_t operator()(const Tested& node) const {
        return std::max(depth_of(node.value), depth_of(node.arguments));
    }
};

}  // namespace

template <class Node>
Result<ExpressionPtr> ExpressionParser::make(Node node) {
    const uint32_t depth = DepthUnder()(node) + 1;
    if (depth > expression_depth_max) {
        return fail(ErrorCode::limit_exceeded, "line " + std::to_string(tokens_.peek().line) +
                                                   ": an expression is deeper than " +
                                                   std::to_string(expression_depth_max));
    }
    auto made = std::make_unique<Expression>();
    made->node = std::move(node);
    made->depth = depth;
    return ExpressionPtr(std::move(made));
}

Result<ExpressionPtr> ExpressionParser::expression(Conditionals conditionals) {
    TT_CHECK(tokens_.enter());
    auto made = conditionals == Conditionals::allowed ? conditional() : logical_or();
    tokens_.leave();
    return made;
}

Result<ExpressionPtr> ExpressionParser::tuple(Conditionals conditionals) {
    TT_TRY(auto first, expression(conditionals));
    if (!tokens_.at_mark(",")) return first;
    ListDisplay tuple{.is_tuple = true, .items = {}};
    tuple.items.push_back(std::move(first));
    while (tokens_.skip_mark(",")) {
        const bool ends = tokens_.at(TokenKind::block_end) || tokens_.at(TokenKind::output_end) ||
                          tokens_.at_mark(")") || tokens_.at_word("recursive");
        if (ends) break;
        TT_TRY(tuple.items.emplace_back(), expression(conditionals));
    }
    return make(std::move(tuple));
}

Result<ExpressionPtr> ExpressionParser::conditional() {
    TT_TRY(auto value, logical_or());
    while (tokens_.skip_word("if")) {
        Conditional node;
        node.value = std::move(value);
        TT_TRY(node.condition, logical_or());
        if (tokens_.skip_word("else")) {
            TT_TRY(node.otherwise, expression());
        }
        TT_TRY(value, make(std::move(node)));
    }
    return value;
}

Result<ExpressionPtr> ExpressionParser::logical_or() {
    TT_TRY(auto left, logical_and());
    while (tokens_.skip_word("or")) {
        TT_TRY(auto right, logical_and());
        TT_TRY(left, make(Logical{false, std::move(left), std::move(right)}));
    }
    return left;
}

Result<ExpressionPtr> ExpressionParser::logical_and() {
    TT_TRY(auto left, logical_not());
    while (tokens_.skip_word("and")) {
        TT_TRY(auto right, logical_not());
        TT_TRY(left, make(Logical{true, std::move(left), std::move(right)}));
    }
    return left;
}

Result<ExpressionPtr> ExpressionParser::logical_not() {
    if (!tokens_.skip_word("not")) return comparison();
    TT_CHECK(tokens_.enter());
    auto operand = logical_not();
    tokens_.leave();
    if (!operand) return operand;
    return make(Unary{UnaryOperator::logical_not, std::move(operand).value()});
}

std::optional<CompareOperator> ExpressionParser::compare_operator() {
    static constexpr std::pair<std::string_view, CompareOperator> marks[] = {
        {"==", CompareOperator::equal},         {"!=", CompareOperator::not_equal},
        {"<=", CompareOperator::less_equal},    {"<", CompareOperator::less},
        {">=", CompareOperator::greater_equal}, {">", CompareOperator::greater}};
    for (const auto& [mark, op] : marks) {
        if (tokens_.skip_mark(mark)) return op;
    }
    if (tokens_.skip_word("in")) return CompareOperator::in;
    if (tokens_.at_word("not") && tokens_.at_word("in", 1)) {
        tokens_.next();
        tokens_.next();
        return CompareOperator::not_in;
    }
    return std::nullopt;
}

Result<ExpressionPtr> ExpressionParser::comparison() {
    TT_TRY(auto first, sum());
    Comparison node;
    while (const auto op = compare_operator()) {
        TT_TRY(auto operand, sum());
        node.rest.emplace_back(*op, std::move(operand));
    }
    if (node.rest.empty()) return first;
    node.first = std::move(first);
    return make(std::move(node));
}

Result<ExpressionPtr> ExpressionParser::binary_chain(Rule operand, Operators operators) {
    TT_TRY(auto left, (this->*operand)());
    while (true) {
        const auto* found =
            std::find_if(operators.begin(), operators.end(),
                         [&](const auto& candidate) { return tokens_.skip_mark(candidate.first); });
        if (found == operators.end()) return left;
        TT_TRY(auto right, (this->*operand)());
        TT_TRY(left, make(Binary{found->second, std::move(left), std::move(right)}));
    }
}

Result<ExpressionPtr> ExpressionParser::sum() {
    return binary_chain(&ExpressionParser::concatenation,
                        {{"+", BinaryOperator::add}, {"-", BinaryOperator::subtract}});
}

Result<ExpressionPtr> ExpressionParser::concatenation() {
    TT_TRY(auto first, product());
    if (!tokens_.at_mark("~")) return first;
    Concatenation node;
    node.parts.push_back(std::move(first));
    while (tokens_.skip_mark("~")) {
        TT_TRY(node.parts.emplace_back(), product());
    }
    return make(std::move(node));
}

Result<ExpressionPtr> ExpressionParser::product() {
    return binary_chain(&ExpressionParser::power, {{"*", BinaryOperator::multiply},
                                                   {"/", BinaryOperator::divide},
                                                   {"//", BinaryOperator::floor_divide},
                                                   {"%", BinaryOperator::modulo}});
}

Result<ExpressionPtr> ExpressionParser::power() {
    TT_TRY(auto left, unary());
    while (tokens_.skip_mark("**")) {
        TT_TRY(auto right, unary());
        TT_TRY(left, make(Binary{BinaryOperator::power, std::move(left), std::move(right)}));
    }
    return left;
}

Result<ExpressionPtr> ExpressionParser::unary(bool with_filters) {
    TT_CHECK(tokens_.enter());
    auto made = [&]() -> Result<ExpressionPtr> {
        if (tokens_.at_mark("-") || tokens_.at_mark("+")) {
            const bool negates = tokens_.next().text == "-";
            TT_TRY(auto operand, unary(false));
            return make(
                Unary{negates ? UnaryOperator::negate : UnaryOperator::plus, std::move(operand)});
        }
        TT_TRY(auto object, primary());
        return postfix(std::move(object));
    }();
    tokens_.leave();
    if (!made || !with_filters) return made;
    return filters_and_tests(std::move(made).value());
}

Result<ExpressionPtr> ExpressionParser::name() {
    const std::string text = tokens_.next().text;
    if (text == "true" || text == "True") return make(Literal{true});
    if (text == "false" || text == "False") return make(Literal{false});
    if (text == "none" || text == "None") return make(Literal{None{}});
    return make(Name{tokens_.symbol(text)});
}

Result<ExpressionPtr> ExpressionParser::primary() {
    switch (tokens_.peek().kind) {
        case TokenKind::name:
            return name();
        case TokenKind::string: {
            std::string text;
            while (tokens_.at(TokenKind::string)) text += tokens_.next().text;
            return make(StringLiteral{Text::trusted(text)});
        }
        case TokenKind::integer:
            return make(Literal{tokens_.next().integer});
        case TokenKind::floating:
            return make(Literal{tokens_.next().floating});
        default:
            break;
    }
    if (tokens_.skip_mark("(")) return parenthesised();
    if (tokens_.skip_mark("[")) return list();
    if (tokens_.skip_mark("{")) return dict();
    return tokens_.unexpected("an expression");
}

Result<ExpressionPtr> ExpressionParser::parenthesised() {
    if (tokens_.skip_mark(")")) return make(ListDisplay{.is_tuple = true, .items = {}});
    TT_TRY(auto inner, tuple());
    TT_CHECK(tokens_.expect_mark(")"));
    return inner;
}

Result<ExpressionPtr> ExpressionParser::list() {
    ListDisplay node;
    while (!tokens_.at_mark("]")) {
        if (!node.items.empty()) {
            TT_CHECK(tokens_.expect_mark(","));
            if (tokens_.at_mark("]")) break;
        }
        TT_TRY(node.items.emplace_back(), expression());
    }
    tokens_.next();
    return make(std::move(node));
}

Result<ExpressionPtr> ExpressionParser::dict() {
    DictDisplay node;
    while (!tokens_.at_mark("}")) {
        if (!node.items.empty()) {
            TT_CHECK(tokens_.expect_mark(","));
            if (tokens_.at_mark("}")) break;
        }
        TT_TRY(auto key, expression());
        TT_CHECK(tokens_.expect_mark(":"));
        TT_TRY(auto value, expression());
        node.items.emplace_back(std::move(key), std::move(value));
    }
    tokens_.next();
    return make(std::move(node));
}

Result<ExpressionPtr> ExpressionParser::postfix(ExpressionPtr object) {
    while (true) {
        if (tokens_.skip_mark(".")) {
            TT_TRY(object, dotted(std::move(object)));
        } else if (tokens_.skip_mark("[")) {
            TT_TRY(object, subscript(std::move(object)));
        } else if (tokens_.at_mark("(")) {
            TT_TRY(auto arguments, call_arguments());
            TT_TRY(object, make(Call{std::move(object), std::move(arguments)}));
        } else {
            return object;
        }
    }
}

Result<ExpressionPtr> ExpressionParser::filters_and_tests(ExpressionPtr value) {
    while (true) {
        if (tokens_.skip_mark("|")) {
            TT_TRY(value, one_filter(std::move(value)));
        } else if (tokens_.skip_word("is")) {
            TT_TRY(value, test(std::move(value)));
        } else if (tokens_.at_mark("(")) {
            TT_TRY(auto arguments, call_arguments());
            TT_TRY(value, make(Call{std::move(value), std::move(arguments)}));
        } else {
            return value;
        }
    }
}

Result<ExpressionPtr> ExpressionParser::dotted(ExpressionPtr object) {
    if (tokens_.at(TokenKind::integer)) {
        TT_TRY(auto key, make(Literal{tokens_.next().integer}));
        return make(Subscript{std::move(object), std::move(key)});
    }
    TT_TRY(auto attribute, tokens_.expect_name());
    return make(Attribute{std::move(object), std::move(attribute)});
}

Result<ExpressionPtr> ExpressionParser::subscript(ExpressionPtr object) {
    const auto at_bound_end = [&] { return tokens_.at_mark(":") || tokens_.at_mark("]"); };
    ListDisplay keys{.is_tuple = true, .items = {}};
    if (!at_bound_end()) {
        TT_TRY(keys.items.emplace_back(), expression());
    }
    if (tokens_.skip_mark(":")) {
        Slice node;
        node.object = std::move(object);
        if (!keys.items.empty()) node.begin = std::move(keys.items[0]);
        if (!at_bound_end()) {
            TT_TRY(node.end, expression());
        }
        if (tokens_.skip_mark(":") && !at_bound_end()) {
            TT_TRY(node.step, expression());
        }
        TT_CHECK(tokens_.expect_mark("]"));
        return make(std::move(node));
    }
    while (tokens_.skip_mark(",")) {
        TT_TRY(keys.items.emplace_back(), expression());
    }
    TT_CHECK(tokens_.expect_mark("]"));
    if (keys.items.size() == 1) return make(Subscript{std::move(object), std::move(keys.items[0])});
    TT_TRY(auto key, make(std::move(keys)));
    return make(Subscript{std::move(object), std::move(key)});
}

Result<CallArguments> ExpressionParser::call_arguments() {
    TT_CHECK(tokens_.expect_mark("("));
    CallArguments out;
    for (bool is_first = true; !tokens_.at_mark(")"); is_first = false) {
        if (!is_first) {
            TT_CHECK(tokens_.expect_mark(","));
            if (tokens_.at_mark(")")) break;
        }
        if (tokens_.skip_mark("**")) {
            if (out.double_star != nullptr) return tokens_.malformed("a second ** argument");
            TT_TRY(out.double_star, expression());
        } else if (tokens_.skip_mark("*")) {
            if (out.star != nullptr || out.double_star != nullptr)
                return tokens_.malformed("a misplaced * argument");
            TT_TRY(out.star, expression());
        } else if (tokens_.at(TokenKind::name) && tokens_.at_mark("=", 1)) {
            Keyword keyword;
            keyword.name = tokens_.next().text;
            tokens_.next();
            TT_TRY(keyword.value, expression());
            out.named.push_back(std::move(keyword));
        } else {
            if (!out.named.empty() || out.star != nullptr || out.double_star != nullptr)
                return tokens_.malformed("a positional argument behind a named one");
            TT_TRY(out.positional.emplace_back(), expression());
        }
    }
    tokens_.next();
    return out;
}

Result<ExpressionPtr> ExpressionParser::one_filter(ExpressionPtr value) {
    Filtered node;
    node.value = std::move(value);
    TT_TRY(node.filter, tokens_.expect_name());
    while (tokens_.skip_mark(".")) {
        TT_TRY(const auto part, tokens_.expect_name());
        node.filter += "." + part;
    }
    if (tokens_.at_mark("(")) {
        TT_TRY(node.arguments, call_arguments());
    }
    return make(std::move(node));
}

Result<ExpressionPtr> ExpressionParser::filter_chain(ExpressionPtr value) {
    TT_TRY(value, one_filter(std::move(value)));
    while (tokens_.skip_mark("|")) {
        TT_TRY(value, one_filter(std::move(value)));
    }
    return value;
}

Result<ExpressionPtr> ExpressionParser::test(ExpressionPtr value) {
    Tested node;
    node.value = std::move(value);
    node.is_negated = tokens_.skip_word("not");
    TT_TRY(node.test, tokens_.expect_name());
    while (tokens_.skip_mark(".")) {
        TT_TRY(const auto part, tokens_.expect_name());
        node.test += "." + part;
    }
    const TokenKind kind = tokens_.peek().kind;
    const bool is_word =
        kind == TokenKind::name && !tokens_.at_word("else") && !tokens_.at_word("or") &&
        !tokens_.at_word("and") && !tokens_.at_word("is") && !tokens_.at_word("if") &&
        !tokens_.at_word("in") && !tokens_.at_word("not") && !tokens_.at_word("recursive");
    if (tokens_.at_mark("(")) {
        TT_TRY(node.arguments, call_arguments());
    } else if (is_word || kind == TokenKind::string || kind == TokenKind::integer ||
               kind == TokenKind::floating || tokens_.at_mark("[") || tokens_.at_mark("{")) {
        TT_TRY(auto argument, primary());
        TT_TRY(argument, postfix(std::move(argument)));
        node.arguments.positional.push_back(std::move(argument));
    }
    return make(std::move(node));
}

}  // namespace teetee::jinja
