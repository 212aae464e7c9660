// SPDX-License-Identifier: Apache-2.0
#include "base/token_bucket.hpp"

#include <algorithm>

namespace teetee {

bool TokenBucket::take(Instant now, const Rate& rate) {
    const Instant full_at = std::max(full_at_, now) + rate.interval;
    if (full_at - now > rate.burst * rate.interval) return false;
    full_at_ = full_at;
    return true;
}

}  // namespace teetee
