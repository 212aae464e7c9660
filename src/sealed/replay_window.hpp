// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <set>

#include "base/world.hpp"
#include "crypto/x25519.hpp"
#include "sealed/limits.hpp"

namespace teetee::sealed {

/// Lets each sealed request through once. A request says inside when it was sent; what is further
/// than request_time_off_s_max from now is refused as stale, and everything else is remembered
/// until it would be. Keys of a process are its own, so nothing needs to outlive it.
class ReplayWindow {
  public:
    explicit ReplayWindow(size_t remembered_max = remembered_requests_max)
        : remembered_max_(remembered_max) {}

    struct Arrival {
        UnixSeconds sent_at = 0;
        UnixSeconds now = 0;
    };
    /// A clock that goes back stands still here: what has been forgotten stays stale.
    /// Errors: sealed_stale, with the entry's time; sealed_replayed; overloaded while there is no
    /// room to remember it.
    Result<void> admit(const crypto::X25519PublicKey& encapsulated_key, const Arrival& arrival);

    size_t remembered_count() const { return seen_.size(); }

  private:
    struct Seen {
        UnixSeconds arrived = 0;
        crypto::X25519PublicKey key{};
    };
    size_t remembered_max_;
    UnixSeconds latest_ = 0;
    std::deque<Seen> by_arrival_;
    std::set<crypto::X25519PublicKey> seen_;
};

}  // namespace teetee::sealed
