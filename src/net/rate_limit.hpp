// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "base/world.hpp"

namespace teetee::net {

/// So many at once, and one more in each interval.
struct Rate {
    uint32_t burst = 1;
    Duration interval{};
};

/// A token bucket: full at first, refilled by one token an interval.
class TokenBucket {
  public:
    /// False, and nothing is taken, where it is empty. `now` MUST not go back.
    bool take(Instant now, const Rate& rate);
    /// A bucket that is full again is as good as a new one.
    Instant full_at() const { return full_at_; }

  private:
    Instant full_at_{};
};

/// A bucket for each source of connections (Stream::source). Memory is bounded: where one source
/// too many comes, the one that is nearest to full is forgotten, which gains it the least.
class SourceLimiter {
  public:
    SourceLimiter(Rate rate, size_t count_max) : rate_(rate), count_max_(count_max) {}

    bool admit(const std::string& source, Instant now);
    size_t source_count() const { return buckets_.size(); }

  private:
    Rate rate_;
    size_t count_max_;
    std::map<std::string, TokenBucket> buckets_;
};

}  // namespace teetee::net
