// SPDX-License-Identifier: Apache-2.0
#include "net/rate_limit.hpp"

#include <algorithm>

namespace teetee::net {

bool SourceLimiter::admit(const std::string& source, Instant now) {
    if (!buckets_.contains(source) && buckets_.size() >= count_max_) {
        buckets_.erase(std::min_element(
            buckets_.begin(), buckets_.end(),
            [](const auto& a, const auto& b) { return a.second.full_at() < b.second.full_at(); }));
    }
    return buckets_[source].take(now, rate_);
}

}  // namespace teetee::net
