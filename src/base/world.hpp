// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

namespace teetee {

/// Monotonic time since an arbitrary start; what protocol code is told as `now`.
using Instant = std::chrono::nanoseconds;
using Duration = std::chrono::nanoseconds;

/// Seconds since 1970-01-01 UTC; for certificates, statements and receipts.
using UnixSeconds = int64_t;

/// The only sources of time, randomness and log lines: real ones under `net`, virtual under `sim`.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual Instant now() const = 0;
    virtual UnixSeconds unix_now() const = 0;
};

class Rng {
  public:
    virtual ~Rng() = default;
    /// Cryptographically strong in production; seeded under `sim`.
    virtual void fill(std::span<uint8_t> out) = 0;
};

enum class LogLevel { debug, info, warn, error };

/// MUST never be given prompt text, answers, keys or activations.
class Log {
  public:
    virtual ~Log() = default;
    virtual void write(LogLevel level, std::string_view message) = 0;

    void debug(std::string_view message) { write(LogLevel::debug, message); }
    void info(std::string_view message) { write(LogLevel::info, message); }
    void warn(std::string_view message) { write(LogLevel::warn, message); }
    void error(std::string_view message) { write(LogLevel::error, message); }
};

/// The process's own clock and the kernel's random numbers.
class SystemClock final : public Clock {
  public:
    Instant now() const override;
    UnixSeconds unix_now() const override;
};

class SystemRng final : public Rng {
  public:
    void fill(std::span<uint8_t> out) override;
};

class NullLog final : public Log {
  public:
    void write(LogLevel, std::string_view) override {}
};

}  // namespace teetee
