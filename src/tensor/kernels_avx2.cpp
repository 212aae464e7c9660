// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
#include <immintrin.h>

#include "tensor/kernels.hpp"

namespace teetee::tensor {

const KernelSet& avx2_kernels();

namespace {

// Lanes are output rows: a panel's 16 rows are two registers. A tile multiplies `halves` of them
// with `tile_rows` activation rows, so that a weight is loaded once for all of these.

size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/// Eight results of a panel half to memory; the last panel may have fewer rows than lanes.
void store_half(__m256 value, float* out, size_t lanes) {
    if (lanes >= 8) {
        _mm256_storeu_ps(out, value);
        return;
    }
    alignas(32) float buffer[8];
    _mm256_store_ps(buffer, value);
    for (size_t i = 0; i < lanes; ++i) out[i] = buffer[i];
}

template <size_t tile_rows>
void store_tile(const __m256 (&total)[tile_rows][2], size_t first_half, size_t halves, float* out,
                size_t out_stride, size_t lanes) {
    for (size_t row = 0; row < tile_rows; ++row) {
        for (size_t h = 0; h < halves; ++h) {
            const size_t at = 8 * (first_half + h);
            if (at < lanes) store_half(total[row][h], out + row * out_stride + at, lanes - at);
        }
    }
}

struct LoadF32 {
    static constexpr size_t bytes = 4;
    static __m256 load(const uint8_t* p) {
        return _mm256_loadu_ps(reinterpret_cast<const float*>(p));
    }
};

struct LoadF16 {
    static constexpr size_t bytes = 2;
    static __m256 load(const uint8_t* p) {
        return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    }
};

template <class Load, size_t tile_rows>
void float_tile(const uint8_t* data, const float* x, size_t columns, float* out, size_t out_stride,
                size_t lanes) {
    __m256 total[tile_rows][2];
    for (auto& t : total) t[0] = t[1] = _mm256_setzero_ps();
    for (size_t begin = 0; begin < columns; begin += segment_elements) {
        __m256 segment[tile_rows][2];
        for (auto& s : segment) s[0] = s[1] = _mm256_setzero_ps();
        const size_t end = least(columns, begin + segment_elements);
        for (size_t k = begin; k < end; ++k) {
            const uint8_t* weights = data + k * panel_rows * Load::bytes;
            const __m256 low = Load::load(weights);
            const __m256 high = Load::load(weights + 8 * Load::bytes);
            for (size_t row = 0; row < tile_rows; ++row) {
                const __m256 value = _mm256_broadcast_ss(x + row * columns + k);
                segment[row][0] = _mm256_fmadd_ps(low, value, segment[row][0]);
                segment[row][1] = _mm256_fmadd_ps(high, value, segment[row][1]);
            }
        }
        for (size_t row = 0; row < tile_rows; ++row) {
            total[row][0] = _mm256_add_ps(total[row][0], segment[row][0]);
            total[row][1] = _mm256_add_ps(total[row][1], segment[row][1]);
        }
    }
    store_tile(total, 0, 2, out, out_stride, lanes);
}

template <class Load>
void multiply_float(const PackedView& matrix, const ActivationView& x, float* out,
                    size_t out_stride, PanelRange panels) {
    const size_t columns = matrix.columns;
    for (size_t panel = panels.begin; panel < panels.end; ++panel) {
        const uint8_t* data = matrix.data + panel * matrix.panel_bytes;
        const size_t lanes = least(panel_rows, matrix.rows - panel * panel_rows);
        float* panel_out = out + panel * panel_rows;
        size_t row = 0;
        for (; row + 4 <= x.row_count; row += 4) {
            float_tile<Load, 4>(data, x.values + row * columns, columns,
                                panel_out + row * out_stride, out_stride, lanes);
        }
        for (; row < x.row_count; ++row) {
            float_tile<Load, 1>(data, x.values + row * columns, columns,
                                panel_out + row * out_stride, out_stride, lanes);
        }
    }
}

__m256i broadcast_4(const int8_t* quants) {
    int32_t four;
    __builtin_memcpy(&four, quants, sizeof four);
    return _mm256_set1_epi32(four);
}

/// Integer products of one block for `halves` x 8 rows and one activation row.
struct BlockQ8 {
    static constexpr size_t block_bytes = panel_rows * (2 + block_elements);

    template <size_t tile_rows, size_t halves>
    static void dot(const uint8_t* weights, const int8_t* const (&quants)[tile_rows],
                    const int32_t* const*, __m256i (&sum)[tile_rows][2]) {
        const __m256i ones = _mm256_set1_epi16(1);
        for (size_t k = 0; k < block_elements; k += 4) {
            for (size_t h = 0; h < halves; ++h) {
                const __m256i w = _mm256_loadu_si256(
                    reinterpret_cast<const __m256i*>(weights + k * panel_rows + 32 * h));
                // |w| <= 128 is unsigned, and |x| <= 127: a pair sums to 32,512 at most, so the
                // saturating multiply-add is exact.
                const __m256i magnitude = _mm256_abs_epi8(w);
                for (size_t row = 0; row < tile_rows; ++row) {
                    const __m256i x = _mm256_sign_epi8(broadcast_4(quants[row] + k), w);
                    const __m256i pairs = _mm256_maddubs_epi16(magnitude, x);
                    sum[row][h] = _mm256_add_epi32(sum[row][h], _mm256_madd_epi16(pairs, ones));
                }
            }
        }
    }
};

struct BlockQ4 {
    static constexpr size_t block_bytes = panel_rows * (2 + block_elements / 2);

    template <size_t tile_rows, size_t halves>
    static void dot(const uint8_t* weights, const int8_t* const (&quants)[tile_rows],
                    const int32_t* const* block_sums, __m256i (&sum)[tile_rows][2]) {
        const __m256i low_mask = _mm256_set1_epi8(15);
        const __m256i ones = _mm256_set1_epi16(1);
        __m256i pairs[tile_rows][2];
        for (auto& p : pairs) p[0] = p[1] = _mm256_setzero_si256();
        for (size_t k = 0; k < block_elements / 2; k += 4) {
            for (size_t h = 0; h < halves; ++h) {
                const __m256i both = _mm256_loadu_si256(
                    reinterpret_cast<const __m256i*>(weights + k * panel_rows + 32 * h));
                const __m256i low = _mm256_and_si256(both, low_mask);
                const __m256i high = _mm256_and_si256(_mm256_srli_epi16(both, 4), low_mask);
                for (size_t row = 0; row < tile_rows; ++row) {
                    // A pair is 15 * 127 * 2 = 3,810 at most; eight of them fit in 16 bits.
                    const __m256i a = _mm256_maddubs_epi16(low, broadcast_4(quants[row] + k));
                    const __m256i b = _mm256_maddubs_epi16(
                        high, broadcast_4(quants[row] + k + block_elements / 2));
                    pairs[row][h] = _mm256_add_epi16(pairs[row][h], _mm256_add_epi16(a, b));
                }
            }
        }
        for (size_t row = 0; row < tile_rows; ++row) {
            const __m256i correction = _mm256_set1_epi32(8 * *block_sums[row]);
            for (size_t h = 0; h < halves; ++h) {
                sum[row][h] = _mm256_sub_epi32(_mm256_madd_epi16(pairs[row][h], ones), correction);
            }
        }
    }
};

template <class Block, size_t tile_rows, size_t halves>
void block_tile(const uint8_t* data, const ActivationView& x, size_t first_row, size_t columns,
                size_t first_half, float* out, size_t out_stride, size_t lanes) {
    constexpr size_t segment_blocks = segment_elements / block_elements;
    const size_t block_count = columns / block_elements;
    __m256 total[tile_rows][2];
    for (auto& t : total) t[0] = t[1] = _mm256_setzero_ps();
    for (size_t begin = 0; begin < block_count; begin += segment_blocks) {
        __m256 segment[tile_rows][2];
        for (auto& s : segment) s[0] = s[1] = _mm256_setzero_ps();
        const size_t end = least(block_count, begin + segment_blocks);
        for (size_t b = begin; b < end; ++b) {
            const uint8_t* block = data + b * Block::block_bytes;
            const int8_t* quants[tile_rows];
            const int32_t* block_sums[tile_rows];
            __m256i sum[tile_rows][2];
            for (size_t row = 0; row < tile_rows; ++row) {
                const size_t at = (first_row + row) * block_count + b;
                quants[row] = x.quants + at * block_elements;
                block_sums[row] = x.block_sums + at;
                sum[row][0] = sum[row][1] = _mm256_setzero_si256();
            }
            Block::template dot<tile_rows, halves>(block + 2 * panel_rows + 32 * first_half, quants,
                                                   block_sums, sum);
            for (size_t h = 0; h < halves; ++h) {
                const __m256 weight_scale = LoadF16::load(block + 16 * (first_half + h));
                for (size_t row = 0; row < tile_rows; ++row) {
                    const __m256 scale = _mm256_mul_ps(
                        weight_scale,
                        _mm256_broadcast_ss(x.scales + (first_row + row) * block_count + b));
                    segment[row][h] =
                        _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum[row][h]), scale, segment[row][h]);
                }
            }
        }
        for (size_t row = 0; row < tile_rows; ++row) {
            for (size_t h = 0; h < halves; ++h) {
                total[row][h] = _mm256_add_ps(total[row][h], segment[row][h]);
            }
        }
    }
    store_tile(total, first_half, halves, out, out_stride, lanes);
}

template <class Block>
void multiply_blocks(const PackedView& matrix, const ActivationView& x, float* out,
                     size_t out_stride, PanelRange panels) {
    for (size_t panel = panels.begin; panel < panels.end; ++panel) {
        const uint8_t* data = matrix.data + panel * matrix.panel_bytes;
        const size_t lanes = least(panel_rows, matrix.rows - panel * panel_rows);
        float* panel_out = out + panel * panel_rows;
        size_t row = 0;
        for (; row + 4 <= x.row_count; row += 4) {
            for (size_t half = 0; half < 2; ++half) {
                block_tile<Block, 4, 1>(data, x, row, matrix.columns, half,
                                        panel_out + row * out_stride, out_stride, lanes);
            }
        }
        for (; row < x.row_count; ++row) {
            block_tile<Block, 1, 2>(data, x, row, matrix.columns, 0, panel_out + row * out_stride,
                                    out_stride, lanes);
        }
    }
}

void score_page(const float* query, const float* keys, size_t head_dim, float* scores) {
    __m256 sum[4];
    for (__m256& s : sum) s = _mm256_setzero_ps();
    for (size_t d = 0; d < head_dim; ++d) {
        const __m256 q = _mm256_broadcast_ss(query + d);
        for (size_t i = 0; i < 4; ++i) {
            sum[i] = _mm256_fmadd_ps(q, _mm256_loadu_ps(keys + d * page_positions + 8 * i), sum[i]);
        }
    }
    for (size_t i = 0; i < 4; ++i) _mm256_storeu_ps(scores + 8 * i, sum[i]);
}

void accumulate_page(const float* weights, const float* values, size_t head_dim, size_t count,
                     float* sums) {
    size_t d = 0;
    for (; d + 8 <= head_dim; d += 8) {
        __m256 sum = _mm256_loadu_ps(sums + d);
        for (size_t t = 0; t < count; ++t) {
            sum = _mm256_fmadd_ps(_mm256_broadcast_ss(weights + t),
                                  _mm256_loadu_ps(values + t * head_dim + d), sum);
        }
        _mm256_storeu_ps(sums + d, sum);
    }
    for (; d < head_dim; ++d) {
        float sum = sums[d];
        for (size_t t = 0; t < count; ++t) {
            sum = __builtin_fmaf(weights[t], values[t * head_dim + d], sum);
        }
        sums[d] = sum;
    }
}

}  // namespace

const KernelSet& avx2_kernels() {
    static constexpr KernelSet set = {"avx2",
                                      multiply_float<LoadF32>,
                                      multiply_float<LoadF16>,
                                      multiply_blocks<BlockQ8>,
                                      multiply_blocks<BlockQ4>,
                                      score_page,
                                      accumulate_page};
    return set;
}

}  // namespace teetee::tensor
#endif
