// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/world.hpp"

namespace teetee {

/// Upper bounds of buckets, rising.
inline constexpr std::array<double, 16> seconds_buckets = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
inline constexpr std::array<double, 10> rows_buckets = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};
inline constexpr std::array<double, 12> rate_buckets = {1,   2,   5,   10,   20,   50,
                                                        100, 200, 500, 1000, 2000, 5000};

/// How often values were in which of some fixed buckets, as Prometheus counts them.
class Histogram {
  public:
    /// The bounds, each of the bucket up to it, MUST outlive the histogram.
    explicit Histogram(std::span<const double> bounds)
        : bounds_(bounds), counts_(bounds.size() + 1) {}

    void add(double value) {
        const auto at = std::ranges::lower_bound(bounds_, value);
        ++counts_[static_cast<size_t>(at - bounds_.begin())];
        sum_ += value;
    }
    void add(Duration value) { add(std::chrono::duration<double>(value).count()); }

    std::span<const double> bounds() const { return bounds_; }
    /// One for each bound, and one for what is above them all.
    const std::vector<uint64_t>& counts() const { return counts_; }
    double sum() const { return sum_; }
    uint64_t count() const {
        uint64_t out = 0;
        for (const uint64_t each : counts_) out += each;
        return out;
    }

  private:
    std::span<const double> bounds_;
    std::vector<uint64_t> counts_;
    double sum_ = 0;
};

}  // namespace teetee
