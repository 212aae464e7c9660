// SPDX-License-Identifier: Apache-2.0
#include "model/sampler.hpp"

#include <cmath>
#include <map>
#include <vector>

#include <gtest/gtest.h>

namespace teetee::model {
namespace {

TEST(sampler, greedy_takes_the_largest_and_the_first_of_equals) {
    EXPECT_EQ(argmax(std::vector<float>{1, 3, 3, 2}), 1u);
    EXPECT_EQ(argmax(std::vector<float>{NAN, -INFINITY, 1, NAN}), 2u);
    EXPECT_EQ(sample(std::vector<float>{1, 3, 3, 2}, {.temperature = 0}, 5), 1u);
    EXPECT_EQ(sample(std::vector<float>{1, 2, 9}, {.temperature = 2, .top_k = 1}, 5), 2u);
}

TEST(sampler, is_a_function_of_seed_and_position) {
    const std::vector<float> logits = {1, 2, 3, 2.5F};
    const SamplingOptions options = {.temperature = 1, .seed = 42};
    std::vector<TokenId> first, second;
    for (Position p = 0; p < 50; ++p) first.push_back(sample(logits, options, p));
    for (Position p = 50; p-- > 0;) second.insert(second.begin(), sample(logits, options, p));
    EXPECT_EQ(first, second);
    EXPECT_EQ(std::vector<TokenId>(first.begin(), first.begin() + 8),
              (std::vector<TokenId>{2, 0, 3, 2, 3, 2, 2, 3}));
}

TEST(sampler, draws_with_the_softmax_probabilities) {
    const std::vector<float> logits = {0, 1, 2};
    std::map<TokenId, int> counts;
    constexpr int draws = 30000;
    for (int i = 0; i < draws; ++i)
        ++counts[sample(logits, {.temperature = 0.5F, .seed = 7}, static_cast<Position>(i))];
    const double total = std::exp(0.0) + std::exp(2.0) + std::exp(4.0);
    EXPECT_NEAR(counts[0] / double{draws}, std::exp(0.0) / total, 0.01);
    EXPECT_NEAR(counts[1] / double{draws}, std::exp(2.0) / total, 0.01);
    EXPECT_NEAR(counts[2] / double{draws}, std::exp(4.0) / total, 0.01);
}

TEST(sampler, top_k_and_top_p_cut_the_tail) {
    const std::vector<float> logits = {0, 1, 2, 3, -5};
    for (Position p = 0; p < 500; ++p) {
        EXPECT_GE(sample(logits, {.temperature = 5, .top_k = 2, .seed = 1}, p), 2u);
        EXPECT_LE(sample(logits, {.temperature = 5, .top_k = 2, .seed = 1}, p), 3u);
        // The largest has 0.64 of the weight, so half is reached by it alone.
        EXPECT_EQ(sample(logits, {.temperature = 1, .top_p = 0.5F, .seed = 1}, p), 3u);
    }
}

TEST(sampler, survives_logits_that_are_no_numbers) {
    for (const auto& logits :
         {std::vector<float>{NAN, NAN}, std::vector<float>{INFINITY, INFINITY, 1},
          std::vector<float>{-INFINITY, -INFINITY}, std::vector<float>{NAN}}) {
        EXPECT_LT(sample(logits, {.temperature = 1, .top_p = 0.9F, .seed = 3}, 1), logits.size());
    }
}

TEST(sampler, log_sum_exp_is_stable) {
    EXPECT_NEAR(log_sum_exp(std::vector<float>{1000, 1000}), 1000 + std::log(2.0), 1e-9);
    EXPECT_NEAR(log_sum_exp(std::vector<float>{-3, 1, 2.5F}),
                std::log(std::exp(-3.0) + std::exp(1.0) + std::exp(2.5)), 1e-9);
}

}  // namespace
}  // namespace teetee::model
