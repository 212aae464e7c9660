// SPDX-License-Identifier: Apache-2.0
#include "base/histogram.hpp"

#include <gtest/gtest.h>

namespace teetee {
namespace {

TEST(histogram, a_value_is_in_the_first_bucket_whose_bound_it_does_not_exceed) {
    static constexpr std::array<double, 3> bounds = {1, 2, 5};
    Histogram histogram(bounds);
    for (const double value : {0.0, 1.0, 1.5, 2.0, 5.0, 5.1, 100.0}) histogram.add(value);
    EXPECT_EQ(histogram.counts(), (std::vector<uint64_t>{2, 2, 1, 2}));
    EXPECT_EQ(histogram.count(), 7u);
    EXPECT_DOUBLE_EQ(histogram.sum(), 114.6);
}

TEST(histogram, takes_durations_in_seconds) {
    Histogram histogram(seconds_buckets);
    histogram.add(std::chrono::milliseconds(1500));
    EXPECT_DOUBLE_EQ(histogram.sum(), 1.5);
}

}  // namespace
}  // namespace teetee
