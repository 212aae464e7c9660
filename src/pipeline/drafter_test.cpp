// SPDX-License-Identifier: Apache-2.0
#include "pipeline/drafter.hpp"

#include <random>

#include <gtest/gtest.h>

namespace teetee::pipeline {
namespace {

Drafter drafter_of(const std::vector<TokenId>& text) {
    Drafter drafter;
    for (const TokenId token : text) drafter.push(token);
    return drafter;
}

/// Free guesses: as many as there may be.
std::vector<TokenId> guesses(const Drafter& drafter, size_t count) {
    return drafter.draft(count, 0.0).tokens;
}

TEST(drafter, guesses_what_followed_the_longest_match) {
    // "1 2 3" stood before 4 5, "3" alone before 9 as well, and later.
    const Drafter drafter = drafter_of({1, 2, 3, 4, 5, 7, 3, 9, 8, 1, 2, 3});
    EXPECT_EQ(guesses(drafter, 3), (std::vector<TokenId>{4, 5, 7}));
    EXPECT_EQ(drafter.draft(3, 0.0).match, 3u);
}

TEST(drafter, prefers_the_later_of_two_equal_matches) {
    EXPECT_EQ(guesses(drafter_of({1, 2, 3, 7, 1, 2, 4, 8, 1, 2}), 2), (std::vector<TokenId>{4, 8}));
}

TEST(drafter, says_nothing_about_what_is_new) {
    EXPECT_TRUE(guesses(drafter_of({}), 4).empty());
    EXPECT_TRUE(guesses(drafter_of({1}), 4).empty());
    EXPECT_TRUE(guesses(drafter_of({1, 2, 3, 4}), 4).empty());
}

TEST(drafter, a_text_that_repeats_itself_goes_on_so) {
    EXPECT_EQ(guesses(drafter_of({5, 6, 5, 6, 5}), 5), (std::vector<TokenId>{6, 5, 6, 5, 6}));
    EXPECT_EQ(guesses(drafter_of({4, 4}), 3), (std::vector<TokenId>{4, 4, 4}));
}

TEST(drafter, guesses_less_where_rows_cost_more) {
    std::vector<TokenId> text;
    for (int round = 0; round < 2; ++round) {
        for (TokenId token = 1; token <= 20; ++token) text.push_back(token);
    }
    const Drafter drafter = drafter_of(text);
    const size_t dear = drafter.draft(16, 0.9).tokens.size();
    const size_t fair = drafter.draft(16, 0.2).tokens.size();
    const size_t cheap = drafter.draft(16, 0.02).tokens.size();
    EXPECT_LT(dear, fair);
    EXPECT_LT(fair, cheap);
    EXPECT_LE(cheap, 16u);
}

TEST(drafter, learns_from_what_came) {
    std::vector<TokenId> text = {1, 2, 3, 4, 5, 6, 7, 8, 1};
    Drafter trusted = drafter_of(text);
    Drafter distrusted = drafter_of(text);
    const size_t before = trusted.draft(16, 0.3).tokens.size();
    for (int i = 0; i < 40; ++i) {
        trusted.learn({.tokens = {2, 3, 4, 5, 6, 7, 8}, .match = 1}, 7);
        distrusted.learn({.tokens = {2, 3, 4, 5, 6, 7, 8}, .match = 1}, 0);
    }
    EXPECT_GT(trusted.draft(16, 0.3).tokens.size(), before);
    EXPECT_TRUE(distrusted.draft(16, 0.3).tokens.empty());
}

// The cost of a guess is bounded: a text of one token has the most places to look at.
TEST(drafter, finds_a_match_in_any_text) {
    std::mt19937 random(7);
    for (int round = 0; round < 200; ++round) {
        Drafter drafter;
        const auto kinds = static_cast<TokenId>(1 + random() % 6);
        for (int i = 0; i < 100; ++i) {
            drafter.push(static_cast<TokenId>(random() % kinds));
            const auto draft = drafter.draft(8, 0.05);
            EXPECT_LE(draft.tokens.size(), 8u);
            for (const TokenId token : draft.tokens) EXPECT_LT(token, kinds);
        }
    }
}

TEST(row_cost, is_the_slope_of_time_over_rows) {
    RowCost cost;
    for (const size_t rows : {1u, 4u, 2u, 9u, 1u, 3u})
        cost.add(rows, 0.010 + 0.002 * static_cast<double>(rows));
    EXPECT_NEAR(cost.share(), 0.002 / 0.012, 1e-6);
    EXPECT_NEAR(cost.seconds(5), 0.020, 1e-6);
}

TEST(row_cost, is_within_bounds_whatever_the_times) {
    EXPECT_EQ(RowCost().share(), 0.02) << "nothing is known: worth a try";
    EXPECT_EQ(RowCost().seconds(5), 0.0);
    RowCost same;
    for (int i = 0; i < 5; ++i) same.add(1, 0.01);
    EXPECT_EQ(same.share(), 0.02);
    EXPECT_NEAR(same.seconds(5), 0.01, 1e-9);
    RowCost falling;
    falling.add(1, 0.05);
    falling.add(10, 0.01);
    EXPECT_EQ(falling.share(), 0.02);
    RowCost steep;
    steep.add(2, 0.001);
    steep.add(10, 1.0);
    EXPECT_EQ(steep.share(), 1.0);
}

}  // namespace
}  // namespace teetee::pipeline
