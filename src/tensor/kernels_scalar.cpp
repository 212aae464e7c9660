// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/float16.hpp"
#include "tensor/kernels.hpp"
#include "tensor/pack.hpp"

// The order of operations in this file is the specification (docs/numerics.md); every other kernel
// is tested to give the same bits.

namespace teetee::tensor {
namespace {

float load_f32(const uint8_t* p) {
    float value;
    std::memcpy(&value, p, sizeof value);
    return value;
}

/// One row of quantised activations, whatever its arithmetic.
class Row {
  public:
    Row(const ActivationView& x, Arithmetic arithmetic, size_t row)
        : x_(x),
          arithmetic_(arithmetic),
          row_(row),
          tile_(row / x.tile_rows),
          in_tile_(row % x.tile_rows) {}

    int32_t quant(size_t column) const {
        if (arithmetic_ == Arithmetic::fixed) {
            return x_.integers[unit_index(column / block_elements) * block_elements +
                               column % block_elements];
        }
        return x_.quants[tile_ * tile_stride(x_, arithmetic_) + column / 64 * chunk_stride(x_) +
                         64 * in_tile_ + column % 64];
    }
    float scale(size_t unit) const { return x_.scales[unit_index(unit)]; }
    int32_t sum(size_t block) const { return x_.sums[unit_index(block)]; }
    int32_t sub_sum(size_t sub) const { return x_.sub_sums[row_ * x_.columns / 16 + sub]; }

  private:
    size_t unit_index(size_t unit) const {
        const size_t units = arithmetic_ == Arithmetic::super_blocks ? x_.columns / segment_elements
                                                                     : x_.columns / block_elements;
        return (tile_ * units + unit) * x_.tile_rows + in_tile_;
    }

    const ActivationView& x_;
    Arithmetic arithmetic_;
    size_t row_;
    size_t tile_;
    size_t in_tile_;
};

/// Sums of `columns` columns from `first` on, for one output.
float block_segment(const UnpackedSegment& w, bool has_min, const Row& x, size_t first,
                    size_t columns, size_t lane) {
    float segment = 0;
    for (size_t b = 0; b < columns / block_elements; ++b) {
        int32_t product = 0;
        for (size_t i = 0; i < block_elements; ++i) {
            const size_t k = b * block_elements + i;
            product += w.values[k][lane] * x.quant(first + k);
        }
        const size_t unit = first / block_elements + b;
        const float scale = w.scales[b][lane] * x.scale(unit);
        segment = std::fma(static_cast<float>(product), scale, segment);
        if (has_min) {
            const float min = w.minima[b][lane] * x.scale(unit);
            segment = std::fma(static_cast<float>(x.sum(unit)), min, segment);
        }
    }
    return segment;
}

float super_block_segment(const UnpackedSegment& w, bool has_min, const Row& x, size_t first,
                          size_t lane) {
    int32_t product = 0;
    int32_t minima = 0;
    for (size_t k = 0; k < segment_elements; ++k) {
        product += w.sub_scales[k / 16][lane] * w.values[k][lane] * x.quant(first + k);
    }
    for (size_t j = 0; j < 16; ++j) minima += w.sub_minima[j][lane] * x.sub_sum(first / 16 + j);
    const size_t unit = first / segment_elements;
    float segment = static_cast<float>(product) * (w.scales[0][lane] * x.scale(unit));
    if (has_min) {
        const float min = w.minima[0][lane] * x.scale(unit);
        segment = std::fma(-static_cast<float>(minima), min, segment);
    }
    return segment;
}

void multiply_quantised(const PackedView& matrix, const ActivationView& x, float* out,
                        size_t out_stride, PanelRange panels) {
    const CodeFormat f = code_format(matrix.type);
    const size_t panel_bytes = packed_panel_bytes(matrix.type, matrix.columns);
    UnpackedSegment w{};
    for (size_t panel = panels.begin; panel < panels.end; ++panel) {
        const uint8_t* data = matrix.data + panel * panel_bytes;
        const size_t lanes = std::min(panel_rows, matrix.rows - panel * panel_rows);
        for (size_t first = 0; first < matrix.columns; first += segment_elements) {
            const size_t columns = std::min(segment_elements, matrix.columns - first);
            unpack_segment(matrix.type, data, columns, w);
            data += segment_layout(matrix.type, columns).bytes;
            for (size_t r = 0; r < x.row_count; ++r) {
                const Row row(x, f.arithmetic, r);
                for (size_t lane = 0; lane < lanes; ++lane) {
                    float& total = out[r * out_stride + panel * panel_rows + lane];
                    if (first == 0) total = 0;
                    total += f.arithmetic == Arithmetic::super_blocks
                                 ? super_block_segment(w, f.has_min, row, first, lane)
                                 : block_segment(w, f.has_min, row, first, columns, lane);
                }
            }
        }
    }
}

void multiply_plain(const PackedView& matrix, const ActivationView& x, float* out,
                    size_t out_stride, PanelRange panels) {
    for (size_t panel = panels.begin; panel < panels.end; ++panel) {
        const uint8_t* data = matrix.data + panel * packed_panel_bytes(matrix.type, matrix.columns);
        const size_t lanes = std::min(panel_rows, matrix.rows - panel * panel_rows);
        for (size_t row = 0; row < x.row_count; ++row) {
            const float* values = x.values + row * matrix.columns;
            for (size_t lane = 0; lane < lanes; ++lane) {
                float total = 0;
                for (size_t begin = 0; begin < matrix.columns; begin += segment_elements) {
                    float segment = 0;
                    const size_t end = std::min(matrix.columns, begin + segment_elements);
                    for (size_t k = begin; k < end; ++k) {
                        const float weight = load_f32(data + 4 * (k * panel_rows + lane));
                        segment = std::fma(weight, values[k], segment);
                    }
                    total += segment;
                }
                out[row * out_stride + panel * panel_rows + lane] = total;
            }
        }
    }
}

void multiply(const PackedView& matrix, const ActivationView& x, float* out, size_t out_stride,
              PanelRange panels) {
    if (code_format(matrix.type).arithmetic == Arithmetic::plain) {
        multiply_plain(matrix, x, out, out_stride, panels);
    } else {
        multiply_quantised(matrix, x, out, out_stride, panels);
    }
}

/// Element `at` of the keys or values of a page, without the scale of Q8_0.
float stored_at(KvType type, const void* data, size_t at) {
    switch (type) {
        case KvType::f32:
            return static_cast<const float*>(data)[at];
        case KvType::f16:
            return f16_to_f32(static_cast<const uint16_t*>(data)[at]);
        case KvType::q8_0:
            break;
    }
    return static_cast<float>(static_cast<const int8_t*>(data)[at]);
}

void score_page(const KvPageView& page, size_t head_dim, const float* const* queries,
                size_t query_count, float* scores, size_t score_stride) {
    for (size_t i = 0; i < query_count; ++i) {
        for (size_t t = 0; t < page_positions; ++t) {
            float sum = 0;
            for (size_t begin = 0; begin < head_dim; begin += block_elements) {
                // Only Q8_0 cuts the chain: it has a scale for each block of dimensions.
                const bool scaled = page.type == KvType::q8_0;
                float chain = scaled ? 0 : sum;
                for (size_t d = begin; d < std::min(head_dim, begin + block_elements); ++d) {
                    chain =
                        std::fma(queries[i][d],
                                 stored_at(page.type, page.keys, d * page_positions + t), chain);
                }
                sum = scaled
                          ? std::fma(chain,
                                     page.key_scales[begin / block_elements * page_positions + t],
                                     sum)
                          : chain;
            }
            scores[i * score_stride + t] = sum;
        }
    }
}

void accumulate_page(const KvPageView& page, size_t head_dim, size_t count, const float* weights,
                     size_t weight_stride, size_t query_count, float* sums) {
    const size_t blocks = (head_dim + block_elements - 1) / block_elements;
    for (size_t i = 0; i < query_count; ++i) {
        for (size_t t = 0; t < count; ++t) {
            for (size_t d = 0; d < head_dim; ++d) {
                float weight = weights[i * weight_stride + t];
                if (page.type == KvType::q8_0)
                    weight *= page.value_scales[t * blocks + d / block_elements];
                float& sum = sums[i * head_dim + d];
                sum = std::fma(weight, stored_at(page.type, page.values, t * head_dim + d), sum);
            }
        }
    }
}

}  // namespace

const KernelSet& scalar_kernels() {
    static constexpr KernelSet set = {"scalar", multiply, score_page, accumulate_page};
    return set;
}

}  // namespace teetee::tensor
