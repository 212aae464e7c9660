// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace teetee::tensor {

/// Element types with the numbers GGUF gives them (ggml_type). A type listed here has a known
/// layout, so its byte size can be checked; whether it can be computed with is another question
/// (see is_computable).
enum class DataType : uint32_t {
    f32 = 0,
    f16 = 1,
    q4_0 = 2,
    q4_1 = 3,
    q5_0 = 6,
    q5_1 = 7,
    q8_0 = 8,
    q8_1 = 9,
    q2_k = 10,
    q3_k = 11,
    q4_k = 12,
    q5_k = 13,
    q6_k = 14,
    q8_k = 15,
    iq2_xxs = 16,
    iq2_xs = 17,
    iq3_xxs = 18,
    iq1_s = 19,
    iq4_nl = 20,
    iq3_s = 21,
    iq2_s = 22,
    iq4_xs = 23,
    i8 = 24,
    i16 = 25,
    i32 = 26,
    i64 = 27,
    f64 = 28,
    iq1_m = 29,
    bf16 = 30,
};

/// A row is a whole number of blocks: `elements` values stored in `bytes` bytes.
struct BlockLayout {
    uint32_t elements;
    uint32_t bytes;
};

/// Empty for a number that names no type, or one that was removed from the format.
std::optional<DataType> data_type_from(uint32_t gguf_number);
BlockLayout block_layout(DataType type);
std::string_view to_string(DataType type);

/// True for the types the kernels multiply with.
bool is_computable(DataType type);

}  // namespace teetee::tensor
