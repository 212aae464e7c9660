// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "model/kv_budget.hpp"

namespace teetee::cli {

/// The flags about the memory for keys and values, wherever a model is loaded.
struct KvOptions {
    std::string memory;         // "": the default of model::plan_kv
    std::string type = "auto";  // what the weights call for

    void add_to(CLI::App& command);

    /// 0 bytes if the flag is not given. Error: config_invalid.
    Result<uint64_t> bytes() const;
    /// None for "auto". Error: invalid_argument.
    Result<std::optional<model::KvType>> kv_type() const;
    /// The same flags for another process.
    std::vector<std::string> arguments() const;
};

}  // namespace teetee::cli
