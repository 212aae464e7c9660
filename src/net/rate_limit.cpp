// SPDX-License-Identifier: Apache-2.0
#include "net/rate_limit.hpp"

#include <algorithm>

namespace teetee::net {

bool TokenBucket::take(Instant now, const Rate& rate) {
    const Instant full_at = std::max(full_at_, now) + rate.interval;
    if (full_at - now > rate.burst * rate.interval) return false;
    full_at_ = full_at;
    return true;
}

bool SourceLimiter::admit(const std::string& source, Instant now) {
    if (!buckets_.contains(source) && buckets_.size() >= count_max_) {
        buckets_.erase(std::min_element(
            buckets_.begin(), buckets_.end(),
            [](const auto& a, const auto& b) { return a.second.full_at() < b.second.full_at(); }));
    }
    return buckets_[source].take(now, rate_);
}

}  // namespace teetee::net
