// SPDX-License-Identifier: Apache-2.0
#include "api/kept_answer.hpp"

#include <algorithm>

namespace teetee::api {
namespace {

constexpr Duration interval_min = std::chrono::seconds(1);
constexpr int64_t share = 50;

}  // namespace

bool MakingPace::is_due(Instant now) const {
    return !began_ || now - *began_ >= std::max(interval_min, share * spent_);
}

void MakingPace::begin(Instant now) {
    began_ = now;
    spent_ = {};
}

SharedText KeptAnswer::get(const std::function<std::string()>& make) {
    const Instant now = clock_.now();
    if (!pace_.is_due(now)) return text_;
    pace_.begin(now);
    text_ = std::make_shared<const std::string>(make());
    pace_.spend(clock_.now() - now);
    return text_;
}

}  // namespace teetee::api
