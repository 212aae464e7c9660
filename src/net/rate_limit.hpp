// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "base/token_bucket.hpp"

namespace teetee::net {

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
