// SPDX-License-Identifier: Apache-2.0
#include "hub/range_set.hpp"

#include <gtest/gtest.h>

namespace teetee::hub {
namespace {

using Ranges = std::vector<ByteRange>;

TEST(range_set, joins_what_touches) {
    RangeSet set;
    set.add({10, 20});
    set.add({30, 40});
    set.add({5, 5});
    EXPECT_EQ(set.ranges(), (Ranges{{10, 20}, {30, 40}}));
    set.add({20, 25});
    set.add({0, 1});
    EXPECT_EQ(set.ranges(), (Ranges{{0, 1}, {10, 25}, {30, 40}}));
    set.add({12, 32});
    EXPECT_EQ(set.ranges(), (Ranges{{0, 1}, {10, 40}}));
    set.add({0, 100});
    EXPECT_EQ(set.ranges(), (Ranges{{0, 100}}));
    EXPECT_EQ(set.bytes(), 100u);
}

TEST(range_set, gaps_are_cut_into_pieces) {
    RangeSet set;
    EXPECT_EQ(set.gaps(10, 4), (Ranges{{0, 4}, {4, 8}, {8, 10}}));
    set.add({2, 3});
    set.add({9, 12});
    EXPECT_EQ(set.gaps(10, 100), (Ranges{{0, 2}, {3, 9}}));
    EXPECT_EQ(set.gaps(14, 4), (Ranges{{0, 2}, {3, 7}, {7, 9}, {12, 14}}));
    set.add({0, 14});
    EXPECT_TRUE(set.gaps(14, 4).empty());
    EXPECT_TRUE(RangeSet().gaps(0, 4).empty());
}

TEST(range_set, is_the_same_as_a_set_of_bytes) {
    RangeSet set;
    std::vector<bool> plain(64);
    uint32_t random = 7;
    const auto draw = [&] { return (random = random * 1664525 + 1013904223) >> 26; };
    for (int i = 0; i < 200; ++i) {
        if (i % 20 == 0) {
            set.clear();
            plain.assign(64, false);
        }
        const uint64_t begin = draw();
        const uint64_t end = std::min<uint64_t>(64, begin + draw() / 8);
        set.add({begin, end});
        for (uint64_t at = begin; at < end; ++at) plain[at] = true;
        std::vector<bool> covered(64);
        for (const auto& range : set.ranges())
            for (uint64_t at = range.begin; at < range.end; ++at) covered[at] = true;
        ASSERT_EQ(covered, plain);
        for (const auto& gap : set.gaps(64, 5))
            for (uint64_t at = gap.begin; at < gap.end; ++at) {
                ASSERT_FALSE(covered[at]);
                covered[at] = true;
            }
        ASSERT_EQ(covered, std::vector<bool>(64, true));
    }
}

}  // namespace
}  // namespace teetee::hub
