// SPDX-License-Identifier: Apache-2.0
// Expressions; statements are in interpreter.cpp.
#include "jinja/interpreter.hpp"
#include "jinja/operations.hpp"
#include "jinja/python.hpp"

namespace teetee::jinja {

Result<Value> Interpreter::evaluate(const Expression& expression, Scope& scope) {
    TT_CHECK(runtime_.spend_steps());
    if (depth_ == evaluation_depth_max)
        return fail(ErrorCode::limit_exceeded, "the template nests calls too deep");
    ++depth_;
    auto value =
        std::visit([&](const auto& node) { return value_of(node, scope); }, expression.node);
    --depth_;
    return value;
}

Result<Value> Interpreter::value_of(const Name& node, Scope& scope) {
    for (const Scope* at = &scope; at != nullptr; at = at->parent) {
        for (const auto& [symbol, value] : at->variables) {
            if (symbol == node.symbol) return value;
        }
    }
    const std::string& name = syntax_.names[node.symbol];
    if (const Value* value = find(context_, name)) return *value;
    TT_TRY(const auto global, find_global(runtime_, name));
    return global.value_or(Value(Undefined{.name = &name}));
}

Result<Value> Interpreter::value_of(const ListDisplay& node, Scope& scope) {
    std::vector<Value> items;
    for (const auto& item : node.items) {
        TT_TRY(items.emplace_back(), evaluate(*item, scope));
    }
    return runtime_.sequence(node.is_tuple ? SequenceKind::tuple : SequenceKind::list,
                             std::move(items));
}

Result<Value> Interpreter::value_of(const DictDisplay& node, Scope& scope) {
    TT_TRY(Dict* const dict, runtime_.dict());
    for (const auto& [key_node, value_node] : node.items) {
        TT_TRY(const Value key, evaluate(*key_node, scope));
        TT_TRY(const Value value, evaluate(*value_node, scope));
        TT_CHECK(insert(runtime_, *dict, key, value));
    }
    return Value(dict);
}

Result<Value> Interpreter::value_of(const Unary& node, Scope& scope) {
    TT_TRY(const Value operand, evaluate(*node.operand, scope));
    if (node.op == UnaryOperator::logical_not) return Value(!is_true(operand));
    return negate(operand, node.op);
}

Result<Value> Interpreter::value_of(const Binary& node, Scope& scope) {
    TT_TRY(const Value left, evaluate(*node.left, scope));
    TT_TRY(const Value right, evaluate(*node.right, scope));
    return calculate(runtime_, node.op, left, right);
}

Result<Value> Interpreter::value_of(const Logical& node, Scope& scope) {
    TT_TRY(const Value left, evaluate(*node.left, scope));
    if (is_true(left) != node.is_and) return left;
    return evaluate(*node.right, scope);
}

Result<Value> Interpreter::value_of(const Concatenation& node, Scope& scope) {
    TextBuilder out(runtime_);
    for (const auto& part : node.parts) {
        TT_TRY(const Value value, evaluate(*part, scope));
        TT_CHECK(append_str(out, value));
    }
    return out.finish();
}

Result<bool> Interpreter::compare(CompareOperator op, const Value& left, const Value& right) {
    const bool negates = op == CompareOperator::not_equal || op == CompareOperator::not_in ||
                         op == CompareOperator::less_equal || op == CompareOperator::greater_equal;
    const auto outcome = [&]() -> Result<bool> {
        switch (op) {
            case CompareOperator::equal:
            case CompareOperator::not_equal:
                return equals(runtime_, left, right);
            case CompareOperator::less:
            case CompareOperator::greater_equal:
                return less(runtime_, left, right);
            case CompareOperator::greater:
            case CompareOperator::less_equal:
                return less(runtime_, right, left);
            default:
                return contains(runtime_, right, left);
        }
    }();
    if (!outcome) return outcome;
    return *outcome != negates;
}

Result<Value> Interpreter::value_of(const Comparison& node, Scope& scope) {
    TT_TRY(Value left, evaluate(*node.first, scope));
    for (const auto& [op, operand] : node.rest) {
        TT_TRY(const Value right, evaluate(*operand, scope));
        TT_TRY(const bool holds, compare(op, left, right));
        if (!holds) return Value(false);
        left = right;
    }
    return Value(true);
}

Result<Value> Interpreter::value_of(const Conditional& node, Scope& scope) {
    TT_TRY(const Value condition, evaluate(*node.condition, scope));
    if (is_true(condition)) return evaluate(*node.value, scope);
    if (node.otherwise == nullptr) return Value(Undefined{});
    return evaluate(*node.otherwise, scope);
}

Result<Value> Interpreter::value_of(const Attribute& node, Scope& scope) {
    TT_TRY(const Value object, evaluate(*node.object, scope));
    return get_attribute(runtime_, object, node.name);
}

Result<Value> Interpreter::value_of(const Subscript& node, Scope& scope) {
    TT_TRY(const Value object, evaluate(*node.object, scope));
    TT_TRY(const Value key, evaluate(*node.key, scope));
    return get_item(runtime_, object, key);
}

Result<Value> Interpreter::value_of(const Slice& node, Scope& scope) {
    TT_TRY(const Value object, evaluate(*node.object, scope));
    const auto bound = [&](const ExpressionPtr& expression) -> Result<Value> {
        if (expression == nullptr) return Value(None{});
        return evaluate(*expression, scope);
    };
    SliceBounds bounds;
    TT_TRY(bounds.begin, bound(node.begin));
    TT_TRY(bounds.end, bound(node.end));
    TT_TRY(bounds.step, bound(node.step));
    return slice(runtime_, object, bounds);
}

Result<Arguments> Interpreter::arguments_of(const CallArguments& node, Scope& scope) {
    Arguments out;
    for (const auto& argument : node.positional) {
        TT_TRY(out.positional.emplace_back(), evaluate(*argument, scope));
    }
    for (const auto& keyword : node.named) {
        TT_TRY(const Value value, evaluate(*keyword.value, scope));
        out.named.emplace_back(keyword.name, value);
    }
    if (node.star != nullptr) {
        TT_TRY(const Value star, evaluate(*node.star, scope));
        TT_TRY(const auto items, iterate(runtime_, star));
        out.positional.insert(out.positional.end(), items.begin(), items.end());
    }
    if (node.double_star != nullptr) {
        TT_TRY(const Value star, evaluate(*node.double_star, scope));
        const Dict* dict = if_dict(star);
        if (dict == nullptr || dict->is_namespace) return failed("** needs a mapping");
        TT_CHECK(runtime_.spend_steps(dict->entries.size()));
        for (const auto& [key, value] : dict->entries) {
            const Text* name = if_text(key);
            if (name == nullptr) return failed("** needs names for keys");
            out.named.emplace_back(name->bytes, value);
        }
    }
    return out;
}

Result<Value> Interpreter::call(const Value& callee, const Arguments& arguments) {
    if (const Callable* callable = if_callable(callee)) return callable->call(arguments);
    if (const auto* undefined = std::get_if<Undefined>(&callee)) return undefined_error(*undefined);
    if (const auto* loop = std::get_if<Loop*>(&callee); loop != nullptr) {
        if ((*loop)->recurse == nullptr) return failed("this loop is not recursive");
        return (*loop)->recurse->call(arguments);
    }
    return failed("a '" + std::string(type_name(callee)) + "' cannot be called");
}

Result<Value> Interpreter::value_of(const Call& node, Scope& scope) {
    TT_TRY(const Value callee, evaluate(*node.callee, scope));
    TT_TRY(const auto arguments, arguments_of(node.arguments, scope));
    return call(callee, arguments);
}

Result<Value> Interpreter::value_of(const Filtered& node, Scope& scope) {
    Value subject = block_text_;
    if (node.value != nullptr) {
        TT_TRY(subject, evaluate(*node.value, scope));
    }
    TT_TRY(const auto arguments, arguments_of(node.arguments, scope));
    return apply_filter(runtime_, node.filter, subject, arguments);
}

Result<Value> Interpreter::filter_text(const Expression& filters, const Value& text, Scope& scope) {
    const Value outer = std::exchange(block_text_, text);
    auto filtered = evaluate(filters, scope);
    block_text_ = outer;
    return filtered;
}

Result<Value> Interpreter::value_of(const Tested& node, Scope& scope) {
    TT_TRY(const Value subject, evaluate(*node.value, scope));
    TT_TRY(const auto arguments, arguments_of(node.arguments, scope));
    TT_TRY(const bool holds, apply_test(runtime_, node.test, subject, arguments));
    return Value(holds != node.is_negated);
}

}  // namespace teetee::jinja
