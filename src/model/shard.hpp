// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/request.hpp"
#include "base/result.hpp"
#include "model/gguf.hpp"
#include "model/gguf_writer.hpp"
#include "model/manifest.hpp"

namespace teetee::model {

/// What a shard file says about itself, under these keys of its metadata:
///   teetee.version u32 1 · teetee.shard.index, .count, .layer_begin, .layer_end u32 ·
///   teetee.model_root, teetee.shard_root strings of 64 hex digits
/// It is a claim until verify_shard or compute_shard_root has confirmed it.
struct ShardInfo {
    uint32_t index = 0;
    uint32_t count = 0;
    LayerRange layers;
    Digest model_root{};
    Digest shard_root{};
};

/// Told how many bytes of tensor data are hashed; for progress bars.
using HashProgress = std::function<void(uint64_t done_bytes, uint64_t total_bytes)>;

/// Nothing for a file without teetee keys: a whole model. Error: gguf_malformed naming the key,
/// also when one is missing, unknown, or does not agree with the others.
Result<std::optional<ShardInfo>> parse_shard_info(const Gguf& gguf);

/// <architecture>.block_count. Errors: gguf_malformed, hyperparameter_invalid.
Result<uint32_t> layer_count_of(const Gguf& gguf);

/// Hashes the model's tensors, and describes it and the shards of this cut (see even_cut).
/// Errors: invalid_argument for a bad cut, gguf_malformed, hyperparameter_invalid,
/// manifest_malformed for what no manifest can describe, such as a part of a model.
Result<Manifest> build_manifest(const Gguf& model, std::span<const LayerRange> cut,
                                const HashProgress& progress = {});

/// Writes a shard of the model: a GGUF v3 file with the model's entries except teetee keys, then
/// the keys above, and the tensors the shard holds in the model's order. The same input makes the
/// same bytes. Data is not hashed here: verify_shard does that with the result.
/// Errors: invalid_argument for an index of no shard, shard_mismatch where model and manifest
/// differ in a tensor's name, type or dimensions, and those of the sink.
Result<void> cut_shard(const Gguf& model, const Manifest& manifest, uint32_t shard_index,
                       const ByteSink& sink);

/// The root of everything in the file, which is the shard root (manifest.hpp) if and only if the
/// file holds exactly the shard with these layers. Errors: as build_manifest.
Result<Digest> compute_shard_root(const Gguf& shard, const Digest& model_root, LayerRange layers,
                                  const HashProgress& progress = {});

/// Compares all but the tensors' data with the manifest, which MUST come from parse_manifest or
/// build_manifest: whoever then hashes every tensor he takes (WeightSource::manifest) has verified
/// the shard. Errors: as verify_shard.
Result<void> verify_shard_index(const Gguf& shard, const Manifest& manifest, uint32_t shard_index);

/// Hashes every byte the shard would serve and compares it with the manifest, which MUST come
/// from parse_manifest or build_manifest. A whole model passes as the only shard of its cut.
/// Errors: shard_mismatch naming the first key or tensor that differs, and as build_manifest.
Result<void> verify_shard(const Gguf& shard, const Manifest& manifest, uint32_t shard_index,
                          const HashProgress& progress = {});

}  // namespace teetee::model
