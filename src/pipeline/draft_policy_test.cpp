// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "pipeline/drafter.hpp"

namespace teetee::pipeline {
namespace {

/// Times of `base` and `slope` seconds a row or token.
RowCost cost(double base, double slope) {
    RowCost cost;
    for (const size_t count : {1u, 4u, 2u, 9u, 3u})
        cost.add(count, base + slope * static_cast<double>(count));
    return cost;
}

/// After so many drafts of four tokens, the first `right` of which were right.
DraftPolicy taught(size_t right, int drafts = 40) {
    DraftPolicy policy;
    for (int i = 0; i < drafts; ++i) policy.learn(4, right);
    return policy;
}

size_t choose(DraftPolicy policy, const RowCost& pass, const RowCost& draft,
              double rate_without = 1) {
    return policy.choose(16, {pass, draft, rate_without});
}

TEST(draft_policy, asks_for_more_where_passes_are_long) {
    const RowCost draft = cost(0, 0.002);
    const size_t near = choose(taught(4), cost(0.004, 0.0001), draft);
    const size_t far = choose(taught(4), cost(0.100, 0.0001), draft);
    EXPECT_GT(near, 0u);
    EXPECT_LT(near, far);
    EXPECT_EQ(choose(taught(4), cost(0.001, 0.0001), draft), 0u);
}

TEST(draft_policy, asks_for_less_where_the_model_is_often_wrong) {
    const RowCost pass = cost(0.050, 0.0005);
    const RowCost draft = cost(0, 0.002);
    EXPECT_EQ(choose(taught(0), pass, draft), 0u);
    EXPECT_EQ(choose(taught(1), pass, draft), 1u);
    EXPECT_EQ(choose(taught(2), pass, draft), 2u);
    EXPECT_GT(choose(taught(4), pass, draft), 4u);
}

TEST(draft_policy, asks_only_where_the_text_says_less) {
    const RowCost pass = cost(0.050, 0.0005);
    const RowCost draft = cost(0, 0.002);
    EXPECT_GT(choose(taught(2), pass, draft, 1.5), 0u);
    EXPECT_EQ(choose(taught(2), pass, draft, 3.5), 0u);
}

TEST(draft_policy, is_careful_as_long_as_nothing_was_timed) {
    EXPECT_EQ(choose({}, RowCost(), RowCost()), 0u);
    const size_t count = choose({}, cost(0.050, 0.0005), RowCost());
    EXPECT_GT(count, 0u);
    EXPECT_LE(count, 4u);
    EXPECT_EQ(DraftPolicy().choose(0, {cost(0.050, 0.0005), RowCost()}), 0u);
}

TEST(draft_policy, tries_again_for_a_small_share_of_the_time) {
    const RowCost pass = cost(0.010, 0.0001);
    const RowCost draft = cost(0, 0.020);
    DraftPolicy policy = taught(0);
    size_t trials = 0;
    for (int i = 0; i < 1000; ++i) trials += policy.choose(16, {pass, draft, 1});
    // 10 s of passes; each trial takes 20 ms, of which 50 times as many pass between two.
    EXPECT_GE(trials, 8u);
    EXPECT_LE(trials, 10u);
}

}  // namespace
}  // namespace teetee::pipeline
