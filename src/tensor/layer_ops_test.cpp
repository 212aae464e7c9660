// SPDX-License-Identifier: Apache-2.0
#include "tensor/layer_ops.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace teetee::tensor {
namespace {

TEST(layer_ops, tanh_is_within_three_units_of_the_truth) {
    std::vector<float> xs;
    for (float x = -12.0F; x <= 12.0F; x += 0.00123F) xs.push_back(x);
    for (const float x : {1e-30F, 1e-6F, 0.6249999F, 0.625F, 50.0F, 1e30F, INFINITY})
        xs.insert(xs.end(), {x, -x});
    std::vector<float> values = xs;
    tanh_f32(values.data(), values.size());
    for (size_t i = 0; i < xs.size(); ++i) {
        const double truth = std::tanh(static_cast<double>(xs[i]));
        const auto nearest = static_cast<float>(truth);
        const double unit = std::nextafter(std::fabs(nearest), INFINITY) - std::fabs(nearest);
        ASSERT_LE(std::fabs(values[i] - truth), 3.0 * unit) << xs[i];
    }
    float nan = NAN;
    tanh_f32(&nan, 1);
    EXPECT_TRUE(std::isnan(nan));
}

TEST(layer_ops, gelu_agrees_with_its_formula) {
    std::vector<float> xs;
    for (float x = -9.0F; x <= 9.0F; x += 0.011F) xs.push_back(x);
    std::vector<float> values = xs;
    std::vector<float> gated = xs;
    const std::vector<float> up(xs.size(), 1.5F);
    gelu(values.data(), values.size());
    gelu_multiply(gated.data(), up.data(), gated.size());
    for (size_t i = 0; i < xs.size(); ++i) {
        const double x = xs[i];
        const double truth =
            0.5 * x * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
        ASSERT_NEAR(values[i], truth, 1e-6 * (1 + std::fabs(x))) << x;
        ASSERT_EQ(gated[i], values[i] * 1.5F);
    }
    float extremes[] = {1e30F, -1e30F};
    gelu(extremes, 2);
    EXPECT_EQ(extremes[0], 1e30F);
    EXPECT_EQ(extremes[1], 0.0F);
}

TEST(layer_ops, layer_norm_and_soft_cap_agree_with_their_formulas) {
    std::vector<float> values, weight, bias;
    for (int i = 0; i < 37; ++i) {
        values.push_back(static_cast<float>((i * i) % 11) + 2.0F);
        weight.push_back(0.5F + static_cast<float>(i) / 37.0F);
        bias.push_back(static_cast<float>(i % 3) - 1.0F);
    }
    double mean = 0, variance = 0;
    for (const float v : values) mean += v / 37.0;
    for (const float v : values) variance += (v - mean) * (v - mean) / 37.0;
    std::vector<float> out(37);
    layer_norm(values.data(), weight, bias, 1e-5F, out.data());
    for (size_t i = 0; i < 37; ++i) {
        const double truth = (values[i] - mean) / std::sqrt(variance + 1e-5) * weight[i] +
                             static_cast<double>(bias[i]);
        ASSERT_NEAR(out[i], truth, 2e-6);
    }
    std::vector<float> capped = values;
    soft_cap(capped.data(), capped.size(), 5.0F);
    for (size_t i = 0; i < 37; ++i) ASSERT_NEAR(capped[i], 5 * std::tanh(values[i] / 5.0), 2e-6);
}

TEST(layer_ops, halves_turn_together) {
    float head[] = {1, 2, 3, 4, 5};
    const float quarter_and_none[] = {0, 1, 1, 0};
    rotate_halves(head, quarter_and_none);
    const float turned[] = {-3, 2, 1, 4, 5};
    for (int i = 0; i < 5; ++i) EXPECT_EQ(head[i], turned[i]);
}

}  // namespace
}  // namespace teetee::tensor
