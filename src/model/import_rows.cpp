// SPDX-License-Identifier: Apache-2.0
#include "model/import_rows.hpp"

#include <bit>
#include <utility>

#include "base/float16.hpp"

namespace teetee::model {

Result<ImportRows> ImportRows::build(const Checkpoint::Tensor& tensor, HfTransform transform,
                                     uint32_t head_count) {
    const SafetensorsTensor& description = tensor.description;
    const auto& dimensions = description.dimensions;
    const auto fails = [&](ErrorCode code, std::string_view why) {
        return fail(code, quote_foreign(description.name) + ": " + std::string(why));
    };
    if (description.type != SafetensorsType::f32 && description.type != SafetensorsType::f16 &&
        description.type != SafetensorsType::bf16) {
        return fails(ErrorCode::tensor_type_unsupported, "need F32, F16 or BF16");
    }
    if (dimensions.empty() || dimensions.size() > 2 || description.bytes == 0)
        return fails(ErrorCode::tensor_shape_wrong, "need a vector or a matrix");
    ImportRows rows;
    rows.tensor_ = &tensor;
    rows.transform_ = transform;
    rows.row_count_ = dimensions[0];
    rows.column_count_ = dimensions.size() == 2 ? dimensions[1] : 1;
    if (transform == HfTransform::transpose) {
        if (dimensions.size() != 2) return fails(ErrorCode::tensor_shape_wrong, "need a matrix");
        std::swap(rows.row_count_, rows.column_count_);
    }
    if (transform == HfTransform::permute_query || transform == HfTransform::permute_key) {
        rows.head_rows_ = rows.row_count_ / head_count;
        if (rows.row_count_ % head_count != 0 || rows.head_rows_ % 2 != 0) {
            return fails(ErrorCode::tensor_shape_wrong,
                         "have " + std::to_string(rows.row_count_) + " rows, need " +
                             std::to_string(head_count) + " heads of even length");
        }
    }
    return rows;
}

float ImportRows::element(uint64_t index) const {
    const auto byte = [&](uint64_t i) { return uint32_t{tensor_->data[i]}; };
    if (type() == SafetensorsType::f32) {
        const uint64_t i = 4 * index;
        return std::bit_cast<float>(byte(i) | byte(i + 1) << 8 | byte(i + 2) << 16 |
                                    byte(i + 3) << 24);
    }
    const auto half = static_cast<uint16_t>(byte(2 * index) | byte(2 * index + 1) << 8);
    return type() == SafetensorsType::f16 ? f16_to_f32(half) : bf16_to_f32(half);
}

void ImportRows::read(uint64_t row, std::span<float> values) const {
    uint64_t first = row * column_count_;
    uint64_t stride = 1;
    if (transform_ == HfTransform::transpose) {
        first = row;
        stride = row_count_;
    } else if (head_rows_ != 0) {
        const uint64_t head = row / head_rows_;
        const uint64_t in_head = row % head_rows_;
        const uint64_t source = head * head_rows_ + in_head % 2 * (head_rows_ / 2) + in_head / 2;
        first = source * column_count_;
    }
    for (uint64_t i = 0; i < column_count_; ++i) {
        values[i] = element(first + i * stride);
        if (transform_ == HfTransform::add_one) values[i] += 1.0F;
    }
}

}  // namespace teetee::model
