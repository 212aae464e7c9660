// SPDX-License-Identifier: Apache-2.0
#include "net/rate_limit.hpp"

#include <gtest/gtest.h>

namespace teetee::net {
namespace {

using std::chrono::seconds;

constexpr Instant start = std::chrono::hours(3);

size_t take_all(TokenBucket& bucket, Instant now, const Rate& rate) {
    size_t taken = 0;
    while (taken < 1000 && bucket.take(now, rate)) ++taken;
    return taken;
}

TEST(rate_limit, a_bucket_gives_a_burst_and_then_one_an_interval) {
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

TEST(rate_limit, sources_do_not_share_a_bucket) {
    SourceLimiter limiter({.burst = 2, .interval = seconds(1)}, 10);
    EXPECT_TRUE(limiter.admit("192.0.2.1", start));
    EXPECT_TRUE(limiter.admit("192.0.2.1", start));
    EXPECT_FALSE(limiter.admit("192.0.2.1", start));
    EXPECT_TRUE(limiter.admit("192.0.2.2", start));
    EXPECT_TRUE(limiter.admit("192.0.2.1", start + seconds(1)));
}

TEST(rate_limit, many_sources_take_bounded_memory_and_the_busiest_stays_known) {
    SourceLimiter limiter({.burst = 3, .interval = seconds(1)}, 4);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(limiter.admit("flood", start));
    for (int i = 0; i < 1000; ++i) {
        EXPECT_TRUE(limiter.admit("source " + std::to_string(i), start));
        EXPECT_LE(limiter.source_count(), 4u);
    }
    EXPECT_FALSE(limiter.admit("flood", start));
}

}  // namespace
}  // namespace teetee::net
