// SPDX-License-Identifier: Apache-2.0
#include "model/attention.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/ops.hpp"

namespace teetee::model {
namespace {

using tensor::page_positions;

/// One query head against positions [0, count) of its sequence.
void attend_head(const DecoderContext& context, const KvCache::Sequence& sequence,
                 uint32_t cache_layer, uint32_t kv_head, size_t count, const float* query,
                 std::vector<float>& scores, float* out) {
    const size_t head_dim = context.hyperparameters.head_dim;
    const float scale = 1.0F / std::sqrt(static_cast<float>(head_dim));
    const size_t page_count = (count + page_positions - 1) / page_positions;
    scores.resize(page_count * page_positions);
    for (size_t p = 0; p < page_count; ++p) {
        float* page_scores = scores.data() + p * page_positions;
        context.kernels.score_page(query, sequence.page(cache_layer, kv_head, p).keys, head_dim,
                                   page_scores);
        for (size_t t = 0; t < page_positions; ++t) page_scores[t] *= scale;
    }
    const float inverse = tensor::softmax_numerators(scores.data(), count);

    constexpr size_t segment_pages = tensor::segment_elements / page_positions;
    float segment[256];
    std::fill_n(out, head_dim, 0.0F);
    for (size_t begin = 0; begin < page_count; begin += segment_pages) {
        std::fill_n(segment, head_dim, 0.0F);
        for (size_t p = begin; p < std::min(page_count, begin + segment_pages); ++p) {
            context.kernels.accumulate_page(
                scores.data() + p * page_positions, sequence.page(cache_layer, kv_head, p).values,
                head_dim, std::min(page_positions, count - p * page_positions), segment);
        }
        tensor::add(out, segment, head_dim);
    }
    for (size_t d = 0; d < head_dim; ++d) out[d] *= inverse;
}

}  // namespace

void attend(const DecoderContext& context, uint32_t cache_layer, std::span<const DecoderRow> rows,
            const float* queries, float* out) {
    const Hyperparameters& h = context.hyperparameters;
    const uint32_t group = h.head_count / h.kv_head_count;
    context.pool.run(rows.size() * h.kv_head_count, [&](size_t begin, size_t end) {
        std::vector<float> scores;
        for (size_t task = begin; task < end; ++task) {
            const DecoderRow& row = rows[task / h.kv_head_count];
            const auto kv_head = static_cast<uint32_t>(task % h.kv_head_count);
            for (uint32_t g = 0; g < group; ++g) {
                const size_t at = task / h.kv_head_count * h.query_length() +
                                  (kv_head * group + g) * static_cast<size_t>(h.head_dim);
                attend_head(context, *row.sequence, cache_layer, kv_head, row.position + 1ul,
                            queries + at, scores, out + at);
            }
        }
    });
}

}  // namespace teetee::model
