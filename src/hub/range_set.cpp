// SPDX-License-Identifier: Apache-2.0
#include "hub/range_set.hpp"

#include <algorithm>

namespace teetee::hub {

void RangeSet::add(ByteRange range) {
    if (range.begin >= range.end) return;
    auto at = ranges_.upper_bound(range.begin);
    if (at != ranges_.begin() && std::prev(at)->second >= range.begin) --at;
    while (at != ranges_.end() && at->first <= range.end) {
        range.begin = std::min(range.begin, at->first);
        range.end = std::max(range.end, at->second);
        at = ranges_.erase(at);
    }
    ranges_.emplace_hint(at, range.begin, range.end);
}

uint64_t RangeSet::bytes() const {
    uint64_t sum = 0;
    for (const auto& [begin, end] : ranges_) sum += end - begin;
    return sum;
}

std::vector<ByteRange> RangeSet::ranges() const {
    std::vector<ByteRange> out;
    for (const auto& [begin, end] : ranges_) out.push_back({begin, end});
    return out;
}

std::vector<ByteRange> RangeSet::gaps(uint64_t end, uint64_t piece_bytes_max) const {
    std::vector<ByteRange> out;
    const auto add_gap = [&](uint64_t from, uint64_t to) {
        while (from < to) {
            const uint64_t piece = std::min(piece_bytes_max, to - from);
            out.push_back({from, from + piece});
            from += piece;
        }
    };
    uint64_t at = 0;
    for (const auto& [begin, range_end] : ranges_) {
        add_gap(at, std::min(begin, end));
        at = range_end;
    }
    add_gap(at, end);
    return out;
}

}  // namespace teetee::hub
