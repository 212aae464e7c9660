// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/request.hpp"
#include "cli/command.hpp"

namespace teetee::cli {

/// The flags that say how tokens are picked.
struct SamplingFlags {
    SamplingOptions options;
    std::vector<std::string> biases;  // ID:BIAS
    std::optional<uint32_t> logprobs;
    std::string grammar_path;
    std::string schema_path;

    void add_to(CLI::App& command);

    /// The options they stand for, files read. Errors: invalid_argument, io_failed, not_found.
    Result<SamplingOptions> resolve() const;
};

}  // namespace teetee::cli
