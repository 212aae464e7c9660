// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <variant>

#include "base/world.hpp"

namespace teetee {

/// What is said of an event beside its message. Names are ours, in snake_case.
struct LogField {
    std::string_view name{};
    std::variant<std::string, int64_t, double, bool> value{};
};

/// A log whose lines programs can read. MUST never be given what a Log must not.
class StructuredLog : public Log {
  public:
    virtual void event(LogLevel level, std::string_view message,
                       std::span<const LogField> fields) = 0;
    void write(LogLevel level, std::string_view message) override { event(level, message, {}); }
};

}  // namespace teetee
