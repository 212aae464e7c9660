// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "base/result.hpp"
#include "base/world.hpp"
#include "net/http_message.hpp"

namespace teetee::hub {

/// Why a try has failed.
struct Failure {
    Error error{};
    /// Another try may end otherwise.
    bool is_passing = false;
    /// How long the server asked to wait.
    std::optional<Duration> wish{};
};

/// A status that is no answer. Errors: rate_limited for 429, else hub_unavailable where it may pass
/// and hub_refused where not.
Failure failure_of_status(int status, const net::HttpHeaders& headers, UnixSeconds now);
/// Of net::http_fetch.
Failure failure_of_error(Error error);

struct RetryOptions {
    /// In a row, without a byte coming between them.
    size_t tries_max = 5;
    Duration pause_first = std::chrono::seconds(1);
    /// The longest wait that a server may ask for.
    Duration wish_max = std::chrono::minutes(5);
};

/// How long to wait before what failed is tried again: as long as the server asks, else twice as
/// long each time. Pure but for the randomness.
class Retry {
  public:
    Retry(RetryOptions options, Rng& rng) : options_(options), rng_(rng) { restart(); }

    /// Something went well in the meantime.
    void restart();
    /// Error: the failure's own where it will not pass; rate_limited where the server asks for too
    /// long a wait; rate_limited or hub_unavailable after too many tries.
    Result<Duration> pause_after(const Failure& failure);

  private:
    RetryOptions options_;
    Rng& rng_;
    size_t tries_ = 0;
    Duration pause_{};
};

}  // namespace teetee::hub
