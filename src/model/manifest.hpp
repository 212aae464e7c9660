// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/request.hpp"
#include "base/result.hpp"
#include "model/cut.hpp"
#include "tensor/data_type.hpp"

namespace teetee::model {

// The canonical description of a model, and what its roots are. This is a specification: whoever
// follows it gets the same bytes and the same roots from the same GGUF file.
//
// Hashes of metadata. An entry's bytes are those it has in the GGUF file, from the length of its
// key to the end of its value. The hash of a set of entries is SHA-256 over the entries in the
// order of their keys (compared as bytes), each as u32 length || bytes. Entries whose key begins
// with "teetee." are in no set, those with "tokenizer." are in `tokenizer_sha256`, and all others
// in `hyperparameters_sha256`.
//
// Leaves, as merkle.hpp defines them; integers are little-endian:
//   metadata  tag "teetee.model.metadata.v1", fields: architecture, name, u32 layer_count,
//             hyperparameters_sha256, tokenizer_sha256
//   tensor    tag "teetee.model.tensor.v1", fields: name, u32 GGUF type number, the dimensions as
//             u64 each in the order of the file, SHA-256 of the tensor's data
//   shard     tag "teetee.shard.v1", fields: model root, u32 first layer, u32 layer after the last
//
// Model root: Merkle root of the metadata leaf, then the tensor leaves in the order of their
// names (compared as bytes). It does not depend on the cut.
// Shard root: Merkle root of the shard leaf, the metadata leaf, then the leaves of the tensors the
// shard holds (serves() in cut.hpp) in the order of their names.

struct ManifestTensor {
    std::string name;
    tensor::DataType type{};
    std::vector<uint64_t> dimensions;  // as in GgufTensor
    Digest sha256{};                   // of the data
};

struct ManifestShard {
    LayerRange layers;
    Digest root{};
    std::string file_name;  // of a file beside the manifest, so without any path
    uint64_t file_bytes = 0;
};

struct Manifest {
    std::string architecture;  // general.architecture
    std::string name;          // general.name, "" when absent
    uint32_t layer_count = 0;  // <architecture>.block_count
    Digest hyperparameters_sha256{};
    Digest tokenizer_sha256{};
    std::vector<ManifestTensor> tensors;  // of the whole model, ascending by name
    Digest model_root{};
    std::vector<ManifestShard> shards;  // ascending by layer; a shard's index is its place here
};

ModelLayout layout_of(const Manifest& manifest);

Digest metadata_leaf(const Manifest& manifest);
Digest tensor_leaf(const ManifestTensor& tensor);
/// From metadata and tensors alone.
Digest derive_model_root(const Manifest& manifest);
/// `tensor_leaves` are those of the tensors the shard holds, ascending by name.
Digest derive_shard_root(const Digest& model_root, LayerRange layers, const Digest& metadata,
                         std::span<const Digest> tensor_leaves);

/// Sets the model root and the root of every shard.
void derive_roots(Manifest& manifest);

/// Every promise of the structs above, roots included, and that each layer has a tensor.
/// Error: manifest_malformed naming the field, tensor or shard.
Result<void> validate(const Manifest& manifest);

/// JSON in the canonical form of RFC 8785 (keys sorted, no white space, no final newline), all
/// numbers whole, digests in lower-case hex:
/// {"architecture","hyperparameters_sha256","layer_count","model_root","name",
///  "shards":[{"file_bytes","file_name","index","layer_begin","layer_end","root"}],
///  "tensors":[{"dimensions","name","sha256","type"}],"tokenizer_sha256","version":1}
/// with `type` as GGUF numbers it.
std::string encode_manifest(const Manifest& manifest);

/// Accepts exactly what encode_manifest writes for a valid manifest, so one text stands for one
/// manifest. Error: manifest_malformed.
Result<Manifest> parse_manifest(std::string_view text);

}  // namespace teetee::model
