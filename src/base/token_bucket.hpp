// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/world.hpp"

namespace teetee {

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

}  // namespace teetee
