// SPDX-License-Identifier: Apache-2.0
#include "node/renewal.hpp"

#include <algorithm>

#include "base/jitter.hpp"

namespace teetee::node {

Renewal::Renewal(const World& world, Identity& identity, Options options)
    : world_(world), identity_(identity), options_(std::move(options)) {
    begin_life();
}

void Renewal::begin_life() {
    backoff_ = options_.backoff_min;
    is_due_ = false;
    const Duration life = std::chrono::seconds(options_.lifetime_s);
    const Duration left = time_left();
    const Duration until_due = with_jitter(std::max(left - life / 2, Duration{}), world_.rng);
    due_left_ = left - until_due;
    ending_left_ = life / 10;
    due_at_ = world_.clock.now() + until_due;
    ending_at_ = world_.clock.now() + left - ending_left_;
    keep_time();
}

void Renewal::keep_time() {
    // Timers know nothing of a clock that is set ahead, or of a machine that was suspended. What
    // peers think of a clock that is set back is not known: nothing is put off.
    const Instant now = world_.clock.now();
    due_at_ = std::min(due_at_, now + time_left() - due_left_);
    ending_at_ = std::min(ending_at_, now + time_left() - ending_left_);
    ending_timer_ = world_.loop.call_at(ending_at_, [this] { options_.on_ending(); });
    if (!is_due_) {
        attempt_timer_ = world_.loop.call_at(due_at_, [this] {
            is_due_ = true;
            attempt();
        });
    }
    watch_timer_ = world_.loop.call_after(options_.watch_interval, [this] { keep_time(); });
}

void Renewal::attempt() {
    attest::Statement next = identity_.statement;
    // A clock that was set back must not make the next statement the older one.
    next.not_before =
        std::max(next.not_before, statement_begin(world_.clock.unix_now(), options_.lifetime_s));
    next.not_after = next.not_before + options_.lifetime_s;
    world_.quotes.quote(attest::report_data(attest::encode_statement(next), std::nullopt),
                        QuoteThread::Use::node,
                        [this, next, alive = std::weak_ptr(alive_)](Result<Bytes> quote) {
                            if (!alive.expired()) finish(next, std::move(quote));
                        });
}

void Renewal::finish(const attest::Statement& next, Result<Bytes> quote) {
    if (!quote) return retry(quote.error());
    if (auto adopted = adopt_evidence(identity_, next, std::move(quote).value()); !adopted) {
        return retry(adopted.error());
    }
    world_.log.info("statement renewed for " + std::to_string(options_.lifetime_s) + " s");
    begin_life();
    options_.on_renewed();
}

void Renewal::retry(const Error& error) {
    const auto in_seconds = [](Duration time) {
        return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) +
               " s";
    };
    world_.log.warn("statement not renewed: " + error.message() + "; it ends in " +
                    in_seconds(time_left()) + ", next try in " + in_seconds(backoff_));
    attempt_timer_ = world_.loop.call_after(backoff_, [this] { attempt(); });
    backoff_ = std::min(2 * backoff_, options_.backoff_max);
}

Duration Renewal::time_left() const {
    return std::chrono::seconds(identity_.statement.not_after - world_.clock.unix_now());
}

}  // namespace teetee::node
