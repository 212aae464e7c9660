// SPDX-License-Identifier: Apache-2.0
#include "tensor/matrix.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace teetee::tensor {
namespace {

size_t panel_count(const PackedMatrix& matrix) {
    return (matrix.rows() + panel_rows - 1) / panel_rows;
}

}  // namespace

PackedMatrix::PackedMatrix(DataType file_type, MatrixShape shape)
    : type_(packed_type(file_type, shape.columns)),
      rows_(shape.rows),
      columns_(shape.columns),
      data_(packed_bytes(file_type, shape.rows, shape.columns)) {
    TT_ASSERT(is_computable(file_type) && shape.columns % block_layout(file_type).elements == 0);
}

PackedMatrix::PackedMatrix(const MatrixView& matrix, ThreadPool& pool)
    : PackedMatrix(matrix.type, {matrix.rows, matrix.columns}) {
    TT_ASSERT(matrix.data.size() == matrix.rows * row_bytes(matrix));
    const size_t panel_bytes = packed_panel_bytes(type_, columns_);
    pool.run(panel_count(*this), [&](size_t begin, size_t end) {
        const size_t first = begin * panel_rows;
        MatrixView part = matrix;
        part.rows = std::min(rows_, end * panel_rows) - first;
        part.data = matrix.data.subspan(first * row_bytes(matrix), part.rows * row_bytes(matrix));
        pack_matrix(part, data_.data() + begin * panel_bytes);
    });
}

void PackedMatrix::dequantise_row(size_t row, float* values) const {
    TT_ASSERT(row < rows_);
    dequantise_packed_row({type_, columns_, row}, data_.data(), values);
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
