// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "tensor/data_type.hpp"
#include "tensor/kernels.hpp"
#include "tensor/thread_pool.hpp"

namespace teetee::tensor {

/// Weights of a matrix (rows, columns) as a GGUF file stores them: row after row of blocks.
struct MatrixView {
    DataType type{};
    size_t rows = 0;
    size_t columns = 0;
    ByteView data;
};

/// values[0, columns) = row `row` of the matrix, each element as its block's formula gives it.
void dequantise_row(const MatrixView& matrix, size_t row, float* values);

/// Activations of a batch in the form a matrix type is multiplied with: plain for F32 and F16,
/// 8-bit blocks of 32 for quantised weights. Made once and used for every matrix of the same kind
/// that reads the same input.
class Activations {
  public:
    /// values: (row_count, columns). Keeps a view of `values`.
    void assign(const float* values, size_t row_count, size_t columns, ThreadPool& pool);

    /// Quantises on first use.
    const ActivationView& as(DataType weight_type);

  private:
    void quantise();

    ActivationView view_{};
    size_t columns_ = 0;
    ThreadPool* pool_ = nullptr;
    bool quantised_ = false;
    std::vector<int8_t> quants_;
    std::vector<float> scales_;
    std::vector<int32_t> block_sums_;
};

/// A matrix repacked for the kernels. Rows stand in panels of 16, padded with zero rows. Within a
/// panel, F32 and F16 are stored column after column (columns, 16); Q8_0 and Q4_0 block after
/// block: the 16 scales (F16), then the quants in groups of four bytes a row, (groups, 16, 4),
/// where a group is four consecutive bytes of the row's block in the file. The size is the file's,
/// plus padding.
class PackedMatrix {
  public:
    PackedMatrix() = default;
    PackedMatrix(const MatrixView& matrix, ThreadPool& pool);

    DataType type() const { return type_; }
    size_t rows() const { return view_.rows; }
    size_t columns() const { return view_.columns; }
    size_t bytes() const { return data_.size(); }
    bool empty() const { return data_.empty(); }

    /// out: (activation rows, rows()), dense.
    void multiply(Activations& activations, float* out, const KernelSet& kernels,
                  ThreadPool& pool) const;

  private:
    DataType type_{};
    PackedView view_{};
    std::vector<uint8_t> data_;
};

}  // namespace teetee::tensor
