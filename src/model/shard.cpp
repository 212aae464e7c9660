// SPDX-License-Identifier: Apache-2.0
#include "model/shard.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "crypto/hash.hpp"
#include "model/limits.hpp"

namespace teetee::model {
namespace {

constexpr uint32_t version = 1;
constexpr std::string_view key_prefix = "teetee.";
constexpr std::string_view tokenizer_prefix = "tokenizer.";
constexpr std::string_view version_key = "teetee.version";
constexpr std::string_view index_key = "teetee.shard.index";
constexpr std::string_view count_key = "teetee.shard.count";
constexpr std::string_view layer_begin_key = "teetee.shard.layer_begin";
constexpr std::string_view layer_end_key = "teetee.shard.layer_end";
constexpr std::string_view model_root_key = "teetee.model_root";
constexpr std::string_view shard_root_key = "teetee.shard_root";
constexpr int key_count = 7;

constexpr size_t hash_step_bytes = 4 << 20;

template <class T>
Result<T> required(std::string_view key, Result<std::optional<T>> value) {
    if (!value) return std::move(value).error();
    if (!*value) return fail(ErrorCode::gguf_malformed, std::string(key) + ": is missing");
    return **std::move(value);
}

Result<uint32_t> required_u32(const Gguf& gguf, std::string_view key) {
    return required(key, gguf.u32(key));
}

Result<Digest> required_digest(const Gguf& gguf, std::string_view key) {
    TT_TRY(const std::string_view hex, required(key, gguf.string(key)));
    const auto digest = array_from_hex<32>(hex);
    if (!digest || to_hex(*digest) != hex) {
        return fail(ErrorCode::gguf_malformed,
                    std::string(key) + ": need 64 hex digits in lower case");
    }
    return *digest;
}

std::vector<const GgufTensor*> tensors_by_name(const Gguf& gguf) {
    std::vector<const GgufTensor*> tensors;
    for (const GgufTensor& tensor : gguf.tensors()) tensors.push_back(&tensor);
    std::sort(tensors.begin(), tensors.end(),
              [](const GgufTensor* a, const GgufTensor* b) { return a->name < b->name; });
    return tensors;
}

/// Hashes tensors one after the other and keeps count for the progress.
class TensorHasher {
  public:
    TensorHasher(const Gguf& gguf, const HashProgress& progress)
        : gguf_(gguf), progress_(progress) {
        for (const GgufTensor& tensor : gguf.tensors()) total_bytes_ += tensor.bytes;
    }

    Digest hash(const GgufTensor& tensor) {
        ByteView rest = gguf_.data(tensor);
        while (!rest.empty()) {
            const ByteView step = rest.first(std::min(rest.size(), hash_step_bytes));
            hash_.update(step);
            rest = rest.subspan(step.size());
            done_bytes_ += step.size();
            if (progress_) progress_(done_bytes_, total_bytes_);
        }
        return hash_.finish();
    }

  private:
    const Gguf& gguf_;
    const HashProgress& progress_;
    crypto::Sha256 hash_;
    uint64_t done_bytes_ = 0;
    uint64_t total_bytes_ = 0;
};

Digest hash_entries(const std::vector<const GgufEntry*>& entries) {
    crypto::Sha256 hash;
    for (const GgufEntry* entry : entries) {
        ByteWriter length;
        length.u32(static_cast<uint32_t>(entry->encoded.size()));
        hash.update(length.view());
        hash.update(entry->encoded);
    }
    return hash.finish();
}

/// A manifest that has only what comes from the metadata.
Result<Manifest> describe_metadata(const Gguf& gguf) {
    Manifest manifest;
    TT_TRY(manifest.architecture,
           required("general.architecture", gguf.string("general.architecture")));
    TT_TRY(const auto name, gguf.string("general.name"));
    manifest.name = name.value_or("");
    TT_TRY(manifest.layer_count, layer_count_of(gguf));

    std::vector<const GgufEntry*> hyperparameters;
    std::vector<const GgufEntry*> tokenizer;
    for (const GgufEntry& entry : gguf.entries()) {
        if (entry.key.starts_with(key_prefix)) continue;
        (entry.key.starts_with(tokenizer_prefix) ? tokenizer : hyperparameters).push_back(&entry);
    }
    const auto by_key = [](const GgufEntry* a, const GgufEntry* b) { return a->key < b->key; };
    std::sort(hyperparameters.begin(), hyperparameters.end(), by_key);
    std::sort(tokenizer.begin(), tokenizer.end(), by_key);
    manifest.hyperparameters_sha256 = hash_entries(hyperparameters);
    manifest.tokenizer_sha256 = hash_entries(tokenizer);
    return manifest;
}

ManifestTensor describe_tensor(const GgufTensor& tensor, TensorHasher& hasher) {
    return {std::string(tensor.name), tensor.type, tensor.dimensions, hasher.hash(tensor)};
}

std::string shard_file_name(size_t index, size_t count) {
    const auto padded = [](size_t number) {
        const std::string digits = std::to_string(number);
        return std::string(3 - std::min<size_t>(3, digits.size()), '0') + digits;
    };
    return "shard-" + padded(index) + "-of-" + padded(count) + ".gguf";
}

GgufWriter shard_writer(const Gguf& model, const Manifest& manifest, uint32_t shard_index) {
    const ManifestShard& shard = manifest.shards[shard_index];
    GgufWriter writer;
    for (const GgufEntry& entry : model.entries()) {
        if (!entry.key.starts_with(key_prefix)) writer.copy(entry);
    }
    writer.u32(version_key, version);
    writer.u32(index_key, shard_index);
    writer.u32(count_key, static_cast<uint32_t>(manifest.shards.size()));
    writer.u32(layer_begin_key, shard.layers.begin);
    writer.u32(layer_end_key, shard.layers.end);
    writer.string(model_root_key, to_hex(manifest.model_root));
    writer.string(shard_root_key, to_hex(shard.root));
    const ModelLayout layout = layout_of(manifest);
    for (const GgufTensor& tensor : model.tensors()) {
        if (serves(layout, shard.layers, tensor.name)) writer.tensor(tensor, model.data(tensor));
    }
    return writer;
}

Error mismatch(std::string_view what, std::string_view why) {
    return fail(ErrorCode::shard_mismatch, std::string(what) + ": " + std::string(why));
}

std::vector<const ManifestTensor*> served_tensors(const Manifest& manifest, LayerRange layers) {
    const ModelLayout layout = layout_of(manifest);
    std::vector<const ManifestTensor*> served;
    for (const ManifestTensor& tensor : manifest.tensors) {
        if (serves(layout, layers, tensor.name)) served.push_back(&tensor);
    }
    return served;
}

/// That the file has these tensors and no other, without a look at their data. Both are ascending
/// by name.
Result<void> match_tensors(const std::vector<const GgufTensor*>& have,
                           const std::vector<const ManifestTensor*>& need) {
    for (size_t i = 0; i < std::max(have.size(), need.size()); ++i) {
        if (i == have.size() || (i < need.size() && need[i]->name < have[i]->name)) {
            return mismatch(quote_foreign(need[i]->name), "is missing in the file");
        }
        if (i == need.size() || have[i]->name < need[i]->name) {
            return mismatch(quote_foreign(have[i]->name), "does not belong into the file");
        }
        if (have[i]->type != need[i]->type || have[i]->dimensions != need[i]->dimensions) {
            return mismatch(quote_foreign(need[i]->name), "type or dimensions differ");
        }
    }
    return {};
}

Result<void> match_info(const ShardInfo& info, const Manifest& manifest, uint32_t shard_index) {
    const ManifestShard& shard = manifest.shards[shard_index];
    if (info.index != shard_index || info.count != manifest.shards.size()) {
        return mismatch(index_key, "have shard " + std::to_string(info.index) + " of " +
                                       std::to_string(info.count) + ", need " +
                                       std::to_string(shard_index) + " of " +
                                       std::to_string(manifest.shards.size()));
    }
    if (info.layers != shard.layers) return mismatch(layer_begin_key, "other layers");
    if (info.model_root != manifest.model_root) return mismatch(model_root_key, "another model");
    if (info.shard_root != shard.root) return mismatch(shard_root_key, "another root");
    return {};
}

Result<void> match_metadata(const Manifest& have, const Manifest& need) {
    if (have.architecture != need.architecture || have.name != need.name ||
        have.layer_count != need.layer_count ||
        have.hyperparameters_sha256 != need.hyperparameters_sha256) {
        return mismatch("metadata", "differs from the manifest");
    }
    if (have.tokenizer_sha256 != need.tokenizer_sha256) {
        return mismatch("tokenizer metadata", "differs from the manifest");
    }
    return {};
}

Result<void> ensure_shard(const Manifest& manifest, uint32_t shard_index) {
    if (shard_index < manifest.shards.size()) return {};
    return fail(ErrorCode::invalid_argument,
                "shard " + std::to_string(shard_index) + ": the manifest has " +
                    std::to_string(manifest.shards.size()) + " shards");
}

}  // namespace

Result<std::optional<ShardInfo>> parse_shard_info(const Gguf& gguf) {
    const auto keys =
        std::count_if(gguf.entries().begin(), gguf.entries().end(),
                      [](const GgufEntry& entry) { return entry.key.starts_with(key_prefix); });
    if (keys == 0) return std::optional<ShardInfo>();
    TT_TRY(const uint32_t file_version, required_u32(gguf, version_key));
    if (file_version != version) {
        return fail(ErrorCode::gguf_malformed, std::string(version_key) + ": have " +
                                                   std::to_string(file_version) + ", need " +
                                                   std::to_string(version));
    }
    ShardInfo info;
    TT_TRY(info.index, required_u32(gguf, index_key));
    TT_TRY(info.count, required_u32(gguf, count_key));
    TT_TRY(info.layers.begin, required_u32(gguf, layer_begin_key));
    TT_TRY(info.layers.end, required_u32(gguf, layer_end_key));
    TT_TRY(info.model_root, required_digest(gguf, model_root_key));
    TT_TRY(info.shard_root, required_digest(gguf, shard_root_key));
    if (keys != key_count) {
        return fail(ErrorCode::gguf_malformed, "an unknown key that begins with teetee.");
    }
    TT_TRY(const uint32_t layer_count, layer_count_of(gguf));
    const bool first = info.index == 0;
    const bool last = info.index + 1 == info.count;
    if (info.index >= info.count || info.count > shard_count_max ||
        info.layers.begin >= info.layers.end || info.layers.end > layer_count ||
        first != (info.layers.begin == 0) || last != (info.layers.end == layer_count)) {
        return fail(ErrorCode::gguf_malformed,
                    "shard " + std::to_string(info.index) + " of " + std::to_string(info.count) +
                        " cannot have layers " + std::to_string(info.layers.begin) + " to " +
                        std::to_string(info.layers.end) + " of " + std::to_string(layer_count));
    }
    return std::optional(info);
}

Result<uint32_t> layer_count_of(const Gguf& gguf) {
    TT_TRY(const std::string_view architecture,
           required("general.architecture", gguf.string("general.architecture")));
    const std::string key = std::string(architecture) + ".block_count";
    TT_TRY(const uint32_t layer_count, required(quote_foreign(key), gguf.u32(key)));
    if (layer_count < 1 || layer_count > layer_count_max) {
        return fail(ErrorCode::hyperparameter_invalid,
                    quote_foreign(key) + ": have " + std::to_string(layer_count) + ", need 1 to " +
                        std::to_string(layer_count_max));
    }
    return layer_count;
}

Result<Manifest> build_manifest(const Gguf& model, std::span<const LayerRange> cut,
                                const HashProgress& progress) {
    TT_TRY(const auto info, parse_shard_info(model));
    if (info && info->count > 1) {
        return fail(ErrorCode::invalid_argument, "have shard " + std::to_string(info->index) +
                                                     " of " + std::to_string(info->count) +
                                                     ", need the whole model");
    }
    TT_TRY(Manifest manifest, describe_metadata(model));
    TT_CHECK(validate_cut(cut, manifest.layer_count));
    TensorHasher hasher(model, progress);
    for (const GgufTensor* tensor : tensors_by_name(model)) {
        manifest.tensors.push_back(describe_tensor(*tensor, hasher));
    }
    for (size_t i = 0; i < cut.size(); ++i) {
        manifest.shards.push_back({.layers = cut[i], .file_name = shard_file_name(i, cut.size())});
    }
    derive_roots(manifest);
    for (uint32_t i = 0; i < manifest.shards.size(); ++i) {
        manifest.shards[i].file_bytes = shard_writer(model, manifest, i).file_bytes();
    }
    TT_CHECK(validate(manifest));
    return manifest;
}

Result<void> cut_shard(const Gguf& model, const Manifest& manifest, uint32_t shard_index,
                       const ByteSink& sink) {
    TT_CHECK(ensure_shard(manifest, shard_index));
    TT_CHECK(
        match_tensors(tensors_by_name(model), served_tensors(manifest, {0, manifest.layer_count})));
    return shard_writer(model, manifest, shard_index).write(sink);
}

Result<Digest> compute_shard_root(const Gguf& shard, const Digest& model_root, LayerRange layers,
                                  const HashProgress& progress) {
    TT_TRY(const Manifest metadata, describe_metadata(shard));
    TensorHasher hasher(shard, progress);
    std::vector<Digest> leaves;
    for (const GgufTensor* tensor : tensors_by_name(shard)) {
        leaves.push_back(tensor_leaf(describe_tensor(*tensor, hasher)));
    }
    return derive_shard_root(model_root, layers, metadata_leaf(metadata), leaves);
}

Result<void> verify_shard_index(const Gguf& shard, const Manifest& manifest, uint32_t shard_index) {
    TT_CHECK(ensure_shard(manifest, shard_index));
    TT_TRY(const auto info, parse_shard_info(shard));
    if (info) TT_CHECK(match_info(*info, manifest, shard_index));
    TT_TRY(const Manifest metadata, describe_metadata(shard));
    TT_CHECK(match_metadata(metadata, manifest));
    return match_tensors(tensors_by_name(shard),
                         served_tensors(manifest, manifest.shards[shard_index].layers));
}

Result<void> verify_shard(const Gguf& shard, const Manifest& manifest, uint32_t shard_index,
                          const HashProgress& progress) {
    TT_CHECK(verify_shard_index(shard, manifest, shard_index));
    const auto have = tensors_by_name(shard);
    const auto need = served_tensors(manifest, manifest.shards[shard_index].layers);
    TensorHasher hasher(shard, progress);
    for (size_t i = 0; i < need.size(); ++i) {
        const Digest digest = hasher.hash(*have[i]);
        if (digest != need[i]->sha256) {
            return mismatch(quote_foreign(need[i]->name), "data has SHA-256 " + to_hex(digest) +
                                                              ", need " + to_hex(need[i]->sha256));
        }
    }
    return {};
}

}  // namespace teetee::model
