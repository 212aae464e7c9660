// SPDX-License-Identifier: Apache-2.0
#include "tensor/data_type.hpp"

#include "base/assert.hpp"

namespace teetee::tensor {
namespace {

struct Row {
    DataType type;
    BlockLayout layout;
    std::string_view name;
};

constexpr Row rows[] = {
    {DataType::f32, {1, 4}, "F32"},
    {DataType::f16, {1, 2}, "F16"},
    {DataType::q4_0, {32, 18}, "Q4_0"},
    {DataType::q4_1, {32, 20}, "Q4_1"},
    {DataType::q5_0, {32, 22}, "Q5_0"},
    {DataType::q5_1, {32, 24}, "Q5_1"},
    {DataType::q8_0, {32, 34}, "Q8_0"},
    {DataType::q8_1, {32, 36}, "Q8_1"},
    {DataType::q2_k, {256, 84}, "Q2_K"},
    {DataType::q3_k, {256, 110}, "Q3_K"},
    {DataType::q4_k, {256, 144}, "Q4_K"},
    {DataType::q5_k, {256, 176}, "Q5_K"},
    {DataType::q6_k, {256, 210}, "Q6_K"},
    {DataType::q8_k, {256, 292}, "Q8_K"},
    {DataType::iq2_xxs, {256, 66}, "IQ2_XXS"},
    {DataType::iq2_xs, {256, 74}, "IQ2_XS"},
    {DataType::iq3_xxs, {256, 98}, "IQ3_XXS"},
    {DataType::iq1_s, {256, 50}, "IQ1_S"},
    {DataType::iq4_nl, {32, 18}, "IQ4_NL"},
    {DataType::iq3_s, {256, 110}, "IQ3_S"},
    {DataType::iq2_s, {256, 82}, "IQ2_S"},
    {DataType::iq4_xs, {256, 136}, "IQ4_XS"},
    {DataType::i8, {1, 1}, "I8"},
    {DataType::i16, {1, 2}, "I16"},
    {DataType::i32, {1, 4}, "I32"},
    {DataType::i64, {1, 8}, "I64"},
    {DataType::f64, {1, 8}, "F64"},
    {DataType::iq1_m, {256, 56}, "IQ1_M"},
    {DataType::bf16, {1, 2}, "BF16"},
};

const Row& row_of(DataType type) {
    for (const Row& row : rows) {
        if (row.type == type) return row;
    }
    assertion_failed("a data type without a row", __FILE__, __LINE__);
    return rows[0];
}

}  // namespace

std::optional<DataType> data_type_from(uint32_t gguf_number) {
    for (const Row& row : rows) {
        if (static_cast<uint32_t>(row.type) == gguf_number) return row.type;
    }
    return std::nullopt;
}

BlockLayout block_layout(DataType type) {
    return row_of(type).layout;
}
std::string_view to_string(DataType type) {
    return row_of(type).name;
}

bool is_computable(DataType type) {
    switch (type) {
        case DataType::f32:
        case DataType::f16:
        case DataType::bf16:
        case DataType::q8_0:
        case DataType::q4_0:
        case DataType::q4_1:
        case DataType::q5_0:
        case DataType::q5_1:
        case DataType::q2_k:
        case DataType::q3_k:
        case DataType::q4_k:
        case DataType::q5_k:
        case DataType::q6_k:
            return true;
        default:
            return false;
    }
}

}  // namespace teetee::tensor
