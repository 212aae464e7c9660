// SPDX-License-Identifier: Apache-2.0
#include "cli/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace teetee::cli {

StderrLog::StderrLog(const std::string& name) {
    auto logger = spdlog::stderr_color_mt("teetee");
    logger->set_pattern("%H:%M:%S.%e %^%-5l%$ [" + name + "] %v");
    spdlog::set_default_logger(std::move(logger));
}

void StderrLog::write(LogLevel level, std::string_view message) {
    switch (level) {
        case LogLevel::debug:
            spdlog::debug("{}", message);
            return;
        case LogLevel::info:
            spdlog::info("{}", message);
            return;
        case LogLevel::warn:
            spdlog::warn("{}", message);
            return;
        case LogLevel::error:
            spdlog::error("{}", message);
            return;
    }
}

}  // namespace teetee::cli
