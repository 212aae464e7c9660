// SPDX-License-Identifier: Apache-2.0
#include "tensor/matrix.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/assert.hpp"
#include "tensor/float16.hpp"

namespace teetee::tensor {
namespace {

float scale_at(const uint8_t* p) {
    return f16_to_f32(static_cast<uint16_t>(p[0] | p[1] << 8));
}

size_t row_bytes(const MatrixView& matrix) {
    const BlockLayout layout = block_layout(matrix.type);
    return matrix.columns / layout.elements * layout.bytes;
}

/// Interleaves one panel. `unit` bytes of each row stand together: an element of F32 or F16, the
/// scale or a group of four bytes of a quantised block.
void pack_panel(const MatrixView& matrix, size_t panel, uint8_t* out) {
    const BlockLayout layout = block_layout(matrix.type);
    const bool quantised = layout.elements > 1;
    const size_t stride = row_bytes(matrix);
    const size_t lanes = std::min(panel_rows, matrix.rows - panel * panel_rows);
    const uint8_t* first = matrix.data.data() + panel * panel_rows * stride;
    for (size_t block = 0; block < stride; block += layout.bytes) {
        size_t at = 0;
        while (at < layout.bytes) {
            const size_t unit = !quantised ? layout.bytes : (at == 0 ? 2 : 4);
            for (size_t lane = 0; lane < lanes; ++lane) {
                std::memcpy(out + lane * unit, first + lane * stride + block + at, unit);
            }
            out += panel_rows * unit;
            at += unit;
        }
    }
}

/// Shared by all kernels, so that it needs no second version: x = scale * quant, |quant| <= 127,
/// rounding half to even; what is not a finite number becomes 0 or the largest quant.
void quantise_block(const float* values, int8_t* quants, float& scale, int32_t& sum) {
    float largest = 0;
    for (size_t i = 0; i < block_elements; ++i) {
        const float magnitude = std::fabs(values[i]);
        largest = magnitude > largest ? magnitude : largest;
    }
    scale = largest / 127.0F;
    const float inverse = largest > 0 ? 127.0F / largest : 0.0F;
    sum = 0;
    for (size_t i = 0; i < block_elements; ++i) {
        // Adding and taking away 1.5 * 2^23 rounds to an integer, half to even.
        constexpr float shift = 0x1.8p23F;
        const float scaled = values[i] * inverse;
        const float bounded = scaled > 127.0F ? 127.0F : (scaled < -127.0F ? -127.0F : scaled);
        const float rounded = (bounded + shift) - shift;
        const int32_t quant = rounded == rounded ? static_cast<int32_t>(rounded) : 0;
        quants[i] = static_cast<int8_t>(quant);
        sum += quant;
    }
}

}  // namespace

void dequantise_row(const MatrixView& matrix, size_t row, float* values) {
    TT_ASSERT(row < matrix.rows);
    const uint8_t* data = matrix.data.data() + row * row_bytes(matrix);
    switch (matrix.type) {
        case DataType::f32:
            std::memcpy(values, data, 4 * matrix.columns);
            return;
        case DataType::f16:
            for (size_t k = 0; k < matrix.columns; ++k) values[k] = scale_at(data + 2 * k);
            return;
        case DataType::q8_0:
            for (size_t b = 0; b < matrix.columns / block_elements; ++b, data += 34) {
                const float scale = scale_at(data);
                for (size_t i = 0; i < block_elements; ++i) {
                    *values++ = static_cast<float>(std::bit_cast<int8_t>(data[2 + i])) * scale;
                }
            }
            return;
        case DataType::q4_0:
            for (size_t b = 0; b < matrix.columns / block_elements; ++b, data += 18) {
                const float scale = scale_at(data);
                for (size_t i = 0; i < block_elements; ++i) {
                    const uint8_t pair = data[2 + i % 16];
                    const int quant = (i < 16 ? pair & 15 : pair >> 4) - 8;
                    *values++ = static_cast<float>(quant) * scale;
                }
            }
            return;
        default:
            assertion_failed("a type that cannot be computed with", __FILE__, __LINE__);
    }
}

void Activations::assign(const float* values, size_t row_count, size_t columns, ThreadPool& pool) {
    view_ = {values, nullptr, nullptr, nullptr, row_count};
    columns_ = columns;
    pool_ = &pool;
    quantised_ = false;
}

const ActivationView& Activations::as(DataType weight_type) {
    if (block_layout(weight_type).elements > 1 && !quantised_) quantise();
    return view_;
}

void Activations::quantise() {
    const size_t block_count = columns_ / block_elements;
    const size_t total = view_.row_count * block_count;
    if (quants_.size() < total * block_elements) {
        quants_.resize(total * block_elements);
        scales_.resize(total);
        block_sums_.resize(total);
    }
    // Rows are whole blocks here, so blocks can be walked as if they were one long row.
    pool_->run(total, [&](size_t begin, size_t end) {
        for (size_t b = begin; b < end; ++b) {
            quantise_block(view_.values + b * block_elements, quants_.data() + b * block_elements,
                           scales_[b], block_sums_[b]);
        }
    });
    view_.quants = quants_.data();
    view_.scales = scales_.data();
    view_.block_sums = block_sums_.data();
    quantised_ = true;
}

PackedMatrix::PackedMatrix(const MatrixView& matrix, ThreadPool& pool) : type_(matrix.type) {
    TT_ASSERT(is_computable(matrix.type) &&
              matrix.columns % block_layout(matrix.type).elements == 0);
    TT_ASSERT(matrix.data.size() == matrix.rows * row_bytes(matrix));
    const size_t panel_count = (matrix.rows + panel_rows - 1) / panel_rows;
    const size_t panel_bytes = panel_rows * row_bytes(matrix);
    data_.resize(panel_count * panel_bytes);
    pool.run(panel_count, [&](size_t begin, size_t end) {
        for (size_t p = begin; p < end; ++p) pack_panel(matrix, p, data_.data() + p * panel_bytes);
    });
    view_ = {data_.data(), matrix.rows, matrix.columns, panel_bytes};
}

void PackedMatrix::multiply(Activations& activations, float* out, const KernelSet& kernels,
                            ThreadPool& pool) const {
    const ActivationView& x = activations.as(type_);
    const MultiplyFn multiply_panels = kernels.multiply(type_);
    // data_ may have moved with the object since the view was made.
    PackedView view = view_;
    view.data = data_.data();
    pool.run((view_.rows + panel_rows - 1) / panel_rows, [&](size_t begin, size_t end) {
        multiply_panels(view, x, out, view_.rows, {begin, end});
    });
}

}  // namespace teetee::tensor
