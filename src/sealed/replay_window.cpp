// SPDX-License-Identifier: Apache-2.0
#include "sealed/replay_window.hpp"

#include <algorithm>

namespace teetee::sealed {

Result<void> ReplayWindow::admit(const crypto::X25519PublicKey& encapsulated_key,
                                 const Arrival& arrival) {
    latest_ = std::max(latest_, arrival.now);
    // What arrived then was sent at most request_time_off_s_max later, so it is stale by now.
    while (!by_arrival_.empty() &&
           by_arrival_.front().arrived < latest_ - 2 * request_time_off_s_max) {
        seen_.erase(by_arrival_.front().key);
        by_arrival_.pop_front();
    }
    if (arrival.sent_at < latest_ - request_time_off_s_max ||
        arrival.sent_at > latest_ + request_time_off_s_max) {
        return fail(
            ErrorCode::sealed_stale,
            "the request says another time than the entry's, which is " + std::to_string(latest_));
    }
    if (seen_.contains(encapsulated_key))
        return fail(ErrorCode::sealed_replayed, "this very request has been here before");
    if (seen_.size() >= remembered_max_)
        return fail(ErrorCode::overloaded, "too many sealed requests within a few minutes");
    seen_.insert(encapsulated_key);
    by_arrival_.push_back({latest_, encapsulated_key});
    return {};
}

}  // namespace teetee::sealed
