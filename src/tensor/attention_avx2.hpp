// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <immintrin.h>

#include "tensor/kernels.hpp"

// Attention over one page with AVX2: see unpack_avx2.hpp for linkage. Sums of up to four queries
// times a strip of two vectors (of positions in scores, of dimensions in values) stay in registers.

namespace teetee::tensor {
namespace {

constexpr size_t vector_floats = 8;

/// The `vector_floats` numbers from `at` on, without the scale of Q8_0.
template <KvType type>
[[gnu::always_inline]] inline __m256 widen(const void* data, size_t at) {
    if constexpr (type == KvType::f32) {
        return _mm256_loadu_ps(static_cast<const float*>(data) + at);
    } else if constexpr (type == KvType::f16) {
        return _mm256_cvtph_ps(_mm_loadu_si128(
            reinterpret_cast<const __m128i*>(static_cast<const uint16_t*>(data) + at)));
    } else {
        return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(
            reinterpret_cast<const __m128i*>(static_cast<const int8_t*>(data) + at))));
    }
}

/// The first `count` of them, then zeros; nothing past them is read.
template <KvType type>
[[gnu::always_inline]] inline __m256 widen_part(const void* data, size_t at, size_t count) {
    constexpr size_t size = type == KvType::f32 ? 4 : type == KvType::f16 ? 2 : 1;
    alignas(32) uint8_t bytes[size * vector_floats] = {};
    __builtin_memcpy(bytes, static_cast<const uint8_t*>(data) + size * at, size * count);
    return widen<type>(bytes, 0);
}

/// Scores of `query_count` queries at the positions [first, first + 8 * vectors) of a page.
template <KvType type, size_t query_count, size_t vectors>
[[gnu::always_inline]] inline void score_strip(const KvPageView& page, size_t head_dim,
                                               const float* const* queries, size_t first,
                                               float* scores, size_t score_stride) {
    __m256 sums[query_count][vectors];
    for (auto& s : sums) {
        for (__m256& v : s) v = _mm256_setzero_ps();
    }
    for (size_t begin = 0; begin < head_dim; begin += block_elements) {
        // Only Q8_0 cuts the chain: it has a scale for each block of dimensions.
        __m256 chains[query_count][vectors];
        for (size_t i = 0; i < query_count; ++i) {
            for (size_t v = 0; v < vectors; ++v)
                chains[i][v] = type == KvType::q8_0 ? _mm256_setzero_ps() : sums[i][v];
        }
        const size_t end = head_dim < begin + block_elements ? head_dim : begin + block_elements;
        for (size_t d = begin; d < end; ++d) {
            __m256 keys[vectors];
            for (size_t v = 0; v < vectors; ++v)
                keys[v] = widen<type>(page.keys, d * page_positions + first + v * vector_floats);
            for (size_t i = 0; i < query_count; ++i) {
                const __m256 q = _mm256_set1_ps(queries[i][d]);
                for (size_t v = 0; v < vectors; ++v)
                    chains[i][v] = _mm256_fmadd_ps(q, keys[v], chains[i][v]);
            }
        }
        for (size_t i = 0; i < query_count; ++i) {
            for (size_t v = 0; v < vectors; ++v) {
                if constexpr (type == KvType::q8_0) {
                    const __m256 scale =
                        _mm256_loadu_ps(page.key_scales + begin / block_elements * page_positions +
                                        first + v * vector_floats);
                    sums[i][v] = _mm256_fmadd_ps(chains[i][v], scale, sums[i][v]);
                } else {
                    sums[i][v] = chains[i][v];
                }
            }
        }
    }
    for (size_t i = 0; i < query_count; ++i) {
        for (size_t v = 0; v < vectors; ++v)
            _mm256_storeu_ps(scores + i * score_stride + first + v * vector_floats, sums[i][v]);
    }
}

/// The dimensions [first, first + 8 * vectors) of `query_count` sums. With one vector it may be
/// that only the first `dimensions` of them exist.
template <KvType type, size_t query_count, size_t vectors>
[[gnu::always_inline]] inline void accumulate_strip(const KvPageView& page, size_t head_dim,
                                                    size_t first, size_t dimensions, size_t count,
                                                    const float* weights, size_t weight_stride,
                                                    float* sums) {
    const size_t blocks = (head_dim + block_elements - 1) / block_elements;
    const bool whole = dimensions == vectors * vector_floats;
    __m256 sum[query_count][vectors];
    for (size_t i = 0; i < query_count; ++i) {
        for (size_t v = 0; v < vectors; ++v) {
            const size_t at = i * head_dim + first + v * vector_floats;
            sum[i][v] = whole ? widen<KvType::f32>(sums, at)
                              : widen_part<KvType::f32>(sums, at, dimensions);
        }
    }
    for (size_t t = 0; t < count; ++t) {
        __m256 values[vectors];
        for (size_t v = 0; v < vectors; ++v) {
            const size_t at = t * head_dim + first + v * vector_floats;
            values[v] = whole ? widen<type>(page.values, at)
                              : widen_part<type>(page.values, at, dimensions);
        }
        for (size_t i = 0; i < query_count; ++i) {
            float weight = weights[i * weight_stride + t];
            if constexpr (type == KvType::q8_0)
                weight *= page.value_scales[t * blocks + first / block_elements];
            for (size_t v = 0; v < vectors; ++v)
                sum[i][v] = _mm256_fmadd_ps(_mm256_set1_ps(weight), values[v], sum[i][v]);
        }
    }
    for (size_t i = 0; i < query_count; ++i) {
        for (size_t v = 0; v < vectors; ++v) {
            float* at = sums + i * head_dim + first + v * vector_floats;
            if (whole) {
                _mm256_storeu_ps(at, sum[i][v]);
            } else {
                __builtin_memcpy(at, &sum[i][v], 4 * dimensions);
            }
        }
    }
}

/// As many vectors to a strip as keep eight sums in flight; two or four divide a page and, where
/// there are scales, a block of dimensions.
template <size_t query_count>
constexpr size_t strip_vectors = query_count == 4 ? 2 : 4;

template <KvType type, size_t query_count>
void score_queries(const KvPageView& page, size_t head_dim, const float* const* queries,
                   float* scores, size_t score_stride) {
    constexpr size_t vectors = strip_vectors<query_count>;
    for (size_t t = 0; t < page_positions; t += vectors * vector_floats)
        score_strip<type, query_count, vectors>(page, head_dim, queries, t, scores, score_stride);
}

template <KvType type, size_t query_count>
void accumulate_queries(const KvPageView& page, size_t head_dim, size_t count, const float* weights,
                        size_t weight_stride, float* sums) {
    constexpr size_t vectors = strip_vectors<query_count>;
    constexpr size_t strip = vectors * vector_floats;
    size_t d = 0;
    for (; d + strip <= head_dim; d += strip) {
        accumulate_strip<type, query_count, vectors>(page, head_dim, d, strip, count, weights,
                                                     weight_stride, sums);
    }
    for (; d + vector_floats <= head_dim; d += vector_floats) {
        accumulate_strip<type, query_count, 1>(page, head_dim, d, vector_floats, count, weights,
                                               weight_stride, sums);
    }
    if (d < head_dim) {
        accumulate_strip<type, query_count, 1>(page, head_dim, d, head_dim - d, count, weights,
                                               weight_stride, sums);
    }
}

/// Calls step.template operator()<type, n>(first query) for groups of 4, 2 or 1 queries.
template <KvType type, class Step>
[[gnu::always_inline]] inline void for_queries(size_t query_count, Step step) {
    size_t i = 0;
    for (; i + 4 <= query_count; i += 4) step.template operator()<type, 4>(i);
    if (i + 2 <= query_count) {
        step.template operator()<type, 2>(i);
        i += 2;
    }
    if (i < query_count) step.template operator()<type, 1>(i);
}

template <class Step>
[[gnu::always_inline]] inline void for_type_and_queries(KvType type, size_t query_count,
                                                        Step step) {
    if (type == KvType::f32) return for_queries<KvType::f32>(query_count, step);
    if (type == KvType::f16) return for_queries<KvType::f16>(query_count, step);
    for_queries<KvType::q8_0>(query_count, step);
}

void score_page(const KvPageView& page, size_t head_dim, const float* const* queries,
                size_t query_count, float* scores, size_t score_stride) {
    for_type_and_queries(page.type, query_count, [&]<KvType type, size_t n>(size_t i) {
        score_queries<type, n>(page, head_dim, queries + i, scores + i * score_stride,
                               score_stride);
    });
}

void accumulate_page(const KvPageView& page, size_t head_dim, size_t count, const float* weights,
                     size_t weight_stride, size_t query_count, float* sums) {
    for_type_and_queries(page.type, query_count, [&]<KvType type, size_t n>(size_t i) {
        accumulate_queries<type, n>(page, head_dim, count, weights + i * weight_stride,
                                    weight_stride, sums + i * head_dim);
    });
}

}  // namespace
}  // namespace teetee::tensor
