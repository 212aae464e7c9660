// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/command.hpp"
#include "model/gguf.hpp"
#include "model/shard_model.hpp"
#include "net/blob_folder.hpp"
#include "net/file.hpp"

namespace teetee::cli {

/// --weights-cache DIR|off, of every command that loads weights.
struct WeightsCacheOption {
    std::string folder = default_folder();

    void add_to(CLI::App& command);
    /// Nothing where it is off.
    std::optional<net::BlobFolder> open() const;

    /// $XDG_CACHE_HOME (or ~/.cache)/teetee/weights; "off" where neither is set.
    static std::string default_folder();
};

/// Loads `options.layers` of a file through the cache. There is no key: what is kept is checked
/// against damage, and belongs to the file's state as the file system tells it. A cache that is
/// damaged or cannot be written is told on stderr and does no harm.
Result<std::unique_ptr<model::ShardModel>> load_shard(const net::File& file,
                                                      const model::Gguf& gguf,
                                                      model::ModelOptions options,
                                                      const WeightsCacheOption& cache_option);

}  // namespace teetee::cli
