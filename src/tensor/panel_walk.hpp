// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/activations.hpp"
#include "tensor/kernels.hpp"
#include "tensor/packed_layout.hpp"

// How a kernel walks over rows of activations and segments of weights, whatever its instruction
// set. Included by files that are compiled for different ones, so everything here has internal
// linkage and calls nothing: a shared inline function must not exist in two versions.

namespace teetee::tensor {
namespace {

#define TT_WALK [[gnu::always_inline, maybe_unused]] inline

struct RowRange {
    size_t begin;
    size_t end;
};

TT_WALK constexpr size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/// Where a group of rows (all in one tile) finds its activations in one segment.
struct RowPointers {
    const int8_t* quants;     // of the first row, at the segment's first column; rows are 64 apart
    size_t chunk_stride;      // to the next 64 columns
    const float* scales;      // of the first row, at the segment's first unit; rows are neighbours
    const int32_t* sums;      // blocks: as scales
    size_t unit_stride;       // to the next unit
    const int16_t* sub_sums;  // super blocks: of the first row, at the segment
    size_t sub_stride;        // to the next row's
    const int16_t* integers;  // fixed: of the first row, at the segment; rows are 32 apart
    size_t integer_stride;    // to the next 32 columns
};

template <Arithmetic arithmetic>
TT_WALK RowPointers row_pointers(const ActivationView& x, size_t row, size_t first_column) {
    constexpr size_t unit =
        arithmetic == Arithmetic::super_blocks ? segment_elements : block_elements;
    const size_t tile = row / x.tile_rows;
    const size_t in_tile = row % x.tile_rows;
    const size_t at = (tile * (x.columns / unit) + first_column / unit) * x.tile_rows + in_tile;
    RowPointers p{};
    p.scales = x.scales + at;
    p.unit_stride = x.tile_rows;
    if constexpr (arithmetic == Arithmetic::fixed) {
        p.integers = x.integers + at * block_elements;
        p.integer_stride = integer_stride(x);
        return p;
    }
    p.chunk_stride = chunk_stride(x);
    p.quants = x.quants + tile * tile_stride(x, arithmetic) + first_column / 64 * p.chunk_stride +
               64 * in_tile;
    if constexpr (arithmetic == Arithmetic::blocks) {
        p.sums = x.sums + at;
    } else {
        p.sub_stride = x.columns / 16;
        p.sub_sums = x.sub_sums + row * p.sub_stride + first_column / 16;
    }
    return p;
}

/// Calls step.template operator()<n>(row) for groups of n = 4, 2 or 1 rows that do not cross a tile
/// (tiles are of up to 8 rows or of 16).
template <class Step>
TT_WALK void for_groups_of_four(RowRange rows, Step step) {
    size_t row = rows.begin;
    for (; row + 4 <= rows.end; row += 4) step.template operator()<4>(row);
    if (row + 2 <= rows.end) {
        step.template operator()<2>(row);
        row += 2;
    }
    if (row < rows.end) step.template operator()<1>(row);
}

/// Calls segment(data, first column, columns) for the segments of a panel.
template <class Segment>
TT_WALK void for_segments(const PackedView& matrix, const uint8_t* panel, Segment segment) {
    for (size_t first = 0; first < matrix.columns; first += segment_elements) {
        const size_t columns = least(segment_elements, matrix.columns - first);
        segment(panel, first, columns);
        panel += segment_layout(matrix.type, columns).bytes;
    }
}

/// The result of pick.template operator()<type>() for the type whose segments these are; BF16 is
/// packed as F16, and what has no segments is F32.
template <class Pick>
TT_WALK auto for_type(DataType type, Pick pick) {
    switch (type) {
        case DataType::q8_0:
            return pick.template operator()<DataType::q8_0>();
        case DataType::q4_0:
            return pick.template operator()<DataType::q4_0>();
        case DataType::q4_1:
            return pick.template operator()<DataType::q4_1>();
        case DataType::q5_0:
            return pick.template operator()<DataType::q5_0>();
        case DataType::q5_1:
            return pick.template operator()<DataType::q5_1>();
        case DataType::q2_k:
            return pick.template operator()<DataType::q2_k>();
        case DataType::q3_k:
            return pick.template operator()<DataType::q3_k>();
        case DataType::q4_k:
            return pick.template operator()<DataType::q4_k>();
        case DataType::q5_k:
            return pick.template operator()<DataType::q5_k>();
        case DataType::q6_k:
            return pick.template operator()<DataType::q6_k>();
        case DataType::f16:
        case DataType::bf16:
            return pick.template operator()<DataType::f16>();
        default:
            return pick.template operator()<DataType::f32>();
    }
}

/// Sums of one panel for a run of rows, kept in the first cache until they are complete.
constexpr size_t totals_rows_max = 64;
struct alignas(64) PanelTotals {
    float values[totals_rows_max * panel_rows];
};

/// out: of the panel's first output, in the first row.
TT_WALK void store_totals(const PanelTotals& totals, RowRange rows, size_t lanes, float* out,
                          size_t out_stride) {
    for (size_t r = 0; r < rows.end - rows.begin; ++r) {
        __builtin_memcpy(out + (rows.begin + r) * out_stride, totals.values + r * panel_rows,
                         4 * lanes);
    }
}

}  // namespace
}  // namespace teetee::tensor
