// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <vector>

#include "hub/headers.hpp"

namespace teetee::hub {

/// Which bytes of a file are there.
class RangeSet {
  public:
    /// Empty ranges are passed over; what touches or overlaps becomes one.
    void add(ByteRange range);
    void clear() { ranges_.clear(); }

    uint64_t bytes() const;
    /// In order, none touching another.
    std::vector<ByteRange> ranges() const;
    /// What is missing before `end`, in order, in pieces of at most piece_bytes_max.
    std::vector<ByteRange> gaps(uint64_t end, uint64_t piece_bytes_max) const;

  private:
    std::map<uint64_t, uint64_t> ranges_;  // begin to end
};

}  // namespace teetee::hub
