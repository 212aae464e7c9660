// SPDX-License-Identifier: Apache-2.0
#include "model/manifest.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "crypto/merkle.hpp"
#include "model/limits.hpp"

namespace teetee::model {
namespace {

Error malformed(std::string detail) {
    return fail(ErrorCode::manifest_malformed, std::move(detail));
}

std::vector<Digest> tensor_leaves_of(const Manifest& manifest) {
    std::vector<Digest> leaves;
    for (const ManifestTensor& tensor : manifest.tensors) leaves.push_back(tensor_leaf(tensor));
    return leaves;
}

Digest model_root_over(const Digest& metadata, std::span<const Digest> tensor_leaves) {
    std::vector<Digest> leaves = {metadata};
    leaves.insert(leaves.end(), tensor_leaves.begin(), tensor_leaves.end());
    return crypto::merkle_root(leaves);
}

struct Roots {
    Digest model;
    std::vector<Digest> shards;
};

Roots roots_of(const Manifest& manifest) {
    const ModelLayout layout = layout_of(manifest);
    const Digest metadata = metadata_leaf(manifest);
    const std::vector<Digest> leaves = tensor_leaves_of(manifest);
    Roots roots = {.model = model_root_over(metadata, leaves), .shards = {}};
    for (const ManifestShard& shard : manifest.shards) {
        std::vector<Digest> served;
        for (size_t i = 0; i < leaves.size(); ++i) {
            if (serves(layout, shard.layers, manifest.tensors[i].name)) served.push_back(leaves[i]);
        }
        roots.shards.push_back(derive_shard_root(roots.model, shard.layers, metadata, served));
    }
    return roots;
}

Result<void> validate_tensor(const ManifestTensor& tensor, uint32_t layer_count) {
    const std::string name = quote_foreign(tensor.name);
    if (tensor.name.empty() || tensor.name.size() > gguf_tensor_name_bytes_max) {
        return malformed(name + ": need a name of 1 to " +
                         std::to_string(gguf_tensor_name_bytes_max) + " bytes");
    }
    const auto& dimensions = tensor.dimensions;
    if (dimensions.empty() || dimensions.size() > gguf_dimension_count_max ||
        std::find(dimensions.begin(), dimensions.end(), 0u) != dimensions.end() ||
        dimensions[0] % tensor::block_layout(tensor.type).elements != 0) {
        return malformed(name + ": dimensions do not fit the type");
    }
    const auto layer = layer_of(tensor.name);
    if (layer && *layer >= layer_count) {
        return malformed(name + ": the model has " + std::to_string(layer_count) + " layers");
    }
    return {};
}

Result<void> validate_tensors(const Manifest& manifest) {
    if (manifest.tensors.size() > gguf_tensor_count_max) {
        return malformed("tensors: have " + std::to_string(manifest.tensors.size()) +
                         ", need at most " + std::to_string(gguf_tensor_count_max));
    }
    std::vector<bool> has_tensor(manifest.layer_count, false);
    for (size_t i = 0; i < manifest.tensors.size(); ++i) {
        const ManifestTensor& tensor = manifest.tensors[i];
        TT_CHECK(validate_tensor(tensor, manifest.layer_count));
        if (i > 0 && tensor.name <= manifest.tensors[i - 1].name) {
            return malformed(quote_foreign(tensor.name) + ": need tensors in the order of names");
        }
        if (const auto layer = layer_of(tensor.name)) has_tensor[*layer] = true;
    }
    const auto bare = std::find(has_tensor.begin(), has_tensor.end(), false);
    if (bare != has_tensor.end()) {
        return malformed("layer " + std::to_string(bare - has_tensor.begin()) +
                         ": has no tensor, so this is not the whole model");
    }
    return {};
}

/// The name comes from others and is opened beside the manifest: it must not lead elsewhere.
bool is_plain_file_name(std::string_view name) {
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '-' || c == '_';
    });
    return plain && !name.empty() && name.size() <= file_name_bytes_max && name[0] != '.' &&
           name[0] != '-';
}

Result<void> validate_shards(const Manifest& manifest) {
    std::vector<LayerRange> cut;
    std::set<std::string_view> file_names;
    for (const ManifestShard& shard : manifest.shards) {
        cut.push_back(shard.layers);
        if (!is_plain_file_name(shard.file_name) || !file_names.insert(shard.file_name).second) {
            return malformed("file name " + quote_foreign(shard.file_name) +
                             ": need letters, digits, '.', '-' and '_', and each name once");
        }
        if (shard.file_bytes == 0) return malformed(shard.file_name + ": need a size");
    }
    const auto covered = validate_cut(cut, manifest.layer_count);
    if (!covered) return malformed(covered.error().detail);
    return {};
}

}  // namespace

ModelLayout layout_of(const Manifest& manifest) {
    const bool has_output =
        std::any_of(manifest.tensors.begin(), manifest.tensors.end(),
                    [](const ManifestTensor& tensor) { return tensor.name == "output.weight"; });
    return {.layer_count = manifest.layer_count, .output_tied = !has_output};
}

Digest metadata_leaf(const Manifest& manifest) {
    ByteWriter layer_count;
    layer_count.u32(manifest.layer_count);
    return crypto::merkle_leaf(
        "teetee.model.metadata.v1",
        {as_bytes(manifest.architecture), as_bytes(manifest.name), layer_count.view(),
         manifest.hyperparameters_sha256, manifest.tokenizer_sha256});
}

Digest tensor_leaf(const ManifestTensor& tensor) {
    ByteWriter type;
    type.u32(static_cast<uint32_t>(tensor.type));
    ByteWriter dimensions;
    for (const uint64_t dimension : tensor.dimensions) dimensions.u64(dimension);
    return crypto::merkle_leaf("teetee.model.tensor.v1", {as_bytes(tensor.name), type.view(),
                                                          dimensions.view(), tensor.sha256});
}

Digest derive_model_root(const Manifest& manifest) {
    return model_root_over(metadata_leaf(manifest), tensor_leaves_of(manifest));
}

Digest derive_shard_root(const Digest& model_root, LayerRange layers, const Digest& metadata,
                         std::span<const Digest> tensor_leaves) {
    ByteWriter begin;
    begin.u32(layers.begin);
    ByteWriter end;
    end.u32(layers.end);
    std::vector<Digest> leaves = {
        crypto::merkle_leaf("teetee.shard.v1", {model_root, begin.view(), end.view()}), metadata};
    leaves.insert(leaves.end(), tensor_leaves.begin(), tensor_leaves.end());
    return crypto::merkle_root(leaves);
}

void derive_roots(Manifest& manifest) {
    const Roots roots = roots_of(manifest);
    manifest.model_root = roots.model;
    for (size_t i = 0; i < roots.shards.size(); ++i) manifest.shards[i].root = roots.shards[i];
}

Result<void> validate(const Manifest& manifest) {
    if (manifest.architecture.empty() || manifest.architecture.size() > model_name_bytes_max ||
        !is_utf8(manifest.architecture)) {
        return malformed("architecture: need 1 to " + std::to_string(model_name_bytes_max) +
                         " bytes of UTF-8");
    }
    if (manifest.name.size() > model_name_bytes_max || !is_utf8(manifest.name)) {
        return malformed("name: need at most " + std::to_string(model_name_bytes_max) +
                         " bytes of UTF-8");
    }
    if (manifest.layer_count < 1 || manifest.layer_count > layer_count_max) {
        return malformed("layer_count: have " + std::to_string(manifest.layer_count) +
                         ", need 1 to " + std::to_string(layer_count_max));
    }
    TT_CHECK(validate_tensors(manifest));
    TT_CHECK(validate_shards(manifest));
    const Roots roots = roots_of(manifest);
    if (roots.model != manifest.model_root) {
        return malformed("model_root: have " + to_hex(manifest.model_root) + ", need " +
                         to_hex(roots.model));
    }
    for (size_t i = 0; i < roots.shards.size(); ++i) {
        if (roots.shards[i] != manifest.shards[i].root) {
            return malformed("root of shard " + std::to_string(i) + ": have " +
                             to_hex(manifest.shards[i].root) + ", need " + to_hex(roots.shards[i]));
        }
    }
    return {};
}

}  // namespace teetee::model
