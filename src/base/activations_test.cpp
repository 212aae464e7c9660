// SPDX-License-Identifier: Apache-2.0
#include "base/activations.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace teetee {
namespace {

Bytes bytes_of(const std::vector<float>& values) {
    Bytes out(4 * values.size());
    std::memcpy(out.data(), values.data(), out.size());
    return out;
}

std::vector<float> floats_of(const Bytes& bytes) {
    std::vector<float> out(bytes.size() / 4);
    std::memcpy(out.data(), bytes.data(), bytes.size());
    return out;
}

std::vector<float> there_and_back(std::vector<float> values, size_t width,
                                  ActivationFormat format) {
    round_rows(values, width, format);
    return values;
}

TEST(activations, golden_encodings) {
    const Bytes row = bytes_of({1.0F, -0.5F, 127.0F, 0.0F});
    EXPECT_EQ(encode_rows(row, 4, ActivationFormat::f32), row);
    EXPECT_EQ(to_hex(encode_rows(row, 4, ActivationFormat::f16)), "003c00b8f0570000");
    // Scale 1; -0.5 is half way between two numbers, and goes to the even one.
    EXPECT_EQ(to_hex(encode_rows(row, 4, ActivationFormat::q8)), "0000803f01007f00");
    const Bytes three_halves = bytes_of({1.5F, 127.0F});
    EXPECT_EQ(to_hex(encode_rows(three_halves, 2, ActivationFormat::q8)), "0000803f027f");
}

TEST(activations, a_block_has_a_scale_of_its_own_and_a_row_ends_its_last_one) {
    std::vector<float> values(2 * 40, 1.0F);
    values[3] = 1000.0F;
    const Bytes encoded = encode_rows(bytes_of(values), 40, ActivationFormat::q8);
    ASSERT_EQ(encoded.size(), 2 * (40 + 2 * 4u));
    EXPECT_EQ(encoded.size(), 2 * row_bytes(ActivationFormat::q8, 40));
    const auto back = floats_of(decode_rows(encoded, 40, ActivationFormat::q8));
    EXPECT_EQ(back[0], 0.0F) << "beside a large one";
    EXPECT_NEAR(back[3], 1000.0F, 1e-3);
    EXPECT_NEAR(back[32], 1.0F, 1e-6) << "another block";
    EXPECT_NEAR(back[40], 1.0F, 1e-6) << "another row";
}

TEST(activations, errors_are_bounded) {
    std::vector<float> values;
    for (int i = 0; i < 96; ++i) values.push_back(std::sin(static_cast<float>(i)) * 7.0F);
    const auto f16 = there_and_back(values, 96, ActivationFormat::f16);
    const auto q8 = there_and_back(values, 96, ActivationFormat::q8);
    for (size_t i = 0; i < values.size(); ++i) {
        EXPECT_LE(std::fabs(f16[i] - values[i]), std::fabs(values[i]) / 2048) << i;
        EXPECT_LE(std::fabs(q8[i] - values[i]), 7.0F / 254 * 1.001F) << i;
    }
}

TEST(activations, every_row_can_be_encoded) {
    constexpr float infinite = std::numeric_limits<float>::infinity();
    constexpr float tiny = std::numeric_limits<float>::denorm_min();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> strange = {nan, infinite, -infinite, tiny};
    const auto f16 = there_and_back(strange, 4, ActivationFormat::f16);
    EXPECT_EQ(f16, (std::vector<float>{0.0F, 65504.0F, -65504.0F, 0.0F}));
    for (const float value : there_and_back(strange, 4, ActivationFormat::q8))
        EXPECT_TRUE(std::isfinite(value));
    EXPECT_EQ(there_and_back({tiny, -tiny, 0.0F}, 3, ActivationFormat::q8),
              std::vector<float>(3, 0.0F));
    const auto small = there_and_back({200 * tiny, -200 * tiny}, 2, ActivationFormat::q8);
    EXPECT_EQ(small[0], -small[1]);
}

TEST(activations, names) {
    for (const auto format : {ActivationFormat::f32, ActivationFormat::f16, ActivationFormat::q8})
        EXPECT_EQ(activation_format_named(to_string(format)), format);
    EXPECT_EQ(activation_format_named("F32"), std::nullopt);
    EXPECT_EQ(activation_format_named(""), std::nullopt);
}

}  // namespace
}  // namespace teetee
