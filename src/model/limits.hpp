// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace teetee::model {

// Bounds on everything a model file or a manifest can size. They lie well above what published
// models use (in brackets) and low enough that a hostile file costs little memory and time.

constexpr uint64_t gguf_header_bytes_max = 1 << 30;       // all before the data section [20 MB]
constexpr uint64_t gguf_entry_count_max = 1 << 16;        // [50]
constexpr uint64_t gguf_key_bytes_max = 65535;            // the format's own limit
constexpr uint64_t gguf_string_bytes_max = 16 << 20;      // [chat templates: 20 KB]
constexpr uint64_t gguf_array_count_max = 1 << 24;        // [vocabularies, merges: 500,000]
constexpr uint64_t gguf_strings_in_arrays_max = 4 << 20;  // of the whole file
constexpr uint64_t gguf_tensor_count_max = 1 << 14;       // [2,000]
constexpr uint64_t gguf_tensor_name_bytes_max = 64;       // the format's own limit
constexpr uint32_t gguf_dimension_count_max = 4;          // the format's own limit
constexpr uint32_t gguf_alignment_default = 32;           // where the file does not say
constexpr uint32_t gguf_alignment_min = 8;                // the format's own limit
constexpr uint32_t gguf_alignment_max = 1 << 20;          // [32]

constexpr uint64_t safetensors_header_bytes_max = 100'000'000;  // the reference reader's limit
constexpr size_t safetensors_tensor_count_max = 1 << 18;        // [experts stored apart: 90,000]
constexpr size_t safetensors_metadata_count_max = 1 << 12;      // [1]
constexpr size_t safetensors_dimension_count_max = 8;           // [5]

constexpr uint64_t packed_piece_count_max = 1 << 22;  // of 1 MiB [100,000]

constexpr uint32_t layer_count_max = 512;       // [126]
constexpr uint32_t expert_count_max = 1024;     // [512]
constexpr uint32_t head_dim_max = 256;          // [256]
constexpr uint32_t shard_count_max = 128;       // [16]
constexpr size_t plan_host_count_max = 64;      // [16]
constexpr size_t model_name_bytes_max = 1024;   // [50]
constexpr size_t file_name_bytes_max = 255;     // what file systems take
constexpr size_t manifest_bytes_max = 8 << 20;  // [500 KB]

// A checkpoint in Hugging Face's layout.
constexpr size_t json_tree_bytes_max = 8 << 20;  // config.json, parts of tokenizer.json [700 KB]
constexpr size_t json_depth_max = 32;            // [8]
constexpr size_t tokenizer_json_bytes_max = 64 << 20;  // [30 MB]
constexpr size_t weight_index_bytes_max = 64 << 20;    // [10 MB]
constexpr size_t weight_file_count_max = 1024;         // [200]

}  // namespace teetee::model
