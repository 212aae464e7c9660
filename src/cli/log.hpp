// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/line_limiter.hpp"
#include "cli/log_line.hpp"

namespace spdlog {
class logger;
}

namespace teetee::cli {

/// How a process writes its log, by flags that every command has.
struct LogOptions {
    std::string format = "text";
    std::string level = "info";

    void add_to(CLI::App& app);
    bool is_json() const { return format == "json"; }
    LogLevel least() const;
    /// For a process that is started by this one.
    std::vector<std::string> arguments() const;
};

/// Writes lines to stderr: for people with time of day, level and name, or as JSON objects
/// (json_line). Lines that repeat are limited (LineLimiter), those with fields excepted: each of
/// them is of one request. From any thread.
class StderrLog final : public StructuredLog {
  public:
    StderrLog(const LogOptions& options, LogSource source);
    ~StderrLog() override;
    void event(LogLevel level, std::string_view message, std::span<const LogField> fields) override;

  private:
    void tell_withheld(const std::vector<LineLimiter::Withheld>& withheld);
    void put(LogLevel level, std::string_view message, std::span<const LogField> fields);

    LogSource source_;
    bool is_json_;
    LogLevel least_;
    SystemClock clock_;
    std::mutex mutex_;
    LineLimiter limiter_;
    std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace teetee::cli
