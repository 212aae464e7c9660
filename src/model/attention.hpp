// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "model/decoder.hpp"

namespace teetee::model {

struct AttentionOptions {
    float scale = 1.0F;          // of every score
    float score_softcap = 0.0F;  // then score = cap * tanh(score / cap); 0: none
    uint32_t window = 0;         // positions a query sees, its own included; 0: all before it
};

/// Causal grouped-query attention of a batch over the KV cache (Ainslie et al. 2023), or over its
/// last positions (Beltagy et al. 2020).
/// queries and out: (rows, head_count, head_dim). Parallel over rows and KV heads, and over pages
/// where these are too few for the threads; the order of every sum depends on positions alone
/// (docs/numerics.md).
void attend(const DecoderContext& context, uint32_t cache_layer, const AttentionOptions& options,
            std::span<const DecoderRow> rows, const float* queries, float* out);

}  // namespace teetee::model
