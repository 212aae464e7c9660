// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "tensor/float16.hpp"
#include "tensor/kernels.hpp"

// The order of operations in this file is the specification (docs/numerics.md); every other kernel
// is tested to give the same bits.

namespace teetee::tensor {
namespace {

uint16_t load_u16(const uint8_t* p) {
    return static_cast<uint16_t>(p[0] | p[1] << 8);
}

float load_f32(const uint8_t* p) {
    float value;
    std::memcpy(&value, p, sizeof value);
    return value;
}

/// Calls dot(panel data, lane, activation row) for every output of the panels.
template <class Dot>
void for_each_output(const PackedView& matrix, const ActivationView& x, float* out,
                     size_t out_stride, PanelRange panels, Dot dot) {
    for (size_t panel = panels.begin; panel < panels.end; ++panel) {
        const uint8_t* data = matrix.data + panel * matrix.panel_bytes;
        const size_t lanes = std::min(panel_rows, matrix.rows - panel * panel_rows);
        for (size_t row = 0; row < x.row_count; ++row) {
            for (size_t lane = 0; lane < lanes; ++lane) {
                out[row * out_stride + panel * panel_rows + lane] = dot(data, lane, row);
            }
        }
    }
}

/// element(k) is the weight; one fused multiply-add per element.
template <class Element>
float float_dot(const float* x, size_t columns, Element element) {
    float total = 0;
    for (size_t begin = 0; begin < columns; begin += segment_elements) {
        float segment = 0;
        const size_t end = std::min(columns, begin + segment_elements);
        for (size_t k = begin; k < end; ++k) segment = std::fma(element(k), x[k], segment);
        total += segment;
    }
    return total;
}

void multiply_f32(const PackedView& matrix, const ActivationView& x, float* out, size_t out_stride,
                  PanelRange panels) {
    for_each_output(
        matrix, x, out, out_stride, panels, [&](const uint8_t* data, size_t lane, size_t row) {
            return float_dot(x.values + row * matrix.columns, matrix.columns, [&](size_t k) {
                return load_f32(data + 4 * (k * panel_rows + lane));
            });
        });
}

void multiply_f16(const PackedView& matrix, const ActivationView& x, float* out, size_t out_stride,
                  PanelRange panels) {
    for_each_output(
        matrix, x, out, out_stride, panels, [&](const uint8_t* data, size_t lane, size_t row) {
            return float_dot(x.values + row * matrix.columns, matrix.columns, [&](size_t k) {
                return f16_to_f32(load_u16(data + 2 * (k * panel_rows + lane)));
            });
        });
}

/// block_dot(block data, quants, block sum) is the exact integer product of one block; one rounded
/// scale product and one fused multiply-add per block.
template <class BlockDot>
float block_dot_sum(const uint8_t* data, size_t block_bytes, size_t lane, const ActivationView& x,
                    size_t row, size_t columns, BlockDot block_dot) {
    constexpr size_t segment_blocks = segment_elements / block_elements;
    const size_t block_count = columns / block_elements;
    float total = 0;
    for (size_t begin = 0; begin < block_count; begin += segment_blocks) {
        float segment = 0;
        const size_t end = std::min(block_count, begin + segment_blocks);
        for (size_t b = begin; b < end; ++b) {
            const uint8_t* block = data + b * block_bytes;
            const size_t at = row * block_count + b;
            const int32_t product =
                block_dot(block + 2 * panel_rows, x.quants + at * block_elements, x.block_sums[at]);
            const float scale = f16_to_f32(load_u16(block + 2 * lane)) * x.scales[at];
            segment = std::fma(static_cast<float>(product), scale, segment);
        }
        total += segment;
    }
    return total;
}

void multiply_q8_0(const PackedView& matrix, const ActivationView& x, float* out, size_t out_stride,
                   PanelRange panels) {
    constexpr size_t block_bytes = panel_rows * (2 + block_elements);
    for_each_output(
        matrix, x, out, out_stride, panels, [&](const uint8_t* data, size_t lane, size_t row) {
            return block_dot_sum(data, block_bytes, lane, x, row, matrix.columns,
                                 [&](const uint8_t* weights, const int8_t* quants, int32_t) {
                                     int32_t sum = 0;
                                     for (size_t k = 0; k < block_elements; ++k) {
                                         const uint8_t weight =
                                             weights[k / 4 * 4 * panel_rows + 4 * lane + k % 4];
                                         sum += std::bit_cast<int8_t>(weight) * quants[k];
                                     }
                                     return sum;
                                 });
        });
}

void multiply_q4_0(const PackedView& matrix, const ActivationView& x, float* out, size_t out_stride,
                   PanelRange panels) {
    constexpr size_t block_bytes = panel_rows * (2 + block_elements / 2);
    for_each_output(
        matrix, x, out, out_stride, panels, [&](const uint8_t* data, size_t lane, size_t row) {
            return block_dot_sum(
                data, block_bytes, lane, x, row, matrix.columns,
                [&](const uint8_t* weights, const int8_t* quants, int32_t quant_sum) {
                    int32_t sum = 0;
                    for (size_t k = 0; k < block_elements / 2; ++k) {
                        const uint8_t pair = weights[k / 4 * 4 * panel_rows + 4 * lane + k % 4];
                        sum +=
                            (pair & 15) * quants[k] + (pair >> 4) * quants[k + block_elements / 2];
                    }
                    return sum - 8 * quant_sum;
                });
        });
}

void score_page(const float* query, const float* keys, size_t head_dim, float* scores) {
    for (size_t t = 0; t < page_positions; ++t) {
        float sum = 0;
        for (size_t d = 0; d < head_dim; ++d) {
            sum = std::fma(query[d], keys[d * page_positions + t], sum);
        }
        scores[t] = sum;
    }
}

void accumulate_page(const float* weights, const float* values, size_t head_dim, size_t count,
                     float* sums) {
    for (size_t t = 0; t < count; ++t) {
        for (size_t d = 0; d < head_dim; ++d) {
            sums[d] = std::fma(weights[t], values[t * head_dim + d], sums[d]);
        }
    }
}

}  // namespace

const KernelSet& scalar_kernels() {
    static constexpr KernelSet set = {"scalar",      multiply_f32, multiply_f16,   multiply_q8_0,
                                      multiply_q4_0, score_page,   accumulate_page};
    return set;
}

}  // namespace teetee::tensor
