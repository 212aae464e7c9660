// SPDX-License-Identifier: Apache-2.0
// Statements; expressions are in evaluate.cpp.
#include "jinja/interpreter.hpp"

#include <algorithm>

#include "jinja/operations.hpp"
#include "jinja/python.hpp"

namespace teetee::jinja {

void Interpreter::Scope::set(Symbol symbol, const Value& value) {
    for (auto& [name, old] : variables) {
        if (name == symbol) {
            old = value;
            return;
        }
    }
    variables.emplace_back(symbol, value);
}

Result<Interpreter::Scope*> Interpreter::open_scope(Scope* parent) {
    TT_CHECK(runtime_.spend_memory(sizeof(Scope) + 4 * sizeof(Value)));
    Scope& scope = scopes_.emplace_back();
    scope.parent = parent;
    return &scope;
}

Result<Text> Interpreter::run() {
    TT_TRY(Scope* const scope, open_scope(nullptr));
    TextBuilder out(runtime_);
    out_ = &out;
    TT_CHECK(execute(syntax_.body, *scope));
    return out.take();
}

template <class Run>
Result<Value> Interpreter::capture(Run run_inside) {
    TextBuilder text(runtime_);
    TextBuilder* const outer = std::exchange(out_, &text);
    auto flow = run_inside();
    out_ = outer;
    if (!flow) return std::move(flow).error();
    return text.finish();
}

Result<void> Interpreter::ensure_output_fits() const {
    if (out_->size() <= output_max_) return {};
    return fail(ErrorCode::limit_exceeded,
                "the template writes more than " + std::to_string(output_max_) + " bytes");
}

Result<Interpreter::Flow> Interpreter::execute(const Body& body, Scope& scope) {
    for (const Statement& statement : body) {
        TT_CHECK(runtime_.spend_steps());
        auto flow = std::visit([&](const auto& node) { return run(node, scope); }, statement.node);
        if (!flow) {
            Error error = std::move(flow).error();
            if (error.detail.starts_with("line ")) return error;
            return in_context("line " + std::to_string(statement.line), std::move(error));
        }
        if (*flow != Flow::next) return flow;
    }
    return Flow::next;
}

Result<Interpreter::Flow> Interpreter::run(const Data& data, Scope&) {
    out_->append(data.text);
    TT_CHECK(ensure_output_fits());
    return Flow::next;
}

Result<Interpreter::Flow> Interpreter::run(const Output& output, Scope& scope) {
    TT_TRY(const Value value, evaluate(*output.value, scope));
    TT_CHECK(append_str(*out_, value));
    TT_CHECK(ensure_output_fits());
    return Flow::next;
}

Result<Interpreter::Flow> Interpreter::run(const If& node, Scope& scope) {
    for (const Branch& branch : node.branches) {
        if (branch.condition != nullptr) {
            TT_TRY(const Value condition, evaluate(*branch.condition, scope));
            if (!is_true(condition)) continue;
        }
        return execute(branch.body, scope);
    }
    return Flow::next;
}

Result<Interpreter::Flow> Interpreter::run(const For& node, Scope& scope) {
    TT_TRY(const Value iterable, evaluate(*node.iterable, scope));
    return run_loop(node, scope, iterable, 0);
}

Result<const std::vector<Value>*> Interpreter::loop_items(const For& node, Scope& scope,
                                                          const Value& iterable) {
    const Sequence* sequence = if_sequence(iterable);
    if (node.filter == nullptr && sequence != nullptr && sequence->kind != SequenceKind::generator)
        return &sequence->items;
    TT_TRY(auto items, iterate(runtime_, iterable));
    if (node.filter != nullptr) {
        std::vector<Value> kept;
        for (const Value& item : items) {
            TT_TRY(Scope* const inner, open_scope(&scope));
            TT_CHECK(assign(node.target, item, *inner));
            TT_TRY(const Value passes, evaluate(*node.filter, *inner));
            if (is_true(passes)) kept.push_back(item);
        }
        items = std::move(kept);
    }
    TT_TRY(const Value made, runtime_.list(std::move(items)));
    return &if_sequence(made)->items;
}

Result<Interpreter::Flow> Interpreter::run_loop(const For& node, Scope& scope,
                                                const Value& iterable, size_t depth) {
    TT_TRY(const auto* items, loop_items(node, scope, iterable));
    TT_TRY(Loop* const loop, runtime_.loop());
    loop->items = items;
    loop->depth = depth;
    if (node.is_recursive) {
        const auto recurse = [this, &node, &scope, depth](const Arguments& arguments) {
            return loop_text(node, scope, arguments, depth + 1);
        };
        TT_TRY(const Value made, runtime_.callable("loop", recurse));
        loop->recurse = if_callable(made);
    }
    for (; loop->index < items->size(); ++loop->index) {
        TT_TRY(Scope* const inner, open_scope(&scope));
        inner->set(symbol_loop, loop);
        TT_CHECK(assign(node.target, (*items)[loop->index], *inner));
        TT_TRY(const Flow flow, execute(node.body, *inner));
        if (flow == Flow::break_loop) return Flow::next;
    }
    if (items->empty() && !node.otherwise.empty()) {
        TT_TRY(Scope* const inner, open_scope(&scope));
        return execute(node.otherwise, *inner);
    }
    return Flow::next;
}

Result<Value> Interpreter::loop_text(const For& node, Scope& scope, const Arguments& arguments,
                                     size_t depth) {
    TT_TRY(const auto bound, bind(arguments, {"iterable"}));
    return capture([&] { return run_loop(node, scope, bound[0].value_or(None{}), depth); });
}

Result<void> Interpreter::assign(const Target& target, const Value& value, Scope& scope) {
    if (!target.items.empty()) {
        TT_TRY(const auto parts, iterate(runtime_, value));
        if (parts.size() != target.items.size()) {
            return failed("have " + std::to_string(parts.size()) + " values to unpack, need " +
                          std::to_string(target.items.size()));
        }
        for (size_t i = 0; i < parts.size(); ++i)
            TT_CHECK(assign(target.items[i], parts[i], scope));
        return {};
    }
    if (!target.attribute) {
        TT_CHECK(runtime_.spend_memory(sizeof(Value)));
        scope.set(target.symbol, value);
        return {};
    }
    TT_TRY(const Value object, value_of(Name{target.symbol}, scope));
    Dict* names = if_dict(object);
    if (names == nullptr || !names->is_namespace) {
        return failed("cannot set an attribute of '" + syntax_.names[target.symbol] +
                      "': not a namespace");
    }
    TT_TRY(const Value key, runtime_.trusted_text(*target.attribute));
    return insert(runtime_, *names, key, value);
}

Result<Interpreter::Flow> Interpreter::run(const Set& node, Scope& scope) {
    TT_TRY(const Value value, evaluate(*node.value, scope));
    TT_CHECK(assign(node.target, value, scope));
    return Flow::next;
}

Result<Interpreter::Flow> Interpreter::run(const SetBlock& node, Scope& scope) {
    TT_TRY(Scope* const inner, open_scope(&scope));
    TT_TRY(Value text, capture([&] { return execute(node.body, *inner); }));
    if (node.filters != nullptr) {
        TT_TRY(text, filter_text(*node.filters, text, *inner));
    }
    TT_CHECK(assign(node.target, text, scope));
    return Flow::next;
}

Result<Interpreter::Flow> Interpreter::run(const FilterBlock& node, Scope& scope) {
    TT_TRY(Scope* const inner, open_scope(&scope));
    TT_TRY(const Value text, capture([&] { return execute(node.body, *inner); }));
    TT_TRY(const Value filtered, filter_text(*node.filters, text, *inner));
    TT_CHECK(append_str(*out_, filtered));
    TT_CHECK(ensure_output_fits());
    return Flow::next;
}

Result<Interpreter::Flow> Interpreter::run(const With& node, Scope& scope) {
    TT_TRY(Scope* const inner, open_scope(&scope));
    for (const auto& [target, expression] : node.variables) {
        TT_TRY(const Value value, evaluate(*expression, scope));
        TT_CHECK(assign(target, value, *inner));
    }
    return execute(node.body, *inner);
}

Result<Interpreter::Flow> Interpreter::run(const Scoped& node, Scope& scope) {
    TT_TRY(Scope* const inner, open_scope(&scope));
    return execute(node.body, *inner);
}

Result<Interpreter::Flow> Interpreter::run(const Macro& node, Scope& scope) {
    TT_TRY(const Value macro, make_macro(node, scope));
    scope.set(node.symbol, macro);
    return Flow::next;
}

Result<Interpreter::Flow> Interpreter::run(const CallBlock& node, Scope& scope) {
    const auto& call_node = std::get<Call>(node.call->node);
    TT_TRY(const Value callee, evaluate(*call_node.callee, scope));
    TT_TRY(auto arguments, arguments_of(call_node.arguments, scope));
    TT_TRY(const Value caller, make_macro(node.caller, scope));
    arguments.named.emplace_back("caller", caller);
    TT_TRY(const Value text, call(callee, arguments));
    TT_CHECK(append_str(*out_, text));
    TT_CHECK(ensure_output_fits());
    return Flow::next;
}

Result<Value> Interpreter::make_macro(const Macro& macro, Scope& scope) {
    return runtime_.callable(macro.name, [this, &macro, &scope](const Arguments& arguments) {
        return call_macro(macro, scope, arguments);
    });
}

Result<void> Interpreter::bind_named(const Macro& macro, const Arguments& arguments, Scope& scope,
                                     std::vector<bool>& given) {
    TT_TRY(Dict* const rest, runtime_.dict());
    for (const auto& argument : arguments.named) {
        const std::string& name = argument.first;
        const Value& value = argument.second;
        const auto parameter =
            std::find_if(macro.parameters.begin(), macro.parameters.end(),
                         [&](const Parameter& candidate) { return candidate.name == name; });
        const auto index = static_cast<size_t>(parameter - macro.parameters.begin());
        if (parameter != macro.parameters.end()) {
            if (given[index])
                return failed("macro " + macro.name + ": '" + name + "' is given twice");
            given[index] = true;
            scope.set(parameter->symbol, value);
        } else if (name == "caller" && macro.takes_caller) {
            scope.set(symbol_caller, value);
        } else if (macro.takes_kwargs && name != "caller") {
            TT_TRY(const Value key, runtime_.trusted_text(name));
            TT_CHECK(insert(runtime_, *rest, key, value));
        } else {
            return failed("macro " + macro.name + " takes no argument " + quote_foreign(name));
        }
    }
    if (macro.takes_kwargs) scope.set(symbol_kwargs, rest);
    return {};
}

Result<Value> Interpreter::call_macro(const Macro& macro, Scope& definition,
                                      const Arguments& arguments) {
    TT_TRY(Scope* const scope, open_scope(&definition));
    if (macro.takes_caller) scope->set(symbol_caller, Undefined{});
    const size_t taken = std::min(arguments.positional.size(), macro.parameters.size());
    std::vector<bool> given(macro.parameters.size(), false);
    for (size_t i = 0; i < taken; ++i) {
        scope->set(macro.parameters[i].symbol, arguments.positional[i]);
        given[i] = true;
    }
    if (macro.takes_varargs) {
        TT_TRY(const Value rest,
               runtime_.sequence(SequenceKind::tuple,
                                 {arguments.positional.begin() + static_cast<ptrdiff_t>(taken),
                                  arguments.positional.end()}));
        scope->set(symbol_varargs, rest);
    } else if (arguments.positional.size() > taken) {
        return failed("macro " + macro.name + " takes at most " + std::to_string(taken) +
                      " arguments");
    }
    TT_CHECK(bind_named(macro, arguments, *scope, given));
    for (size_t i = 0; i < given.size(); ++i) {
        if (given[i]) continue;
        const Parameter& parameter = macro.parameters[i];
        Value value = Undefined{.name = &parameter.name};
        if (parameter.fallback != nullptr) {
            TT_TRY(value, evaluate(*parameter.fallback, *scope));
        }
        scope->set(parameter.symbol, value);
    }
    return capture([&] { return execute(macro.body, *scope); });
}

}  // namespace teetee::jinja
