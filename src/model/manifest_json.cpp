// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <utility>

#include "model/json_reader.hpp"
#include "model/limits.hpp"
#include "model/manifest.hpp"

namespace teetee::model {
namespace {

constexpr uint64_t version = 1;

/// Escapes what RFC 8785 (section 3.2.2.2) wants escaped, and nothing else.
std::string quoted(std::string_view text) {
    constexpr std::string_view characters = "\"\\\b\f\n\r\t";
    constexpr std::string_view letters = "\"\\bfnrt";
    std::string out = "\"";
    for (const char c : text) {
        const size_t at = characters.find(c);
        if (at != std::string_view::npos) {
            out += {'\\', letters[at]};
        } else if (static_cast<uint8_t>(c) < 0x20) {
            out += "\\u00" + to_hex(ByteArray<1>{static_cast<uint8_t>(c)});
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string quoted(const Digest& digest) {
    return '"' + to_hex(digest) + '"';
}

std::string encode_shard(const ManifestShard& shard, size_t index) {
    return "{\"file_bytes\":" + std::to_string(shard.file_bytes) +
           ",\"file_name\":" + quoted(shard.file_name) + ",\"index\":" + std::to_string(index) +
           ",\"layer_begin\":" + std::to_string(shard.layers.begin) +
           ",\"layer_end\":" + std::to_string(shard.layers.end) +
           ",\"root\":" + quoted(shard.root) + "}";
}

std::string encode_tensor(const ManifestTensor& tensor) {
    std::string dimensions;
    for (const uint64_t dimension : tensor.dimensions) {
        if (!dimensions.empty()) dimensions += ',';
        dimensions += std::to_string(dimension);
    }
    return "{\"dimensions\":[" + dimensions + "],\"name\":" + quoted(tensor.name) +
           ",\"sha256\":" + quoted(tensor.sha256) +
           ",\"type\":" + std::to_string(static_cast<uint32_t>(tensor.type)) + "}";
}

Result<uint32_t> read_u32(JsonReader& json) {
    TT_TRY(const uint64_t value, json.integer());
    if (!std::in_range<uint32_t>(value)) {
        return fail(ErrorCode::manifest_malformed,
                    "have " + std::to_string(value) + ", need a number of 32 bits");
    }
    return static_cast<uint32_t>(value);
}

Result<Digest> read_digest(JsonReader& json) {
    TT_TRY(const std::string hex, json.string());
    return array_from_hex<32>(hex);
}

Error unknown_key(const std::string& key) {
    return fail(ErrorCode::manifest_malformed, "unknown key " + quote_foreign(key));
}

Result<ManifestShard> read_shard(JsonReader& json, size_t place) {
    ManifestShard shard;
    TT_CHECK(json.object([&](const std::string& key) -> Result<void> {
        if (key == "file_bytes") {
            TT_TRY(shard.file_bytes, json.integer());
        } else if (key == "file_name") {
            TT_TRY(shard.file_name, json.string());
        } else if (key == "index") {
            TT_TRY(const uint32_t index, read_u32(json));
            if (index != place) {
                return fail(ErrorCode::manifest_malformed, "shard index: have " +
                                                               std::to_string(index) + ", need " +
                                                               std::to_string(place));
            }
        } else if (key == "layer_begin") {
            TT_TRY(shard.layers.begin, read_u32(json));
        } else if (key == "layer_end") {
            TT_TRY(shard.layers.end, read_u32(json));
        } else if (key == "root") {
            TT_TRY(shard.root, read_digest(json));
        } else {
            return unknown_key(key);
        }
        return {};
    }));
    return shard;
}

Result<ManifestTensor> read_tensor(JsonReader& json) {
    ManifestTensor tensor;
    TT_CHECK(json.object([&](const std::string& key) -> Result<void> {
        if (key == "dimensions") {
            return json.array([&]() -> Result<void> {
                TT_TRY(const uint64_t dimension, json.integer());
                tensor.dimensions.push_back(dimension);
                return {};
            });
        }
        if (key == "name") {
            TT_TRY(tensor.name, json.string());
        } else if (key == "sha256") {
            TT_TRY(tensor.sha256, read_digest(json));
        } else if (key == "type") {
            TT_TRY(const uint32_t number, read_u32(json));
            const auto type = tensor::data_type_from(number);
            if (!type) {
                return fail(ErrorCode::manifest_malformed, "tensor type " + std::to_string(number));
            }
            tensor.type = *type;
        } else {
            return unknown_key(key);
        }
        return {};
    }));
    return tensor;
}

Result<void> read_member(JsonReader& json, const std::string& key, Manifest& manifest) {
    if (key == "architecture") {
        TT_TRY(manifest.architecture, json.string());
    } else if (key == "hyperparameters_sha256") {
        TT_TRY(manifest.hyperparameters_sha256, read_digest(json));
    } else if (key == "layer_count") {
        TT_TRY(manifest.layer_count, read_u32(json));
    } else if (key == "model_root") {
        TT_TRY(manifest.model_root, read_digest(json));
    } else if (key == "name") {
        TT_TRY(manifest.name, json.string());
    } else if (key == "shards") {
        return json.array([&]() -> Result<void> {
            TT_TRY(ManifestShard shard, read_shard(json, manifest.shards.size()));
            manifest.shards.push_back(std::move(shard));
            return {};
        });
    } else if (key == "tensors") {
        return json.array([&]() -> Result<void> {
            TT_TRY(ManifestTensor tensor, read_tensor(json));
            manifest.tensors.push_back(std::move(tensor));
            return {};
        });
    } else if (key == "tokenizer_sha256") {
        TT_TRY(manifest.tokenizer_sha256, read_digest(json));
    } else if (key == "version") {
        TT_TRY(const uint64_t have, json.integer());
        if (have != version) {
            return fail(ErrorCode::manifest_malformed, "version: have " + std::to_string(have) +
                                                           ", need " + std::to_string(version));
        }
    } else {
        return unknown_key(key);
    }
    return {};
}

}  // namespace

std::string encode_manifest(const Manifest& manifest) {
    std::string out = "{\"architecture\":" + quoted(manifest.architecture) +
                      ",\"hyperparameters_sha256\":" + quoted(manifest.hyperparameters_sha256) +
                      ",\"layer_count\":" + std::to_string(manifest.layer_count) +
                      ",\"model_root\":" + quoted(manifest.model_root) +
                      ",\"name\":" + quoted(manifest.name) + ",\"shards\":[";
    for (size_t i = 0; i < manifest.shards.size(); ++i) {
        if (i > 0) out += ',';
        out += encode_shard(manifest.shards[i], i);
    }
    out += "],\"tensors\":[";
    for (size_t i = 0; i < manifest.tensors.size(); ++i) {
        if (i > 0) out += ',';
        out += encode_tensor(manifest.tensors[i]);
    }
    return out + "],\"tokenizer_sha256\":" + quoted(manifest.tokenizer_sha256) +
           ",\"version\":" + std::to_string(version) + "}";
}

Result<Manifest> parse_manifest(std::string_view text) {
    if (text.size() > manifest_bytes_max) {
        return fail(ErrorCode::manifest_malformed, "have " + std::to_string(text.size()) +
                                                       " bytes, need at most " +
                                                       std::to_string(manifest_bytes_max));
    }
    JsonReader json(text);
    Manifest manifest;
    const auto read =
        json.object([&](const std::string& key) { return read_member(json, key, manifest); });
    if (!read) return fail(ErrorCode::manifest_malformed, read.error().detail);
    // This also finds whatever is missing, out of order or behind the end.
    if (encode_manifest(manifest) != text) {
        return fail(ErrorCode::manifest_malformed,
                    "not in canonical form: need every key, in order, without white space");
    }
    TT_CHECK(validate(manifest));
    return manifest;
}

}  // namespace teetee::model
