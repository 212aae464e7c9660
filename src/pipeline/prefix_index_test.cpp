// SPDX-License-Identifier: Apache-2.0
#include "pipeline/prefix_index.hpp"

#include <numeric>

#include <gtest/gtest.h>

namespace teetee::pipeline {
namespace {

constexpr Digest ours{1};
constexpr Digest theirs{2};

std::vector<TokenId> tokens(size_t count, TokenId first = 0) {
    std::vector<TokenId> out(count);
    std::iota(out.begin(), out.end(), first);
    return out;
}

bool nothing_is_busy(PrefixId) {
    return false;
}

TEST(prefix_index, finds_the_longest_run_of_whole_pages) {
    PrefixIndex index(4, 100);
    EXPECT_EQ(index.match(ours, tokens(9), 9), PrefixStart{});
    EXPECT_EQ(index.add(ours, tokens(9), 0, 0), (PrefixSpan{0, 100, 0, 2}));
    EXPECT_EQ(index.match(ours, tokens(20), 20), (PrefixStart{101, 8}));
    EXPECT_EQ(index.match(ours, tokens(8), 8), (PrefixStart{101, 8}));
    EXPECT_EQ(index.match(ours, tokens(8), 7), (PrefixStart{100, 4}));
    EXPECT_EQ(index.match(ours, tokens(3), 3), PrefixStart{});
    std::vector<TokenId> other = tokens(9);
    other[7] = 0;
    EXPECT_EQ(index.match(ours, other, 9), (PrefixStart{100, 4}));
    EXPECT_EQ(index.match(ours, tokens(9, 4), 9), PrefixStart{}) << "the same page elsewhere";
    EXPECT_EQ(index.match(theirs, tokens(9), 9), PrefixStart{});
}

TEST(prefix_index, adds_behind_a_known_parent_what_is_not_there) {
    PrefixIndex index(4, 100);
    ASSERT_TRUE(index.add(ours, tokens(8), 0, 0));
    EXPECT_FALSE(index.add(ours, tokens(12), 0, 0)) << "the first page is known";
    EXPECT_FALSE(index.add(ours, tokens(12), 101, 3)) << "no whole page";
    EXPECT_FALSE(index.add(ours, tokens(12), 55, 2)) << "no such parent";
    EXPECT_EQ(index.add(ours, tokens(15), 101, 2), (PrefixSpan{101, 102, 2, 3}));
    EXPECT_EQ(index.match(ours, tokens(15), 15), (PrefixStart{102, 12}));
    EXPECT_EQ(index.add(theirs, tokens(4), 0, 0), (PrefixSpan{0, 103, 0, 1}));
}

TEST(prefix_index, gives_up_the_leaf_used_longest_ago) {
    PrefixIndex index(4, 1);
    ASSERT_TRUE(index.add(ours, tokens(8), 0, 0));          // 1 <- 2
    ASSERT_TRUE(index.add(ours, tokens(8, 50), 0, 0));      // 3 <- 4
    ASSERT_TRUE(index.add(theirs, tokens(4), 0, 0));        // 5
    EXPECT_EQ(index.match(ours, tokens(8), 8).prefix, 2u);  // used last
    EXPECT_EQ(index.evict([](PrefixId id) { return id == 4; }), 5u) << "4 is busy";
    EXPECT_EQ(index.evict(nothing_is_busy), 4u);
    EXPECT_EQ(index.evict(nothing_is_busy), 3u);
    EXPECT_EQ(index.evict(nothing_is_busy), 2u);
    EXPECT_EQ(index.match(ours, tokens(8), 8), (PrefixStart{1, 4}));
    EXPECT_EQ(index.evict(nothing_is_busy), 1u);
    EXPECT_EQ(index.evict(nothing_is_busy), 0u);
    EXPECT_EQ(index.page_count(), 0u);
    EXPECT_EQ(index.add(ours, tokens(8), 0, 0)->first, 6u) << "an id is never used twice";
}

}  // namespace
}  // namespace teetee::pipeline
