// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/hf_config.hpp"

namespace teetee::cli {

/// What --type takes: auto, and the types by the names that GGUF files have for them.
std::vector<std::string> import_type_names();

struct ImportRequest {
    /// In Hugging Face's layout (docs/import.md).
    std::string folder{};
    std::string out{};
    std::string type = "auto";
    /// Of a model whose config.json has none; "": the folder's.
    std::string name{};
    std::stop_token stop{};
};

struct Imported {
    std::string architecture{};
    size_t tensors = 0;
    uint64_t bytes = 0;
};

/// config.json alone. Errors: of reading and of model::parse_hf_config.
Result<model::HfConfig> read_checkpoint_config(const std::string& folder);

/// Writes one GGUF file, or nothing. Errors: of reading and of model::write_gguf; cancelled.
Result<Imported> import_checkpoint(const ImportRequest& request);

}  // namespace teetee::cli
