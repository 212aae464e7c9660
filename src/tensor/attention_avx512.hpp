// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <immintrin.h>

#include "tensor/kernels.hpp"

// Attention over one page with AVX-512: see unpack_avx512.hpp for linkage. Each stored number is
// read and widened once for up to eight queries.

namespace teetee::tensor {
namespace {

template <KvType type>
[[gnu::always_inline]] inline __m512 widen_16(const void* data, size_t at) {
    if constexpr (type == KvType::f32) {
        return _mm512_loadu_ps(static_cast<const float*>(data) + at);
    } else if constexpr (type == KvType::f16) {
        return _mm512_cvtph_ps(_mm256_loadu_si256(
            reinterpret_cast<const __m256i*>(static_cast<const uint16_t*>(data) + at)));
    } else {
        return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(
            reinterpret_cast<const __m128i*>(static_cast<const int8_t*>(data) + at))));
    }
}

/// The same for the last, partial vector; lanes past `mask` are not touched.
template <KvType type>
[[gnu::always_inline]] inline __m512 widen_masked(const void* data, size_t at, __mmask16 mask) {
    if constexpr (type == KvType::f32) {
        return _mm512_maskz_loadu_ps(mask, static_cast<const float*>(data) + at);
    } else if constexpr (type == KvType::f16) {
        return _mm512_cvtph_ps(
            _mm256_maskz_loadu_epi16(mask, static_cast<const uint16_t*>(data) + at));
    } else {
        return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(
            _mm_maskz_loadu_epi8(mask, static_cast<const int8_t*>(data) + at)));
    }
}

template <KvType type, size_t query_count>
void score_queries(const KvPageView& page, size_t head_dim, const float* const* queries,
                   float* scores, size_t score_stride) {
    __m512 sums[query_count][2];
    for (auto& s : sums) s[0] = s[1] = _mm512_setzero_ps();
    for (size_t begin = 0; begin < head_dim; begin += block_elements) {
        __m512 chains[query_count][2];
        for (size_t i = 0; i < query_count; ++i) {
            for (size_t h = 0; h < 2; ++h)
                chains[i][h] = type == KvType::q8_0 ? _mm512_setzero_ps() : sums[i][h];
        }
        const size_t end = head_dim < begin + block_elements ? head_dim : begin + block_elements;
        for (size_t d = begin; d < end; ++d) {
            const __m512 low = widen_16<type>(page.keys, d * page_positions);
            const __m512 high = widen_16<type>(page.keys, d * page_positions + 16);
            for (size_t i = 0; i < query_count; ++i) {
                const __m512 q = _mm512_set1_ps(queries[i][d]);
                chains[i][0] = _mm512_fmadd_ps(q, low, chains[i][0]);
                chains[i][1] = _mm512_fmadd_ps(q, high, chains[i][1]);
            }
        }
        for (size_t i = 0; i < query_count; ++i) {
            for (size_t h = 0; h < 2; ++h) {
                if constexpr (type == KvType::q8_0) {
                    const __m512 scale = _mm512_loadu_ps(
                        page.key_scales + begin / block_elements * page_positions + 16 * h);
                    sums[i][h] = _mm512_fmadd_ps(chains[i][h], scale, sums[i][h]);
                } else {
                    sums[i][h] = chains[i][h];
                }
            }
        }
    }
    for (size_t i = 0; i < query_count; ++i) {
        for (size_t h = 0; h < 2; ++h)
            _mm512_storeu_ps(scores + i * score_stride + 16 * h, sums[i][h]);
    }
}

/// Sixteen dimensions (those of `mask`) of `query_count` sums.
template <KvType type, size_t query_count>
[[gnu::always_inline]] inline void accumulate_dimensions(const KvPageView& page, size_t head_dim,
                                                         size_t first, __mmask16 mask, size_t count,
                                                         const float* weights, size_t weight_stride,
                                                         float* sums) {
    const size_t blocks = (head_dim + block_elements - 1) / block_elements;
    __m512 sum[query_count];
    for (size_t i = 0; i < query_count; ++i)
        sum[i] = _mm512_maskz_loadu_ps(mask, sums + i * head_dim + first);
    for (size_t t = 0; t < count; ++t) {
        const size_t at = t * head_dim + first;
        const __m512 value = mask == 0xffff ? widen_16<type>(page.values, at)
                                            : widen_masked<type>(page.values, at, mask);
        for (size_t i = 0; i < query_count; ++i) {
            __m512 weight = _mm512_set1_ps(weights[i * weight_stride + t]);
            if constexpr (type == KvType::q8_0) {
                weight = _mm512_mul_ps(
                    weight, _mm512_set1_ps(page.value_scales[t * blocks + first / block_elements]));
            }
            sum[i] = _mm512_fmadd_ps(weight, value, sum[i]);
        }
    }
    for (size_t i = 0; i < query_count; ++i)
        _mm512_mask_storeu_ps(sums + i * head_dim + first, mask, sum[i]);
}

template <KvType type, size_t query_count>
void accumulate_queries(const KvPageView& page, size_t head_dim, size_t count, const float* weights,
                        size_t weight_stride, float* sums) {
    size_t d = 0;
    for (; d + 16 <= head_dim; d += 16) {
        accumulate_dimensions<type, query_count>(page, head_dim, d, 0xffff, count, weights,
                                                 weight_stride, sums);
    }
    if (d < head_dim) {
        const auto mask = static_cast<__mmask16>((1u << (head_dim - d)) - 1);
        accumulate_dimensions<type, query_count>(page, head_dim, d, mask, count, weights,
                                                 weight_stride, sums);
    }
}

/// Calls step.template operator()<type, n>(first query) for groups of 8, 4, 2 or 1 queries.
template <KvType type, class Step>
[[gnu::always_inline]] inline void for_queries(size_t query_count, Step step) {
    size_t i = 0;
    for (; i + 8 <= query_count; i += 8) step.template operator()<type, 8>(i);
    if (i + 4 <= query_count) {
        step.template operator()<type, 4>(i);
        i += 4;
    }
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
