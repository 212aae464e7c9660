// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/request.hpp"
#include "base/result.hpp"

namespace teetee::cli {

/// How a model is cut: evenly into a number of shards, into the layers named, or as a plan says.
struct CutOption {
    size_t shards = 2;
    std::string cut;
    std::string plan;

    void add_to(CLI::App& command);
    /// A cut of the model in this file. Errors: those of opening the model and of reading the plan;
    /// invalid_argument, where it is no cut of this model.
    Result<std::vector<LayerRange>> ranges(const std::string& model_path) const;
};

}  // namespace teetee::cli
