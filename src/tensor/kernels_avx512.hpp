// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <immintrin.h>
#include <type_traits>

#include "tensor/activations.hpp"
#include "tensor/kernels.hpp"
#include "tensor/panel_walk.hpp"
#include "tensor/unpack_avx512.hpp"

// Products with AVX-512 and VNNI. A segment of a panel is unpacked to codes once and stays in the
// first cache while it meets the rows, up to eight at a time; lanes are output rows. Included by
// the AVX-512 and the AMX kernel set, which uses it for few rows; see unpack_avx512.hpp for
// linkage.

namespace teetee::tensor {
namespace {

[[gnu::always_inline]] inline __m512i broadcast_32(const void* p) {
    int32_t bits;
    __builtin_memcpy(&bits, p, sizeof bits);
    return _mm512_set1_epi32(bits);
}

// A segment is opened in one of two ways: packed, where few rows meet it and each code is used as
// soon as it is unpacked, or as a buffer of codes, which many rows read. Both hand the codes of a
// block to a function: codes(b, use) calls use(group, codes).

struct BlockScales {
    __m512 scales[segment_blocks];
    __m512 minima[segment_blocks];
};

/// Codes and scales of one segment of one panel, ready for any number of rows.
struct BlockSegment : BlockScales {
    CodeBuffer buffer;
    size_t block_count;

    __m512 scale(size_t b) const { return scales[b]; }
    __m512 min(size_t b) const { return minima[b]; }
    template <class Use>
    [[gnu::always_inline]] void codes(size_t b, Use use) const {
        for (size_t g = 0; g < 8; ++g)
            use(g, _mm512_load_si512(buffer.bytes + (8 * b + g) * group_bytes));
    }
};

template <DataType type>
struct PackedBlockSegment {
    const uint8_t* data;
    SegmentLayout layout;
    size_t block_count;

    PackedBlockSegment(const uint8_t* segment, size_t blocks)
        : data(segment),
          layout(segment_layout(type, blocks * block_elements)),
          block_count(blocks) {}

    __m512 scale(size_t b) const { return load_halves(data + 2 * panel_rows * b); }
    __m512 min(size_t b) const { return load_halves(data + layout.minima + 2 * panel_rows * b); }
    template <class Use>
    [[gnu::always_inline]] void codes(size_t b, Use use) const {
        emit_block<type, false>(data, layout, b, use);
    }
};

template <DataType type, bool is_signed>
[[gnu::always_inline]] inline void open_block_segment(const uint8_t* data, size_t block_count,
                                                      BlockSegment& out) {
    const PackedBlockSegment<type> packed(data, block_count);
    out.block_count = block_count;
    for (size_t b = 0; b < block_count; ++b) {
        out.scales[b] = packed.scale(b);
        if (code_format(type).has_min) out.minima[b] = packed.min(b);
        emit_block<type, is_signed>(data, packed.layout, b, [&](size_t group, __m512i codes) {
            store_group(out.buffer.bytes, 8 * b + group, codes);
        });
    }
}

template <DataType type, size_t row_count, class Segment>
[[gnu::always_inline]] inline void block_rows(const Segment& w, const RowPointers& x,
                                              float* totals) {
    constexpr CodeFormat f = code_format(type);
    __m512 segment[row_count];
    for (auto& s : segment) s = _mm512_setzero_ps();
    for (size_t b = 0; b < w.block_count; ++b) {
        const int8_t* quants = x.quants + b / 2 * x.chunk_stride + b % 2 * 32;
        const int32_t* sums = x.sums + b * x.unit_stride;
        const float* scales = x.scales + b * x.unit_stride;
        __m512i product[row_count];
        for (size_t r = 0; r < row_count; ++r) product[r] = _mm512_set1_epi32(-f.offset * sums[r]);
        w.codes(b, [&](size_t g, __m512i code) {
            for (size_t r = 0; r < row_count; ++r) {
                product[r] =
                    _mm512_dpbusd_epi32(product[r], code, broadcast_32(quants + 64 * r + 4 * g));
            }
        });
        const __m512 weight = w.scale(b);
        for (size_t r = 0; r < row_count; ++r) {
            const __m512 scale = _mm512_mul_ps(weight, _mm512_set1_ps(scales[r]));
            segment[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(product[r]), scale, segment[r]);
            if constexpr (f.has_min) {
                const __m512 min = _mm512_mul_ps(w.min(b), _mm512_set1_ps(scales[r]));
                segment[r] =
                    _mm512_fmadd_ps(_mm512_set1_ps(static_cast<float>(sums[r])), min, segment[r]);
            }
        }
    }
    for (size_t r = 0; r < row_count; ++r) {
        float* total = totals + r * panel_rows;
        _mm512_store_ps(total, _mm512_add_ps(_mm512_load_ps(total), segment[r]));
    }
}

template <DataType type>
struct SuperBlockScales {
    __m512i scale_factors[8];
    __m512i min_factors[8];
    __m512 scale;
    __m512 min;

    explicit SuperBlockScales(const uint8_t* data) {
        constexpr CodeFormat f = code_format(type);
        scale = load_halves(data);
        if (f.has_min) {
            min = load_halves(data + 2 * panel_rows);
            sum_factors<type>(data, true, min_factors);
        }
        if (f.offset != 0) sum_factors<type>(data, false, scale_factors);
    }
};

template <DataType type>
struct SuperBlockSegment : SuperBlockScales<type> {
    CodeBuffer buffer;
    __m512i sub_scales[16];

    explicit SuperBlockSegment(const uint8_t* data) : SuperBlockScales<type>(data) {
        for (size_t j = 0; j < segment_elements / code_format(type).sub_elements; ++j)
            sub_scales[j] = sub_scale<type>(data, j);
        emit_super_block<type>(
            data, [&](size_t group, __m512i codes) { store_group(buffer.bytes, group, codes); });
    }

    __m512i integer_scale(size_t sub) const { return sub_scales[sub]; }
    /// Calls step(j) for each 32 columns; codes(j, groups, use) hands over some of their groups.
    template <class Step>
    [[gnu::always_inline]] void for_parts(Step step) const {
        for (unsigned j = 0; j < 8; ++j) step(j);
    }
    template <class Use>
    [[gnu::always_inline]] void codes(unsigned j, GroupRange groups, Use use) const {
        for (size_t g = groups.begin; g < groups.end; ++g)
            use(g, _mm512_load_si512(buffer.bytes + (8 * j + g) * group_bytes));
    }
};

template <DataType type>
struct PackedSuperBlockSegment : SuperBlockScales<type> {
    const uint8_t* data;

    explicit PackedSuperBlockSegment(const uint8_t* segment)
        : SuperBlockScales<type>(segment), data(segment) {}

    __m512i integer_scale(size_t sub) const { return sub_scale<type>(data, sub); }
    template <class Step>
    [[gnu::always_inline]] void for_parts(Step step) const {
        for_sub_blocks([&]<unsigned j>() { step(std::integral_constant<unsigned, j>()); });
    }
    template <unsigned j, class Use>
    [[gnu::always_inline]] void codes(std::integral_constant<unsigned, j>, GroupRange groups,
                                      Use use) const {
        constexpr SegmentLayout s = segment_layout(type, segment_elements);
        emit_sub_block<type, j>(data + s.low, data + s.high, groups, use);
    }
};

/// Sum over the 16 parts of (factor * sum of the part's activations).
[[gnu::always_inline]] inline __m512i dot_sums(const __m512i (&factors)[8], const int16_t* sums) {
    __m512i total = _mm512_setzero_si512();
    for (size_t j = 0; j < 8; ++j)
        total = _mm512_dpwssd_epi32(total, factors[j], broadcast_32(sums + 2 * j));
    return total;
}

template <bool has_min>
[[gnu::always_inline]] inline void add_super_block(__m512i product, __m512i minima, __m512 scale,
                                                   __m512 min, float x_scale, float* total) {
    const __m512 x = _mm512_set1_ps(x_scale);
    __m512 segment = _mm512_mul_ps(_mm512_cvtepi32_ps(product), _mm512_mul_ps(scale, x));
    if constexpr (has_min) {
        segment = _mm512_fnmadd_ps(_mm512_cvtepi32_ps(minima), _mm512_mul_ps(min, x), segment);
    }
    _mm512_store_ps(total, _mm512_add_ps(_mm512_load_ps(total), segment));
}

template <DataType type, size_t row_count, class Segment>
[[gnu::always_inline]] inline void super_block_rows(const Segment& w, const RowPointers& x,
                                                    float* totals) {
    constexpr CodeFormat f = code_format(type);
    constexpr size_t subs_each = 32 / f.sub_elements;
    constexpr size_t sub_groups = f.sub_elements / 4;
    __m512i product[row_count];
    for (size_t r = 0; r < row_count; ++r) {
        product[r] = _mm512_setzero_si512();
        if constexpr (f.offset != 0) {
            const __m512i sums = dot_sums(w.scale_factors, x.sub_sums + r * x.sub_stride);
            product[r] = _mm512_slli_epi32(sums, std::countr_zero(unsigned{f.offset}));
            product[r] = _mm512_sub_epi32(_mm512_setzero_si512(), product[r]);
        }
    }
    w.for_parts([&](auto j) {
        const int8_t* quants = x.quants + j / 2 * x.chunk_stride + j % 2 * 32;
        for (size_t part = 0; part < subs_each; ++part) {
            __m512i sub[row_count];
            for (auto& s : sub) s = _mm512_setzero_si512();
            const GroupRange groups = {part * sub_groups, (part + 1) * sub_groups};
            w.codes(j, groups, [&](size_t g, __m512i code) {
                for (size_t r = 0; r < row_count; ++r)
                    sub[r] =
                        _mm512_dpbusd_epi32(sub[r], code, broadcast_32(quants + 64 * r + 4 * g));
            });
            const __m512i scale = w.integer_scale(subs_each * j + part);
            for (size_t r = 0; r < row_count; ++r)
                product[r] = _mm512_add_epi32(product[r], _mm512_mullo_epi32(sub[r], scale));
        }
    });
    for (size_t r = 0; r < row_count; ++r) {
        __m512i minima = _mm512_setzero_si512();
        if constexpr (f.has_min) minima = dot_sums(w.min_factors, x.sub_sums + r * x.sub_stride);
        add_super_block<f.has_min>(product[r], minima, w.scale, w.min, x.scales[r],
                                   totals + r * panel_rows);
    }
}

struct FixedSegment {
    const uint8_t* pairs;
    __m512 scales[segment_blocks];
    size_t block_count;
};

[[gnu::always_inline]] inline void open_fixed_segment(const uint8_t* data, size_t block_count,
                                                      FixedSegment& out) {
    const SegmentLayout s = segment_layout(DataType::f16, block_count * block_elements);
    out.pairs = data + s.low;
    out.block_count = block_count;
    for (size_t b = 0; b < block_count; ++b) out.scales[b] = load_exponents(data + panel_rows * b);
}

template <size_t row_count>
[[gnu::always_inline]] inline void fixed_rows(const FixedSegment& w, const RowPointers& x,
                                              float* totals) {
    __m512 segment[row_count];
    for (auto& s : segment) s = _mm512_setzero_ps();
    for (size_t b = 0; b < w.block_count; ++b) {
        const uint8_t* pairs = w.pairs + b * 16 * group_bytes;
        const int16_t* integers = x.integers + b * x.integer_stride;
        __m512i product[row_count];
        for (auto& p : product) p = _mm512_setzero_si512();
        for (size_t g = 0; g < 16; ++g) {
            const __m512i pair = load(pairs + g * group_bytes);
            prefetch<DataType::f16>(pairs + g * group_bytes);
            for (size_t r = 0; r < row_count; ++r) {
                product[r] = _mm512_dpwssd_epi32(
                    product[r], pair, broadcast_32(integers + r * block_elements + 2 * g));
            }
        }
        for (size_t r = 0; r < row_count; ++r) {
            const __m512 scale =
                _mm512_mul_ps(w.scales[b], _mm512_set1_ps(x.scales[b * x.unit_stride + r]));
            segment[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(product[r]), scale, segment[r]);
        }
    }
    for (size_t r = 0; r < row_count; ++r) {
        float* total = totals + r * panel_rows;
        _mm512_store_ps(total, _mm512_add_ps(_mm512_load_ps(total), segment[r]));
    }
}

/// Up to here codes are used as they are unpacked, again for each group of rows.
constexpr size_t packed_rows_max = 8;

/// Calls step.template operator()<n>(row) for groups of 8 rows and what is left, so that no group
/// crosses a tile (tiles are of up to 8 rows or of 16).
template <class Step>
[[gnu::always_inline]] inline void for_row_groups(RowRange rows, Step step) {
    size_t row = rows.begin;
    for (; row + 8 <= rows.end; row += 8) step.template operator()<8>(row);
    switch (rows.end - row) {
        case 1:
            return step.template operator()<1>(row);
        case 2:
            return step.template operator()<2>(row);
        case 3:
            return step.template operator()<3>(row);
        case 4:
            return step.template operator()<4>(row);
        case 5:
            return step.template operator()<5>(row);
        case 6:
            return step.template operator()<6>(row);
        case 7:
            return step.template operator()<7>(row);
        default:
            return;
    }
}

[[gnu::always_inline]] inline void store_lanes(const float* totals, size_t row_count, size_t lanes,
                                               float* out, size_t out_stride) {
    const auto mask = static_cast<__mmask16>((1u << lanes) - 1);
    for (size_t r = 0; r < row_count; ++r) {
        _mm512_mask_storeu_ps(out + r * out_stride, mask, _mm512_load_ps(totals + r * panel_rows));
    }
}

struct RowsAt {
    RowPointers x;
    float* totals;
};

/// The segment after the one at hand, fetched piece by piece while many rows meet this one, so that
/// memory and arithmetic work at the same time.
class NextSegment {
  public:
    NextSegment(const uint8_t* data, size_t bytes, RowRange rows) : at_(data), end_(data + bytes) {
        const size_t lines = (bytes + 63) / 64;
        const size_t groups = (rows.end - rows.begin + 7) / 8;
        step_bytes_ = (lines + groups - 1) / groups * 64;
    }
    [[gnu::always_inline]] void fetch_some() {
        for (const uint8_t* stop = at_ + step_bytes_; at_ < stop && at_ < end_; at_ += 64)
            _mm_prefetch(reinterpret_cast<const char*>(at_), _MM_HINT_T0);
    }

  private:
    const uint8_t* at_;
    const uint8_t* end_;
    size_t step_bytes_;
};

/// at(row) says where a group of rows begins; so below.
template <DataType type, class At>
[[gnu::always_inline]] inline void multiply_block_segment(const uint8_t* data, size_t columns,
                                                          RowRange rows, NextSegment next, At at) {
    const auto multiply_with = [&](const auto& w) {
        for_row_groups(rows, [&]<size_t n>(size_t row) {
            const RowsAt where = at(row);
            block_rows<type, n>(w, where.x, where.totals);
            next.fetch_some();
        });
    };
    if (rows.end - rows.begin <= packed_rows_max) {
        multiply_with(PackedBlockSegment<type>(data, columns / block_elements));
    } else {
        BlockSegment w;
        open_block_segment<type, false>(data, columns / block_elements, w);
        multiply_with(w);
    }
}

template <DataType type, class At>
[[gnu::always_inline]] inline void multiply_super_block(const uint8_t* data, RowRange rows,
                                                        NextSegment next, At at) {
    const auto multiply_with = [&](const auto& w) {
        for_row_groups(rows, [&]<size_t n>(size_t row) {
            const RowsAt where = at(row);
            super_block_rows<type, n>(w, where.x, where.totals);
            next.fetch_some();
        });
    };
    if (rows.end - rows.begin <= packed_rows_max) {
        multiply_with(PackedSuperBlockSegment<type>(data));
    } else {
        multiply_with(SuperBlockSegment<type>(data));
    }
}

template <DataType type>
void multiply_panel(const PackedView& matrix, const uint8_t* data, const ActivationView& x,
                    RowRange rows, PanelTotals& totals) {
    constexpr Arithmetic arithmetic = code_format(type).arithmetic;
    for_segments(matrix, data, [&](const uint8_t* segment, size_t first, size_t columns) {
        const size_t bytes = segment_layout(type, columns).bytes;
        NextSegment next(segment + bytes, rows.end - rows.begin <= packed_rows_max ? 0 : bytes,
                         rows);
        if constexpr (arithmetic == Arithmetic::blocks) {
            multiply_block_segment<type>(segment, columns, rows, next, [&](size_t row) {
                return RowsAt{row_pointers<arithmetic>(x, row, first),
                              totals.values + (row - rows.begin) * panel_rows};
            });
        } else if constexpr (arithmetic == Arithmetic::super_blocks) {
            multiply_super_block<type>(segment, rows, next, [&](size_t row) {
                return RowsAt{row_pointers<arithmetic>(x, row, first),
                              totals.values + (row - rows.begin) * panel_rows};
            });
        } else {
            FixedSegment w;
            open_fixed_segment(segment, columns / block_elements, w);
            for_row_groups(rows, [&]<size_t n>(size_t row) {
                // Integers of a fixed row are 16 bits: two 64-byte chunks of a tile to 64 columns.
                fixed_rows<n>(w, row_pointers<arithmetic>(x, row, first),
                              totals.values + (row - rows.begin) * panel_rows);
                next.fetch_some();
            });
        }
    });
}

template <size_t row_count>
[[gnu::always_inline]] inline void plain_rows(const uint8_t* data, const float* x, size_t columns,
                                              float* totals) {
    __m512 total[row_count];
    for (auto& t : total) t = _mm512_setzero_ps();
    for (size_t begin = 0; begin < columns; begin += segment_elements) {
        __m512 segment[row_count];
        for (auto& s : segment) s = _mm512_setzero_ps();
        const size_t end = least(columns, begin + segment_elements);
        for (size_t k = begin; k < end; ++k) {
            const __m512 weight = _mm512_loadu_ps(data + 4 * panel_rows * k);
            for (size_t r = 0; r < row_count; ++r) {
                segment[r] =
                    _mm512_fmadd_ps(weight, _mm512_set1_ps(x[r * columns + k]), segment[r]);
            }
        }
        for (size_t r = 0; r < row_count; ++r) total[r] = _mm512_add_ps(total[r], segment[r]);
    }
    for (size_t r = 0; r < row_count; ++r) _mm512_store_ps(totals + r * panel_rows, total[r]);
}

[[gnu::always_inline]] inline void multiply_plain_panel(const PackedView& matrix,
                                                        const uint8_t* data,
                                                        const ActivationView& x, RowRange rows,
                                                        PanelTotals& totals) {
    for_row_groups(rows, [&]<size_t n>(size_t row) {
        plain_rows<n>(data, x.values + row * matrix.columns, matrix.columns,
                      totals.values + (row - rows.begin) * panel_rows);
    });
}

using PanelFn = void (*)(const PackedView&, const uint8_t*, const ActivationView&, RowRange,
                         PanelTotals&);

[[gnu::always_inline]] inline PanelFn panel_function(DataType type) {
    return for_type(type, []<DataType t>() -> PanelFn {
        if constexpr (t == DataType::f32) {
            return multiply_plain_panel;
        } else {
            return multiply_panel<t>;
        }
    });
}

/// The rows `rows` of the activations; rows.begin is a multiple of 16.
[[gnu::always_inline]] inline void multiply_rows(const PackedView& matrix, const ActivationView& x,
                                                 RowRange rows, float* out, size_t out_stride,
                                                 PanelRange panels) {
    const size_t panel_bytes = packed_panel_bytes(matrix.type, matrix.columns);
    const PanelFn multiply_one = panel_function(matrix.type);
    for (size_t panel = panels.begin; panel < panels.end; ++panel) {
        const size_t lanes = least(panel_rows, matrix.rows - panel * panel_rows);
        for (size_t row = rows.begin; row < rows.end; row += totals_rows_max) {
            const size_t count = least(totals_rows_max, rows.end - row);
            PanelTotals totals;
            for (size_t r = 0; r < count; ++r)
                _mm512_store_ps(totals.values + r * panel_rows, _mm512_setzero_ps());
            multiply_one(matrix, matrix.data + panel * panel_bytes, x, {row, row + count}, totals);
            store_lanes(totals.values, count, lanes, out + row * out_stride + panel * panel_rows,
                        out_stride);
        }
    }
}

}  // namespace
}  // namespace teetee::tensor
