// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/request.hpp"
#include "base/result.hpp"

namespace teetee::model {

/// Layer ranges as equal as they can be. The layers that are left over go to the shards in the
/// middle first, as entry and tail also hold embedding and head; then to the entry.
/// Error: invalid_argument unless 1 <= shard_count <= layer_count (limit: shard_count_max).
Result<std::vector<LayerRange>> even_cut(uint32_t layer_count, uint32_t shard_count);

/// A cut is usable when its ranges are not empty, follow each other and cover 0..layer_count.
/// Error: invalid_argument naming the shard.
Result<void> validate_cut(std::span<const LayerRange> cut, uint32_t layer_count);

/// The shards' layers, the last one of each included: "0-9,10-15,16-21"; one layer is "4". Whether
/// they are a cut of a model, validate_cut says. Error: invalid_argument naming the part.
Result<std::vector<LayerRange>> parse_cut(std::string_view text);
std::string show_cut(std::span<const LayerRange> cut);

/// 12 for "blk.12.attn_q.weight" (decimal, no leading zero); nothing for any other form.
std::optional<uint32_t> layer_of(std::string_view tensor_name);

/// What decides which tensors a shard holds.
struct ModelLayout {
    uint32_t layer_count = 0;
    bool output_tied = false;  // no output.weight: the head multiplies with token_embd.weight
};

/// Whether the shard with these layers holds the tensor:
/// - "blk.I.*": when I is one of its layers;
/// - "token_embd.weight": the first shard, and the last one too when the output is tied;
/// - "position_embd.weight" (learned positions): the first shard;
/// - "output.*" and "output_norm.*": the last shard;
/// - any other (rope_freqs.weight, ..): every shard.
bool serves(const ModelLayout& layout, LayerRange layers, std::string_view tensor_name);

}  // namespace teetee::model
