// SPDX-License-Identifier: Apache-2.0
#include "pipeline/fair_queue.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace teetee::pipeline {

void FairQueue::push(const RequestId& request, const Tenant& tenant) {
    Line& line = lines_[tenant];
    if (line.waiting.empty()) line.tag = std::max(line.tag, clock_);
    line.waiting.push_back({next_arrival_++, request});
    ++size_;
}

FairQueue::Lines::const_iterator FairQueue::next() const {
    auto best = lines_.end();
    for (auto line = lines_.begin(); line != lines_.end(); ++line) {
        if (line->second.waiting.empty()) continue;
        const auto rank = [](const Line& of) {
            return std::pair(of.tag, of.waiting.front().arrival);
        };
        if (best == lines_.end() || rank(line->second) < rank(best->second)) best = line;
    }
    return best;
}

const RequestId& FairQueue::front() const {
    TT_ASSERT(!empty());
    return returned_.empty() ? next()->second.waiting.front().request : returned_.front();
}

void FairQueue::pop(uint64_t cost) {
    TT_ASSERT(!empty());
    if (!returned_.empty()) return returned_.pop_front();
    Line& line = lines_.at(next()->first);
    const auto waiting = static_cast<uint64_t>(std::ranges::count_if(
        lines_, [](const auto& each) { return !each.second.waiting.empty(); }));
    clock_ = std::max(clock_, line.tag);
    line.tag += cost;
    line.waiting.pop_front();
    --size_;
    // No further than this tenant's tag: newcomers are not to wait for more than it was served.
    clock_ = std::max(clock_, std::min(clock_ + (cost + waiting - 1) / waiting, line.tag));
    if (const auto least = next(); least != lines_.end())
        clock_ = std::max(clock_, least->second.tag);
    forget_idle();
}

void FairQueue::erase(const RequestId& request) {
    std::erase(returned_, request);
    for (auto& [tenant, line] : lines_) {
        size_ -= std::erase_if(line.waiting,
                               [&](const Waiting& each) { return each.request == request; });
    }
    forget_idle();
}

/// What would be theirs if they came back is what newcomers get.
void FairQueue::forget_idle() {
    std::erase_if(lines_, [&](const auto& each) {
        return each.second.waiting.empty() && each.second.tag <= clock_;
    });
}

size_t FairQueue::waiting_count(const Tenant& tenant) const {
    const auto found = lines_.find(tenant);
    return found == lines_.end() ? 0 : found->second.waiting.size();
}

std::vector<RequestId> FairQueue::requests() const {
    std::vector<RequestId> out = waiting();
    out.insert(out.begin(), returned_.begin(), returned_.end());
    return out;
}

std::vector<RequestId> FairQueue::waiting() const {
    std::vector<RequestId> out;
    for (const auto& [tenant, line] : lines_) {
        for (const Waiting& each : line.waiting) out.push_back(each.request);
    }
    return out;
}

}  // namespace teetee::pipeline
