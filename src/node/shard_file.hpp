// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "model/gguf.hpp"
#include "model/manifest.hpp"
#include "net/file.hpp"

namespace teetee::node {

/// A shard file whose index is in private memory; its tensors stay on disk.
struct ShardFile {
    net::File file;
    Bytes head;
    model::Gguf gguf;

    /// Errors: of net::File, and those of model::Gguf with the path.
    static Result<ShardFile> open(const std::string& path);
};

/// Which of the manifest's shards this file says it is, and its index confirms.
/// Error: shard_mismatch.
Result<size_t> identify_shard(const model::Gguf& gguf, const model::Manifest& manifest);

}  // namespace teetee::node
