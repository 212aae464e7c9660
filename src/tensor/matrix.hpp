// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor/activations.hpp"
#include "tensor/huge_buffer.hpp"
#include "tensor/kernels.hpp"
#include "tensor/pack.hpp"
#include "tensor/thread_pool.hpp"

namespace teetee::tensor {

struct MatrixShape {
    size_t rows = 0;
    size_t columns = 0;
};

/// A matrix repacked for the kernels: rows stand in panels of 16, padded with zero rows, in the
/// layout of packed_layout.hpp. The size is the file's, plus padding and a few per cent where a
/// type's scales are unfolded.
class PackedMatrix {
  public:
    PackedMatrix() = default;
    PackedMatrix(const MatrixView& matrix, ThreadPool& pool);
    /// Of zeros, for pack_matrix to fill in pieces through storage().
    PackedMatrix(DataType file_type, MatrixShape shape);

    /// The file's type; F32 where F16 or BF16 rows are no multiple of 32 columns.
    DataType type() const { return type_; }
    size_t rows() const { return rows_; }
    size_t columns() const { return columns_; }
    size_t bytes() const { return data_.size(); }
    bool empty() const { return data_.size() == 0; }
    /// Stays where it is when the matrix is moved.
    std::span<uint8_t> storage() { return {data_.data(), data_.size()}; }
    /// values: columns() elements. Only where packing_keeps_elements.
    void dequantise_row(size_t row, float* values) const;
    PackedView view() const { return {type_, rows_, columns_, data_.data()}; }

    /// out: (activation rows, rows()), dense.
    void multiply(Activations& activations, float* out, const KernelSet& kernels,
                  ThreadPool& pool) const;

  private:
    DataType type_{};
    size_t rows_ = 0;
    size_t columns_ = 0;
    HugeBuffer data_;
};

/// A matrix and where its product goes: (activation rows, matrix->rows()).
struct Product {
    const PackedMatrix* matrix = nullptr;
    float* out = nullptr;
};

/// Several matrices times the same activations, in one parallel loop.
void multiply_all(std::span<const Product> products, Activations& activations,
                  const KernelSet& kernels, ThreadPool& pool);

}  // namespace teetee::tensor
