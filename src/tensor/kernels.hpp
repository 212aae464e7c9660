// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "tensor/activations.hpp"
#include "tensor/data_type.hpp"
#include "tensor/packed_layout.hpp"

namespace teetee::tensor {

/// A packed matrix as kernels see it; packed_layout.hpp has the layout.
struct PackedView {
    DataType type{};
    size_t rows = 0;
    size_t columns = 0;
    const uint8_t* data = nullptr;  // panels, each of packed_panel_bytes(type, columns)
};

struct PanelRange {
    size_t begin;
    size_t end;
};

/// Positions in a page of the KV cache.
inline constexpr size_t page_positions = 32;
/// Queries that one call of an attention kernel works on.
inline constexpr size_t query_tile = 8;

/// How keys and values are stored.
enum class KvType { f32, f16, q8_0 };

/// One page of keys and values of one KV head. Keys are stored by dimension, (head_dim, 32), values
/// by position, (32, head_dim), so that in both products a SIMD lane owns an output. Q8_0 has a
/// scale for 32 dimensions (fewer at the end): of keys (head_dim / 32, 32), of values
/// (32, head_dim / 32).
struct KvPageView {
    KvType type{};
    const void* keys = nullptr;
    const void* values = nullptr;
    const float* key_scales = nullptr;
    const float* value_scales = nullptr;
};

/// out[row][r] = sum over k of matrix[r][k] * activations[row][k], for the rows r of the panels in
/// `panels`; out has row stride `out_stride` floats. The activations are in the form of
/// code_format(matrix.type).arithmetic.
using MultiplyFn = void (*)(const PackedView& matrix, const ActivationView& activations, float* out,
                            size_t out_stride, PanelRange panels);

/// scores[i * score_stride + t] = sum over d of query[i][d] * key[t][d], for t in [0, 32) and i in
/// [0, query_count), query_count <= 8. queries: pointers to head_dim floats.
using ScoreFn = void (*)(const KvPageView& page, size_t head_dim, const float* const* queries,
                         size_t query_count, float* scores, size_t score_stride);

/// sums[i * head_dim + d] = fma(weights[i * weight_stride + t], value[t][d], sums[..]) for t in
/// [0, count) in order.
using AccumulateFn = void (*)(const KvPageView& page, size_t head_dim, size_t count,
                              const float* weights, size_t weight_stride, size_t query_count,
                              float* sums);

/// One implementation of everything that depends on the instruction set. All give the same bits.
struct KernelSet {
    std::string_view name;
    MultiplyFn multiply;
    ScoreFn score_page;
    AccumulateFn accumulate_page;
};

/// The specification, in plain C++.
const KernelSet& scalar_kernels();

/// The sets this processor runs, the specification first and the best last.
const std::vector<const KernelSet*>& available_kernels();
const KernelSet& best_kernels();

/// By name: "scalar", "avx2", "avx512", "amx" or "auto" (the best). Error: kernel_unavailable,
/// naming what there is.
Result<const KernelSet*> kernels_named(std::string_view name);

}  // namespace teetee::tensor
