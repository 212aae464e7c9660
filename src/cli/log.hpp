// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/world.hpp"

namespace teetee::cli {

/// Writes lines with time, level and the process's name to stderr.
class StderrLog final : public Log {
  public:
    explicit StderrLog(const std::string& name);
    void write(LogLevel level, std::string_view message) override;
};

}  // namespace teetee::cli
