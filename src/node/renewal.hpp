// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "node/identity.hpp"
#include "node/quote_thread.hpp"

namespace teetee::node {

/// Renews a node's evidence while it runs: at half of its statement's life, or a little sooner, it
/// makes the next statement, the same but for its time, and has it quoted. Where that fails it says
/// so and tries again until the statement ends. Lives on the loop's thread.
class Renewal {
  public:
    struct World {
        net::Loop& loop;
        const Clock& clock;
        Rng& rng;
        Log& log;
        QuoteThread& quotes;
    };
    struct Options {
        UnixSeconds lifetime_s = 0;
        /// Between tries, doubling.
        Duration backoff_min = std::chrono::seconds(1);
        Duration backoff_max = std::chrono::minutes(1);
        /// How often the clock is looked at.
        Duration watch_interval = std::chrono::seconds(30);
        /// The identity has new evidence.
        std::function<void()> on_renewed;
        /// Nine tenths of the statement's life are over: peers will soon refuse it.
        std::function<void()> on_ending;
    };

    /// The references MUST outlive it.
    Renewal(const World& world, Identity& identity, Options options);

  private:
    void begin_life();
    /// Sets the timers by the clock.
    void keep_time();
    void attempt();
    void finish(const attest::Statement& next, Result<Bytes> quote);
    void retry(const Error& error);
    /// Of the statement's life.
    Duration time_left() const;

    World world_;
    Identity& identity_;
    Options options_;
    Duration backoff_{};
    /// When the statement is to be renewed and when it is about to end: what is left of its life
    /// then, and the time that makes.
    Duration due_left_{};
    Duration ending_left_{};
    Instant due_at_{};
    Instant ending_at_{};
    /// Renewing has begun.
    bool is_due_ = false;
    net::Timer attempt_timer_;
    net::Timer ending_timer_;
    net::Timer watch_timer_;
    /// For quotes that come when this is gone.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace teetee::node
