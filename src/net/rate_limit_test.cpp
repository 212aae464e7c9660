// SPDX-License-Identifier: Apache-2.0
#include "net/rate_limit.hpp"

#include <gtest/gtest.h>

namespace teetee::net {
namespace {

using std::chrono::seconds;

constexpr Instant start = std::chrono::hours(3);

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
