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
    const Duration life = std::chrono::seconds(options_.lifetime_s);
    const Duration left = time_left();
    backoff_ = options_.backoff_min;
    attempt_timer_ = world_.loop.call_after(
        with_jitter(std::max(left - life / 2, Duration{}), world_.rng), [this] { attempt(); });
    ending_timer_ = world_.loop.call_after(left - life / 10, [this] { options_.on_ending(); });
}

void Renewal::attempt() {
    attest::Statement next = identity_.statement;
    // A clock that was set back must not make the next statement the older one.
    next.not_before = std::max(next.not_before, world_.clock.unix_now());
    next.not_after = next.not_before + options_.lifetime_s;
    world_.quotes.quote(attest::report_data(attest::encode_statement(next), std::nullopt),
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
