// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "model/decoder.hpp"

namespace teetee::model {

/// Causal grouped-query attention of a batch over the KV cache (Ainslie et al. 2023).
/// queries and out: (rows, head_count, head_dim). Parallel over rows and KV heads; the order of
/// every sum depends on positions alone (docs/numerics.md).
void attend(const DecoderContext& context, uint32_t cache_layer, std::span<const DecoderRow> rows,
            const float* queries, float* out);

}  // namespace teetee::model
