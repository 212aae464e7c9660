// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "model/checkpoint.hpp"
#include "model/hf_tensors.hpp"

namespace teetee::model {

/// A tensor of a checkpoint as rows of floats, after its transformation. A vector is a column: rows
/// of one element.
class ImportRows {
  public:
    /// head_count: of the rows that are permuted. Errors: tensor_type_unsupported for elements
    /// other than F32, F16 and BF16; tensor_shape_wrong.
    static Result<ImportRows> build(const Checkpoint::Tensor& tensor, HfTransform transform,
                                    uint32_t head_count);

    uint64_t row_count() const { return row_count_; }
    uint64_t column_count() const { return column_count_; }
    bool is_vector() const { return tensor_->description.dimensions.size() == 1; }
    SafetensorsType type() const { return tensor_->description.type; }

    /// values: column_count() of them.
    void read(uint64_t row, std::span<float> values) const;

  private:
    float element(uint64_t index) const;

    const Checkpoint::Tensor* tensor_ = nullptr;
    HfTransform transform_ = HfTransform::none;
    uint64_t head_rows_ = 0;
    uint64_t row_count_ = 0;
    uint64_t column_count_ = 0;
};

}  // namespace teetee::model
