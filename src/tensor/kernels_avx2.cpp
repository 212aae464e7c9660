// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
#include <immintrin.h>

#include "tensor/attention_avx2.hpp"
#include "tensor/kernels.hpp"
#include "tensor/panel_walk.hpp"
#include "tensor/unpack_avx2.hpp"

// Products with AVX2. A segment of a panel is unpacked to codes once and stays in the first cache
// while it meets the rows, up to four at a time; lanes are output rows. Bytes are multiplied in
// pairs with sums of 16 bits (vpmaddubsw), which saturate: codes of up to 6 bits times activations
// of +-127 stay below that, and as many such pairs are added as 16 bits hold.

namespace teetee::tensor {

const KernelSet& avx2_kernels();

namespace {

template <size_t row_count>
using RowInts = Ints[row_count];
template <size_t row_count>
using RowFloats = Floats[row_count];

template <size_t row_count>
[[gnu::always_inline]] inline void clear(RowInts<row_count>& rows) {
    for (Ints& r : rows) r.side[0] = r.side[1] = _mm256_setzero_si256();
}
template <size_t row_count>
[[gnu::always_inline]] inline void clear(RowFloats<row_count>& rows) {
    for (Floats& r : rows) r.side[0] = r.side[1] = _mm256_setzero_ps();
}

[[gnu::always_inline]] inline __m256i broadcast_32(const void* p) {
    int32_t bits;
    __builtin_memcpy(&bits, p, sizeof bits);
    return _mm256_set1_epi32(bits);
}

// ---- exact sums of products -----------------------------------------------------------------

/// sums += factor * (codes . quants) over `groups` groups of codes; factor: the same 16-bit number
/// twice to a lane.
template <unsigned code_bits, size_t groups, size_t row_count>
[[gnu::always_inline]] inline void add_codes(const uint8_t* codes, const int8_t* quants,
                                             const Ints& factor, RowInts<row_count>& sums) {
    constexpr size_t pair_max = 2 * 127 * ((1u << code_bits) - 1);
    constexpr size_t together = least(groups, 32767 / pair_max);
    static_assert(together > 0 && groups % together == 0);
    for (size_t begin = 0; begin < groups; begin += together) {
        RowInts<row_count> part;
        for (size_t g = begin; g < begin + together; ++g) {
            const Ints code = {{load(codes + g * group_bytes), load(codes + g * group_bytes + 32)}};
            for (size_t r = 0; r < row_count; ++r) {
                const __m256i x = broadcast_32(quants + 64 * r + 4 * g);
                for (size_t h = 0; h < 2; ++h) {
                    const __m256i product = _mm256_maddubs_epi16(code.side[h], x);
                    part[r].side[h] =
                        g == begin ? product : _mm256_add_epi16(part[r].side[h], product);
                }
            }
        }
        for (size_t r = 0; r < row_count; ++r) {
            for (size_t h = 0; h < 2; ++h) {
                sums[r].side[h] = _mm256_add_epi32(
                    sums[r].side[h], _mm256_madd_epi16(part[r].side[h], factor.side[h]));
            }
        }
    }
}

/// sums += bytes . quants over a block of Q8_0. The signs of the weights go to the activations:
/// 128 * 127 * 2 does not saturate, and -127 has a negative.
template <size_t row_count>
[[gnu::always_inline]] inline void add_bytes(const uint8_t* bytes, const int8_t* quants,
                                             RowInts<row_count>& sums) {
    const __m256i ones = _mm256_set1_epi16(1);
    for (size_t g = 0; g < 8; ++g) {
        for (size_t h = 0; h < 2; ++h) {
            const __m256i weight = load(bytes + g * group_bytes + 32 * h);
            const __m256i magnitude = _mm256_abs_epi8(weight);
            for (size_t r = 0; r < row_count; ++r) {
                const __m256i x = broadcast_32(quants + 64 * r + 4 * g);
                const __m256i pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(x, weight));
                sums[r].side[h] = _mm256_add_epi32(sums[r].side[h], _mm256_madd_epi16(pairs, ones));
            }
        }
    }
}

/// sums += pairs of 16-bit integers . integers, over a block.
template <size_t row_count>
[[gnu::always_inline]] inline void add_integers(const uint8_t* pairs, const int16_t* integers,
                                                RowInts<row_count>& sums) {
    for (size_t g = 0; g < 16; ++g) {
        const Ints pair = {{load(pairs + g * group_bytes), load(pairs + g * group_bytes + 32)}};
        for (size_t r = 0; r < row_count; ++r) {
            const __m256i x = broadcast_32(integers + r * block_elements + 2 * g);
            for (size_t h = 0; h < 2; ++h) {
                sums[r].side[h] =
                    _mm256_add_epi32(sums[r].side[h], _mm256_madd_epi16(pair.side[h], x));
            }
        }
    }
}

// ---- blocks and fixed -----------------------------------------------------------------------

/// segment = fma(float(product), weight_scale * scale of the row, segment)
template <size_t row_count>
[[gnu::always_inline]] inline void add_scaled(const RowInts<row_count>& products,
                                              const Floats& weight_scale, const float* scales,
                                              RowFloats<row_count>& segment) {
    for (size_t r = 0; r < row_count; ++r) {
        const __m256 x_scale = _mm256_set1_ps(scales[r]);
        for (size_t h = 0; h < 2; ++h) {
            segment[r].side[h] =
                _mm256_fmadd_ps(_mm256_cvtepi32_ps(products[r].side[h]),
                                _mm256_mul_ps(weight_scale.side[h], x_scale), segment[r].side[h]);
        }
    }
}

template <size_t row_count>
[[gnu::always_inline]] inline void add_to_totals(const RowFloats<row_count>& segment,
                                                 float* totals) {
    for (size_t r = 0; r < row_count; ++r) {
        for (size_t h = 0; h < 2; ++h) {
            float* total = totals + r * panel_rows + side_lanes * h;
            _mm256_store_ps(total, _mm256_add_ps(_mm256_load_ps(total), segment[r].side[h]));
        }
    }
}

/// One segment of one panel, ready for any number of rows.
template <DataType type, Arithmetic arithmetic = code_format(type).arithmetic>
struct Segment;

template <DataType type>
struct Segment<type, Arithmetic::blocks> {
    static constexpr CodeFormat format = code_format(type);

    const uint8_t* codes;
    Floats scales[segment_blocks];
    Floats minima[segment_blocks];
    size_t block_count;
    CodeBuffer unpacked;

    Segment(const uint8_t* data, size_t columns) : block_count(columns / block_elements) {
        const SegmentLayout s = segment_layout(type, columns);
        for (size_t b = 0; b < block_count; ++b) {
            scales[b] = load_halves(data + 2 * panel_rows * b);
            if (format.has_min) minima[b] = load_halves(data + s.minima + 2 * panel_rows * b);
        }
        if constexpr (format.low_bits == 8) {
            codes = data + s.low;
        } else {
            unpack_blocks<type>(data, block_count, unpacked);
            codes = unpacked.bytes;
        }
    }

    template <size_t row_count>
    [[gnu::always_inline]] void add_rows(const RowPointers& x, float* totals) const {
        RowFloats<row_count> segment;
        clear<row_count>(segment);
        for (size_t b = 0; b < block_count; ++b) {
            const int8_t* quants = x.quants + b / 2 * x.chunk_stride + b % 2 * 32;
            const int32_t* sums = x.sums + b * x.unit_stride;
            const float* x_scales = x.scales + b * x.unit_stride;
            RowInts<row_count> products;
            dot<row_count>(codes + b * 8 * group_bytes, quants, sums, products);
            add_scaled<row_count>(products, scales[b], x_scales, segment);
            if constexpr (format.has_min) {
                for (size_t r = 0; r < row_count; ++r)
                    products[r].side[0] = products[r].side[1] = _mm256_set1_epi32(sums[r]);
                add_scaled<row_count>(products, minima[b], x_scales, segment);
            }
        }
        add_to_totals<row_count>(segment, totals);
    }

    template <size_t row_count>
    [[gnu::always_inline]] static void dot(const uint8_t* block, const int8_t* quants,
                                           const int32_t* sums, RowInts<row_count>& products) {
        for (size_t r = 0; r < row_count; ++r) {
            products[r].side[0] = products[r].side[1] =
                format.low_bits == 8 ? _mm256_setzero_si256()
                                     : _mm256_set1_epi32(-format.offset * sums[r]);
        }
        if constexpr (format.low_bits == 8) {
            add_bytes<row_count>(block, quants, products);
        } else {
            const Ints ones = {{_mm256_set1_epi16(1), _mm256_set1_epi16(1)}};
            add_codes<format.low_bits + format.high_bits, 8, row_count>(block, quants, ones,
                                                                        products);
        }
    }
};

template <DataType type>
struct Segment<type, Arithmetic::fixed> {
    const uint8_t* pairs;
    Floats scales[segment_blocks];
    size_t block_count;

    Segment(const uint8_t* data, size_t columns)
        : pairs(data + segment_layout(type, columns).low), block_count(columns / block_elements) {
        for (size_t b = 0; b < block_count; ++b) scales[b] = load_exponents(data + panel_rows * b);
    }

    template <size_t row_count>
    [[gnu::always_inline]] void add_rows(const RowPointers& x, float* totals) const {
        RowFloats<row_count> segment;
        clear<row_count>(segment);
        for (size_t b = 0; b < block_count; ++b) {
            RowInts<row_count> products;
            clear<row_count>(products);
            add_integers<row_count>(pairs + b * 16 * group_bytes, x.integers + b * x.integer_stride,
                                    products);
            add_scaled<row_count>(products, scales[b], x.scales + b * x.unit_stride, segment);
        }
        add_to_totals<row_count>(segment, totals);
    }
};

// ---- super blocks ---------------------------------------------------------------------------

/// sum + the sum over the 16 parts of (factor * sum of the part's activations).
[[gnu::always_inline]] inline Ints dot_sums(const Ints (&factors)[8], const int16_t* sub_sums) {
    Ints total = {{_mm256_setzero_si256(), _mm256_setzero_si256()}};
    for (size_t j = 0; j < 8; ++j) {
        const __m256i x = broadcast_32(sub_sums + 2 * j);
        for (size_t h = 0; h < 2; ++h) {
            total.side[h] =
                _mm256_add_epi32(total.side[h], _mm256_madd_epi16(factors[j].side[h], x));
        }
    }
    return total;
}

template <DataType type>
struct Segment<type, Arithmetic::super_blocks> {
    static constexpr CodeFormat format = code_format(type);
    static constexpr size_t sub_count = segment_elements / format.sub_elements;

    Ints sub_scales[sub_count];  // twice to a lane
    Ints offset_factors[8];
    Ints min_factors[8];
    Floats scale;
    Floats min;
    CodeBuffer codes;

    Segment(const uint8_t* data, size_t) : scale(load_halves(data)) {
        for (size_t j = 0; j < sub_count; ++j) {
            const Ints s = sub_scale<type>(data, j);
            sub_scales[j] = pairs_of(s, s);
        }
        for (size_t j = 0; j < 8; ++j) {
            if constexpr (format.has_min) min_factors[j] = min_pair<type>(data, j);
            if constexpr (format.offset != 0) offset_factors[j] = offset_pair<type>(data, j);
        }
        if constexpr (format.has_min) min = load_halves(data + 2 * panel_rows);
        unpack_super_block<type>(data, codes);
    }

    template <size_t row_count>
    [[gnu::always_inline]] void add_rows(const RowPointers& x, float* totals) const {
        constexpr size_t sub_groups = format.sub_elements / 4;
        RowInts<row_count> products;
        clear<row_count>(products);
        for (size_t j = 0; j < sub_count; ++j) {
            const size_t first = j * format.sub_elements;
            add_codes<format.low_bits + format.high_bits, sub_groups, row_count>(
                codes.bytes + j * sub_groups * group_bytes,
                x.quants + first / 64 * x.chunk_stride + first % 64, sub_scales[j], products);
        }
        for (size_t r = 0; r < row_count; ++r)
            add_row(products[r], x.sub_sums + r * x.sub_stride, x.scales[r],
                    totals + r * panel_rows);
    }

    [[gnu::always_inline]] void add_row(const Ints& product, const int16_t* sub_sums, float x_scale,
                                        float* totals) const {
        const __m256 x = _mm256_set1_ps(x_scale);
        Ints taken = product;
        if constexpr (format.offset != 0) {
            const Ints offsets = dot_sums(offset_factors, sub_sums);
            for (size_t h = 0; h < 2; ++h)
                taken.side[h] = _mm256_sub_epi32(taken.side[h], offsets.side[h]);
        }
        RowFloats<1> segment;
        for (size_t h = 0; h < 2; ++h) {
            segment[0].side[h] =
                _mm256_mul_ps(_mm256_cvtepi32_ps(taken.side[h]), _mm256_mul_ps(scale.side[h], x));
        }
        if constexpr (format.has_min) {
            const Ints minima = dot_sums(min_factors, sub_sums);
            for (size_t h = 0; h < 2; ++h) {
                segment[0].side[h] =
                    _mm256_fnmadd_ps(_mm256_cvtepi32_ps(minima.side[h]),
                                     _mm256_mul_ps(min.side[h], x), segment[0].side[h]);
            }
        }
        add_to_totals<1>(segment, totals);
    }
};

// ---- panels ---------------------------------------------------------------------------------

/// Adds the products of one panel with at most totals_rows_max rows to `totals`.
template <DataType type>
void multiply_panel(const PackedView& matrix, const uint8_t* data, const ActivationView& x,
                    RowRange rows, PanelTotals& totals) {
    for_segments(matrix, data, [&](const uint8_t* segment, size_t first, size_t columns) {
        const Segment<type> weights(segment, columns);
        for_groups_of_four(rows, [&]<size_t n>(size_t row) {
            weights.template add_rows<n>(row_pointers<code_format(type).arithmetic>(x, row, first),
                                         totals.values + (row - rows.begin) * panel_rows);
        });
    });
}

template <size_t row_count>
[[gnu::always_inline]] inline void add_plain_rows(const uint8_t* data, const float* x,
                                                  size_t columns, float* totals) {
    for (size_t begin = 0; begin < columns; begin += segment_elements) {
        RowFloats<row_count> segment;
        clear<row_count>(segment);
        for (size_t k = begin; k < least(columns, begin + segment_elements); ++k) {
            const auto* at = reinterpret_cast<const float*>(data) + panel_rows * k;
            const Floats weight = {{_mm256_loadu_ps(at), _mm256_loadu_ps(at + side_lanes)}};
            for (size_t r = 0; r < row_count; ++r) {
                const __m256 value = _mm256_set1_ps(x[r * columns + k]);
                for (size_t h = 0; h < 2; ++h) {
                    segment[r].side[h] = _mm256_fmadd_ps(weight.side[h], value, segment[r].side[h]);
                }
            }
        }
        add_to_totals<row_count>(segment, totals);
    }
}

void multiply_plain_panel(const PackedView& matrix, const uint8_t* data, const ActivationView& x,
                          RowRange rows, PanelTotals& totals) {
    for_groups_of_four(rows, [&]<size_t n>(size_t row) {
        add_plain_rows<n>(data, x.values + row * matrix.columns, matrix.columns,
                          totals.values + (row - rows.begin) * panel_rows);
    });
}

using PanelFn = void (*)(const PackedView&, const uint8_t*, const ActivationView&, RowRange,
                         PanelTotals&);

PanelFn panel_function(DataType type) {
    return for_type(type, []<DataType t>() -> PanelFn {
        if constexpr (t == DataType::f32) {
            return multiply_plain_panel;
        } else {
            return multiply_panel<t>;
        }
    });
}

void multiply(const PackedView& matrix, const ActivationView& x, float* out, size_t out_stride,
              PanelRange panels) {
    const size_t panel_bytes = packed_panel_bytes(matrix.type, matrix.columns);
    const PanelFn multiply_one = panel_function(matrix.type);
    for (size_t panel = panels.begin; panel < panels.end; ++panel) {
        const size_t lanes = least(panel_rows, matrix.rows - panel * panel_rows);
        for (size_t row = 0; row < x.row_count; row += totals_rows_max) {
            const RowRange rows = {row, least(x.row_count, row + totals_rows_max)};
            PanelTotals totals;
            __builtin_memset(totals.values, 0, 4 * panel_rows * (rows.end - rows.begin));
            multiply_one(matrix, matrix.data + panel * panel_bytes, x, rows, totals);
            store_totals(totals, rows, lanes, out + panel * panel_rows, out_stride);
        }
    }
}

}  // namespace

const KernelSet& avx2_kernels() {
    static constexpr KernelSet set = {"avx2", multiply, score_page, accumulate_page};
    return set;
}

}  // namespace teetee::tensor
#endif
