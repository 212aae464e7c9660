// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "base/activations.hpp"
#include "base/result.hpp"

namespace teetee::cli {

/// --activations: how rows travel from one shard to the next.
struct ActivationsOption {
    std::string name = "f32";

    void add_to(CLI::App& command);
    /// Error: invalid_argument.
    Result<ActivationFormat> format() const;
};

}  // namespace teetee::cli
