// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "tensor/data_type.hpp"

namespace teetee::tensor {

/// True for the types that encode_row writes: F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0 and Q5_1.
bool is_encodable(DataType type);

/// Writes a row of weights as GGUF stores it: ggml's reference quantisation (quantize_row_*_ref),
/// the nearest number for F16 and BF16. The row is a whole number of blocks;
/// out: row.size() / block_layout(type).elements * block_layout(type).bytes bytes.
/// False, and `out` undefined, where a value is not finite or too large for an F16.
bool encode_row(DataType type, std::span<const float> row, uint8_t* out);

}  // namespace teetee::tensor
