// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "tensor/data_type.hpp"

namespace teetee::tensor {

/// Output rows that stand side by side in a packed matrix, one to a SIMD lane.
inline constexpr size_t panel_rows = 16;
/// Every sum over an inner index is cut into segments of this many elements; a segment is summed
/// from zero, and the segments are added in order (docs/numerics.md).
inline constexpr size_t segment_elements = 256;
/// Elements that share a scale in Q8_0, Q4_0 and in quantised activations.
inline constexpr size_t block_elements = 32;
/// Positions in a page of the KV cache.
inline constexpr size_t page_positions = 32;

/// One page of keys and values of one KV head. Keys are stored by dimension, [head_dim][32], values
/// by position, [32][head_dim], so that in both products a SIMD lane owns an output.
struct KvPageView {
    const float* keys;
    const float* values;
};

/// A packed matrix as kernels see it: see PackedMatrix for the layout.
struct PackedView {
    const uint8_t* data;
    size_t rows;
    size_t columns;
    size_t panel_bytes;
};

/// Rows of activations. For F32 and F16 weights only `values` is set; for quantised weights the
/// rest, with block_elements values to a scale.
struct ActivationView {
    const float* values;        // (row_count, columns)
    const int8_t* quants;       // (row_count, columns), each in [-127, 127]
    const float* scales;        // (row_count, columns / 32)
    const int32_t* block_sums;  // (row_count, columns / 32), sum of the block's quants
    size_t row_count;
};

struct PanelRange {
    size_t begin;
    size_t end;
};

/// out[row][r] = sum over k of matrix[r][k] * activations[row][k], for the rows r of the panels in
/// `panels`; out has row stride `out_stride` floats.
using MultiplyFn = void (*)(const PackedView& matrix, const ActivationView& activations, float* out,
                            size_t out_stride, PanelRange panels);

/// scores[t] = sum over d of query[d] * key[t][d], t in [0, 32).
using ScoreFn = void (*)(const float* query, const float* keys, size_t head_dim, float* scores);

/// sums[d] = fma(weights[t], value[t][d], sums[d]) for t in [0, count) in order.
using AccumulateFn = void (*)(const float* weights, const float* values, size_t head_dim,
                              size_t count, float* sums);

/// One implementation of everything that depends on the instruction set. All give the same bits.
struct KernelSet {
    std::string_view name;
    MultiplyFn multiply_f32;
    MultiplyFn multiply_f16;
    MultiplyFn multiply_q8_0;
    MultiplyFn multiply_q4_0;
    ScoreFn score_page;
    AccumulateFn accumulate_page;

    MultiplyFn multiply(DataType type) const;
};

/// The specification, in plain C++.
const KernelSet& scalar_kernels();

/// The best set this processor runs.
const KernelSet& best_kernels();

/// By name: "scalar", "avx2" or "auto". Error: kernel_unavailable, naming what there is.
Result<const KernelSet*> kernels_named(std::string_view name);

}  // namespace teetee::tensor
