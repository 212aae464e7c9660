// SPDX-License-Identifier: Apache-2.0
#include "cli/log.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace teetee::cli {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return spdlog::level::debug;
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::warn:
            return spdlog::level::warn;
        case LogLevel::error:
            return spdlog::level::err;
    }
    return spdlog::level::err;
}

/// As it stands in a pattern, where % means something.
std::string pattern_name(const LogSource& source) {
    std::string out;
    for (const char c : on_one_line(source.node.empty() ? source.component : source.node)) {
        out += c;
        if (c == '%') out += c;
    }
    return out;
}

}  // namespace

void LogOptions::add_to(CLI::App& app) {
    app.add_option("--log-format", format, "How nodes and servers log, on stderr")
        ->capture_default_str()
        ->check(CLI::IsMember({"text", "json"}))
        ->envname("TEETEE_LOG_FORMAT");
    app.add_option("--log-level", level, "The least that they log")
        ->capture_default_str()
        ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
        ->envname("TEETEE_LOG_LEVEL");
}

LogLevel LogOptions::least() const {
    for (const LogLevel each : {LogLevel::debug, LogLevel::info, LogLevel::warn}) {
        if (to_string(each) == level) return each;
    }
    return LogLevel::error;
}

std::vector<std::string> LogOptions::arguments() const {
    return {"--log-format", format, "--log-level", level};
}

StderrLog::StderrLog(const LogOptions& options, LogSource source)
    : source_(std::move(source)), is_json_(options.is_json()), least_(options.least()) {
    spdlog::sink_ptr sink;
    if (is_json_) {
        sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
        sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    }
    logger_ = std::make_shared<spdlog::logger>("teetee", std::move(sink));
    logger_->set_level(spdlog::level::trace);
    if (is_json_) {
        // RFC 3339.
        logger_->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v})",
                             spdlog::pattern_time_type::utc);
    } else {
        logger_->set_pattern("%H:%M:%S.%e %^%-5l%$ [" + pattern_name(source_) + "] %v");
    }
}

StderrLog::~StderrLog() {
    tell_withheld(limiter_.take_withheld(clock_.now() + LineLimiter::window));
}

void StderrLog::event(LogLevel level, std::string_view message, std::span<const LogField> fields) {
    if (level < least_) return;
    if (!fields.empty()) return put(level, message, fields);
    bool is_admitted = false;
    std::vector<LineLimiter::Withheld> withheld;
    {
        const std::scoped_lock lock(mutex_);
        const Instant now = clock_.now();
        withheld = limiter_.take_withheld(now);
        is_admitted = limiter_.admit(now, message);
    }
    tell_withheld(withheld);
    if (is_admitted) put(level, message, fields);
}

void StderrLog::tell_withheld(const std::vector<LineLimiter::Withheld>& withheld) {
    for (const LineLimiter::Withheld& kind : withheld)
        put(LogLevel::warn, fmt::format("{} more like: {}", kind.count, kind.message), {});
}

void StderrLog::put(LogLevel level, std::string_view message, std::span<const LogField> fields) {
    if (is_json_) {
        logger_->log(spdlog_level(level), "{}", json_members(level, source_, message, fields));
    } else {
        logger_->log(spdlog_level(level), "{}", text_line(message, fields));
    }
}

}  // namespace teetee::cli
