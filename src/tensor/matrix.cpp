// SPDX-License-Identifier: Apache-2.0
#include "tensor/matrix.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/assert.hpp"

namespace teetee::tensor {
namespace {

size_t panel_count(const PackedMatrix& matrix) {
    return (matrix.rows() + panel_rows - 1) / panel_rows;
}

}  // namespace

PackedMatrix::PackedMatrix(const MatrixView& matrix, ThreadPool& pool)
    : type_(matrix.type), rows_(matrix.rows), columns_(matrix.columns) {
    if (code_format(type_).arithmetic == Arithmetic::fixed && columns_ % block_elements != 0) {
        widen(matrix, pool);
        return;
    }
    TT_ASSERT(is_computable(matrix.type) &&
              matrix.columns % block_layout(matrix.type).elements == 0);
    TT_ASSERT(matrix.data.size() == matrix.rows * row_bytes(matrix));
    const size_t panel_bytes = packed_panel_bytes(type_, columns_);
    data_ = HugeBuffer(panel_count(*this) * panel_bytes);
    pool.run(panel_count(*this), [&](size_t begin, size_t end) {
        for (size_t p = begin; p < end; ++p) pack_panel(matrix, p, data_.data() + p * panel_bytes);
    });
}

/// Halves whose rows are no whole number of blocks are kept as F32, which has no blocks.
void PackedMatrix::widen(const MatrixView& matrix, ThreadPool& pool) {
    Bytes wide(4 * matrix.rows * matrix.columns);
    std::vector<float> row(matrix.columns);
    for (size_t r = 0; r < matrix.rows; ++r) {
        dequantise_row(matrix, r, row.data());
        std::memcpy(wide.data() + 4 * r * matrix.columns, row.data(), 4 * matrix.columns);
    }
    *this = PackedMatrix({DataType::f32, matrix.rows, matrix.columns, wide}, pool);
}

void PackedMatrix::multiply(Activations& activations, float* out, const KernelSet& kernels,
                            ThreadPool& pool) const {
    const Product product{this, out};
    multiply_all({&product, 1}, activations, kernels, pool);
}

void multiply_all(std::span<const Product> products, Activations& activations,
                  const KernelSet& kernels, ThreadPool& pool) {
    size_t total = 0;
    for (const Product& p : products) {
        total += panel_count(*p.matrix);
        activations.as(code_format(p.matrix->type()).arithmetic);
    }
    // Kernels work on up to four panels at a time.
    constexpr size_t grain = 4;
    pool.run(total, grain, [&](size_t begin, size_t end) {
        size_t first = 0;
        for (const Product& p : products) {
            const size_t count = panel_count(*p.matrix);
            const size_t from = std::max(begin, first);
            const size_t to = std::min(end, first + count);
            if (from < to) {
                const ActivationView& x = activations.as(code_format(p.matrix->type()).arithmetic);
                kernels.multiply(p.matrix->view(), x, p.out, p.matrix->rows(),
                                 {from - first, to - first});
            }
            first += count;
        }
    });
}

}  // namespace teetee::tensor
