// SPDX-License-Identifier: Apache-2.0
#include "tensor/quantise.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "tensor/pack.hpp"

namespace teetee::tensor {
namespace {

std::vector<float> wave(size_t count) {
    std::vector<float> values;
    for (size_t i = 0; i < count; ++i)
        values.push_back(std::sin(static_cast<float>(i * i) * 0.37F) * (i % 5 == 0 ? 3.0F : 0.4F));
    return values;
}

std::vector<float> round_trip(DataType type, const std::vector<float>& row) {
    const BlockLayout layout = block_layout(type);
    Bytes bytes(row.size() / layout.elements * layout.bytes);
    EXPECT_TRUE(encode_row(type, row, bytes.data()));
    std::vector<float> values(row.size());
    dequantise_row({type, 1, row.size(), bytes}, 0, values.data());
    return values;
}

TEST(quantise, stays_within_half_a_step_of_each_block) {
    const std::vector<float> row = wave(256);
    const std::pair<DataType, float> steps[] = {{DataType::q8_0, 127},
                                                {DataType::q4_0, 8},
                                                {DataType::q4_1, 7.5F},
                                                {DataType::q5_0, 16},
                                                {DataType::q5_1, 15.5F}};
    for (const auto& [type, levels] : steps) {
        const std::vector<float> values = round_trip(type, row);
        for (size_t i = 0; i < row.size(); ++i) {
            // The far end of a signed range has one level less.
            EXPECT_LE(std::fabs(values[i] - row[i]), 3.0F / levels * 1.02F)
                << to_string(type) << " " << i;
        }
    }
}

TEST(quantise, keeps_what_a_type_can_hold) {
    std::vector<float> row;
    for (int i = 0; i < 32; ++i) row.push_back(static_cast<float>(i % 16 - 8) * 0.5F);
    for (const DataType type :
         {DataType::f32, DataType::f16, DataType::bf16, DataType::q4_0, DataType::q5_0})
        EXPECT_EQ(round_trip(type, row), row) << to_string(type);
    const std::vector<float> zeros(32);
    for (const DataType type :
         {DataType::q8_0, DataType::q4_0, DataType::q4_1, DataType::q5_0, DataType::q5_1})
        EXPECT_EQ(round_trip(type, zeros), zeros) << to_string(type);
}

TEST(quantise, writes_the_bytes_of_ggmls_reference) {
    // One block each of the values -16 .. 15, through ggml's quantize_row_*_ref by hand.
    std::vector<float> row;
    for (int i = 0; i < 32; ++i) row.push_back(static_cast<float>(i - 16));
    Bytes q4(18);
    ASSERT_TRUE(encode_row(DataType::q4_0, row, q4.data()));
    EXPECT_EQ(to_hex(q4), "0040809191a2a2b3b3c4c4d5d5e6e6f7f7f8");
    Bytes q5(24);
    ASSERT_TRUE(encode_row(DataType::q5_1, row, q5.data()));
    EXPECT_EQ(to_hex(q5), "003c00cc0000ffff00112233445566778899aabbccddeeff");
    Bytes q8(34);
    ASSERT_TRUE(encode_row(DataType::q8_0, row, q8.data()));
    EXPECT_EQ(static_cast<int8_t>(q8[2]), -127);
    EXPECT_EQ(static_cast<int8_t>(q8[2 + 16]), 0);
    EXPECT_EQ(static_cast<int8_t>(q8[2 + 31]), 119);
}

TEST(quantise, refuses_what_is_not_finite_or_too_large) {
    std::vector<float> row(32, 1.0F);
    Bytes bytes(256);
    for (const float bad :
         {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
        row[3] = bad;
        for (const DataType type : {DataType::f32, DataType::bf16, DataType::f16, DataType::q4_1})
            EXPECT_FALSE(encode_row(type, row, bytes.data())) << to_string(type);
    }
    row[3] = 70000.0F;
    EXPECT_FALSE(encode_row(DataType::f16, row, bytes.data()));
    EXPECT_TRUE(encode_row(DataType::bf16, row, bytes.data()));
}

}  // namespace
}  // namespace teetee::tensor
