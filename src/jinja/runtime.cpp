// SPDX-License-Identifier: Apache-2.0
#include "jinja/runtime.hpp"

#include <algorithm>

namespace teetee::jinja {
namespace {

constexpr uint64_t bytes_per_step = 32;
// Of an object beside its content: allocations, deque slot, map node.
constexpr uint64_t object_bytes = 96;

}  // namespace

Result<void> Runtime::spend_steps(uint64_t steps) {
    if (steps > steps_left_)
        return fail(ErrorCode::limit_exceeded, "the template takes too many steps");
    steps_left_ -= steps;
    return {};
}

Result<void> Runtime::spend_memory(uint64_t bytes) {
    TT_CHECK(spend_steps(bytes / bytes_per_step));
    if (bytes > memory_left_)
        return fail(ErrorCode::limit_exceeded, "the template takes too much memory");
    memory_left_ -= bytes;
    return {};
}

Result<Value> Runtime::text(Text text) {
    TT_CHECK(spend_memory(object_bytes + text.bytes.size() + text.foreign.size() * sizeof(Span)));
    return Value(&texts_.emplace_back(std::move(text)));
}

Result<Value> Runtime::sequence(SequenceKind kind, std::vector<Value> items) {
    TT_CHECK(spend_memory(object_bytes + items.size() * sizeof(Value)));
    Sequence& made = sequences_.emplace_back();
    made.kind = kind;
    made.items = std::move(items);
    return Value(&made);
}

Result<Dict*> Runtime::dict() {
    TT_CHECK(spend_memory(object_bytes));
    return &dicts_.emplace_back();
}

Result<Value> Runtime::callable(std::string name,
                                std::function<Result<Value>(const Arguments&)> call) {
    TT_CHECK(spend_memory(object_bytes));
    return Value(&callables_.emplace_back(Callable{std::move(name), std::move(call)}));
}

Result<Loop*> Runtime::loop() {
    TT_CHECK(spend_memory(object_bytes));
    return &loops_.emplace_back();
}

bool TextBuilder::pay(size_t bytes) {
    if (state_) state_ = runtime_.spend_memory(bytes);
    return state_.has_value();
}

Result<void> TextBuilder::spend_step() {
    if (state_) state_ = runtime_.spend_steps();
    return state_;
}

void TextBuilder::trusted(std::string_view bytes) {
    if (pay(bytes.size())) text_.append_trusted(bytes);
}

void TextBuilder::foreign(std::string_view bytes) {
    if (pay(bytes.size())) text_.append_foreign(bytes);
}

void TextBuilder::append(const Text& from, size_t begin, size_t end) {
    const size_t bytes = std::min(end, from.bytes.size()) - begin;
    if (pay(bytes + sizeof(Span))) text_.append(from, begin, end);
}

void TextBuilder::derived(std::string_view bytes, const Text& from, size_t begin, size_t end) {
    if (pay(bytes.size())) text_.append_derived(bytes, from, begin, end);
}

Result<Text> TextBuilder::take() {
    if (!state_) return state_.error();
    return std::move(text_);
}

Result<Value> TextBuilder::finish() {
    TT_TRY(auto text, take());
    return runtime_.text(std::move(text));
}

}  // namespace teetee::jinja
