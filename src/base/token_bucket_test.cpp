// SPDX-License-Identifier: Apache-2.0
#include "base/token_bucket.hpp"

#include <gtest/gtest.h>

namespace teetee {
namespace {

using std::chrono::seconds;

size_t take_all(TokenBucket& bucket, Instant now, const Rate& rate) {
    size_t taken = 0;
    while (taken < 1000 && bucket.take(now, rate)) ++taken;
    return taken;
}

TEST(token_bucket, gives_a_burst_and_then_one_an_interval) {
    constexpr Instant start = std::chrono::hours(3);
    const Rate rate{.burst = 5, .interval = seconds(2)};
    TokenBucket bucket;
    EXPECT_EQ(take_all(bucket, start, rate), 5u);
    EXPECT_FALSE(bucket.take(start + seconds(2) - Duration(1), rate));
    EXPECT_TRUE(bucket.take(start + seconds(2), rate));
    EXPECT_FALSE(bucket.take(start + seconds(3), rate));
    EXPECT_EQ(take_all(bucket, start + seconds(7), rate), 2u);
    // Whatever was not taken for long does not add up to more than a burst.
    EXPECT_EQ(take_all(bucket, start + seconds(1000), rate), 5u);
}

}  // namespace
}  // namespace teetee
