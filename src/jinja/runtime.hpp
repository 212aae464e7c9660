// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <string>

#include "base/world.hpp"
#include "jinja/limits.hpp"
#include "jinja/value.hpp"

namespace teetee::jinja {

/// What one rendering may still spend, and everything it made: values refer to each other freely,
/// even in circles, and all end together.
class Runtime {
  public:
    Runtime(RenderLimits limits, UnixSeconds now)
        : steps_left_(limits.steps_max), memory_left_(limits.memory_bytes_max), now_(now) {}

    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;

    UnixSeconds now() const { return now_; }

    /// Errors of all that follow: limit_exceeded.
    Result<void> spend_steps(uint64_t steps = 1);
    Result<void> spend_memory(uint64_t bytes);

    /// For text whose size is bounded by a small multiple of what was there before; anything else
    /// is made by a TextBuilder.
    Result<Value> text(Text text);
    Result<Value> trusted_text(std::string_view bytes) { return text(Text::trusted(bytes)); }
    Result<Value> sequence(SequenceKind kind, std::vector<Value> items);
    Result<Value> list(std::vector<Value> items) {
        return sequence(SequenceKind::list, std::move(items));
    }
    Result<Dict*> dict();
    Result<Value> callable(std::string name, std::function<Result<Value>(const Arguments&)> call);
    Result<Loop*> loop();

  private:
    uint64_t steps_left_;
    uint64_t memory_left_;
    UnixSeconds now_;
    std::deque<Text> texts_;
    std::deque<Sequence> sequences_;
    std::deque<Dict> dicts_;
    std::deque<Callable> callables_;
    std::deque<Loop> loops_;
};

/// Makes one text, and pays for it as it grows: once the budget is spent nothing is appended.
class TextBuilder {
  public:
    explicit TextBuilder(Runtime& runtime) : runtime_(runtime) {}

    void trusted(std::string_view bytes);
    void foreign(std::string_view bytes);
    void append(const Text& from, size_t begin = 0, size_t end = std::string::npos);
    void derived(std::string_view bytes, const Text& from, size_t begin, size_t end);

    /// For walks that may append little or nothing at each of many places. Error: limit_exceeded.
    Result<void> spend_step();
    bool failed() const { return !state_; }
    size_t size() const { return text_.bytes.size(); }
    /// Error: limit_exceeded.
    Result<Text> take();
    Result<Value> finish();

  private:
    bool pay(size_t bytes);

    Runtime& runtime_;
    Text text_;
    Result<void> state_;
};

}  // namespace teetee::jinja
