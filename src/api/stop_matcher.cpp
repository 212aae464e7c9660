// SPDX-License-Identifier: Apache-2.0
#include "api/stop_matcher.hpp"

#include <algorithm>
#include <utility>

namespace teetee::api {

size_t begun_bytes(std::string_view text, std::string_view mark) {
    for (size_t length = std::min(text.size(), mark.size() - 1); length > 0; --length) {
        if (text.ends_with(mark.substr(0, length))) return length;
    }
    return 0;
}

StopMatcher::Output StopMatcher::feed(std::string_view piece) {
    held_ += piece;
    size_t first = std::string::npos;
    size_t keep = 0;
    for (const std::string& stop : stops_) {
        if (const size_t at = held_.find(stop); at < first) {
            first = at;
            found_ = stop;
        }
        keep = std::max(keep, begun_bytes(held_, stop));
    }
    if (first != std::string::npos) {
        held_.resize(first);
        return {std::exchange(held_, {}), true};
    }
    std::string ready = held_.substr(0, held_.size() - keep);
    held_.erase(0, held_.size() - keep);
    return {std::move(ready), false};
}

std::string StopMatcher::finish() {
    return std::exchange(held_, {});
}

}  // namespace teetee::api
