// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <utility>
#include <vector>

#include "jinja/ast.hpp"
#include "jinja/runtime.hpp"

namespace teetee::jinja {

/// Runs one template once. Syntax, runtime and context MUST outlive it.
class Interpreter {
  public:
    Interpreter(const Syntax& syntax, Runtime& runtime, const Dict& context,
                uint64_t output_bytes_max)
        : syntax_(syntax), runtime_(runtime), context_(context), output_max_(output_bytes_max) {}

    /// Errors: template_failed with the line, limit_exceeded.
    Result<Text> run();

  private:
    enum class Flow { next, break_loop, continue_loop };

    /// Variables of a block; `parent` is the block around it in the source.
    struct Scope {
        Scope* parent = nullptr;
        std::vector<std::pair<Symbol, Value>> variables;

        void set(Symbol symbol, const Value& value);
    };
    Result<Scope*> open_scope(Scope* parent);

    Result<Flow> execute(const Body& body, Scope& scope);
    Result<Flow> run(const Data& data, Scope& scope);
    Result<Flow> run(const Output& output, Scope& scope);
    Result<Flow> run(const If& node, Scope& scope);
    Result<Flow> run(const For& node, Scope& scope);
    Result<Flow> run(const Set& node, Scope& scope);
    Result<Flow> run(const SetBlock& node, Scope& scope);
    Result<Flow> run(const FilterBlock& node, Scope& scope);
    Result<Flow> run(const With& node, Scope& scope);
    Result<Flow> run(const Macro& node, Scope& scope);
    Result<Flow> run(const CallBlock& node, Scope& scope);
    Result<Flow> run(const Scoped& node, Scope& scope);
    Result<Flow> run(const Break&, Scope&) { return Flow::break_loop; }
    Result<Flow> run(const Continue&, Scope&) { return Flow::continue_loop; }

    Result<Flow> run_loop(const For& node, Scope& scope, const Value& iterable, size_t depth);
    /// The items that a loop visits, those that its filter lets through.
    Result<const std::vector<Value>*> loop_items(const For& node, Scope& scope,
                                                 const Value& iterable);
    Result<void> assign(const Target& target, const Value& value, Scope& scope);
    /// What a recursive loop prints when it is called.
    Result<Value> loop_text(const For& node, Scope& scope, const Arguments& arguments,
                            size_t depth);
    /// What the function prints, as a text.
    template <class Run>
    Result<Value> capture(Run run_inside);
    Result<Value> make_macro(const Macro& macro, Scope& scope);
    Result<Value> call_macro(const Macro& macro, Scope& definition, const Arguments& arguments);
    Result<void> bind_named(const Macro& macro, const Arguments& arguments, Scope& scope,
                            std::vector<bool>& given);
    Result<void> ensure_output_fits() const;

    Result<Value> evaluate(const Expression& expression, Scope& scope);
    Result<Value> value_of(const Literal& node, Scope&) { return node.value; }
    Result<Value> value_of(const StringLiteral& node, Scope&) { return Value(&node.text); }
    Result<Value> value_of(const Name& node, Scope& scope);
    Result<Value> value_of(const ListDisplay& node, Scope& scope);
    Result<Value> value_of(const DictDisplay& node, Scope& scope);
    Result<Value> value_of(const Unary& node, Scope& scope);
    Result<Value> value_of(const Binary& node, Scope& scope);
    Result<Value> value_of(const Logical& node, Scope& scope);
    Result<Value> value_of(const Concatenation& node, Scope& scope);
    Result<Value> value_of(const Comparison& node, Scope& scope);
    Result<Value> value_of(const Conditional& node, Scope& scope);
    Result<Value> value_of(const Attribute& node, Scope& scope);
    Result<Value> value_of(const Subscript& node, Scope& scope);
    Result<Value> value_of(const Slice& node, Scope& scope);
    Result<Value> value_of(const Call& node, Scope& scope);
    Result<Value> value_of(const Filtered& node, Scope& scope);
    Result<Value> value_of(const Tested& node, Scope& scope);

    Result<bool> compare(CompareOperator op, const Value& left, const Value& right);
    Result<Arguments> arguments_of(const CallArguments& node, Scope& scope);
    Result<Value> call(const Value& callee, const Arguments& arguments);
    /// The filters of a block: the innermost Filtered has no value of its own.
    Result<Value> filter_text(const Expression& filters, const Value& text, Scope& scope);

    const Syntax& syntax_;
    Runtime& runtime_;
    const Dict& context_;
    uint64_t output_max_;
    std::deque<Scope> scopes_;
    TextBuilder* out_ = nullptr;
    Value block_text_;  // what the innermost Filtered of a filter block reads
    size_t depth_ = 0;
};

}  // namespace teetee::jinja
