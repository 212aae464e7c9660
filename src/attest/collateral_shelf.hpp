// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "attest/collateral_source.hpp"
#include "base/world.hpp"

namespace teetee::attest {

/// Something that an operator should know in time.
struct CollateralNotice {
    PlatformId platform;
    UnixSeconds expires = 0;
    bool expired = false;
    /// Why nothing newer has come; empty where nobody has tried.
    std::string last_failure;
};

/// Collateral by platform, which platforms to ask about next and when, and what to tell: the state
/// of a cache without its files, connections and threads.
///
/// Documents are asked for again after a day, since any may revoke something, and every hour from
/// the time that a quarter of their life or a week is left; after a failure in half a minute, and
/// then in twice as long each time up to an hour. All of it with jitter.
class CollateralShelf {
  public:
    struct Options {
        /// Peers choose platforms: those beyond are not taken on.
        size_t platforms_max = 64;
        /// Between two fetches, of whichever platforms.
        UnixSeconds fetch_pause_s = 5;
    };

    /// The generator MUST outlive this.
    CollateralShelf(Options options, Rng& rng) : options_(options), rng_(rng) {}

    /// Null where there is none that is in date.
    std::shared_ptr<const VerifiedCollateral> find(const PlatformId& platform,
                                                   UnixSeconds now) const;
    /// See CollateralSource.
    uint64_t version() const { return version_; }

    enum class Put { taken, known };
    /// What was verified at `now`; `content` tells one set of documents from another. No part of it
    /// may be older, by date or evaluation number, than what is held, be that in date or not: who
    /// can choose what arrives must not be able to bring back a judgement of before.
    /// Errors: those of platform_of; collateral_too_old; limit_exceeded (platforms).
    Result<Put> put(VerifiedCollateral collateral, const Digest& content, UnixSeconds now);

    /// Puts a platform on the list of those to be fetched. False where there are too many.
    bool want(const PlatformId& platform, UnixSeconds now);
    /// Whose fetch is due, for the longest time first.
    std::optional<PlatformId> next_due(UnixSeconds now) const;
    /// When the next will be due; none where nothing is wanted.
    std::optional<UnixSeconds> next_due_at() const;
    /// What came of a fetch; a successful one has been put before.
    void on_fetched(const PlatformId& platform, UnixSeconds now);
    void on_failed(const PlatformId& platform, const Error& error, UnixSeconds now);

    /// What is to be told now: once a day for a platform, from seven days ahead. What has run out
    /// since the last call counts in version().
    std::vector<CollateralNotice> take_notices(UnixSeconds now);

  private:
    struct Entry {
        std::shared_ptr<const VerifiedCollateral> held;
        Digest content{};
        bool has_expired = false;
        UnixSeconds fetch_at = 0;
        uint32_t failures = 0;
        std::string last_failure;
        UnixSeconds notice_at = 0;
    };

    Entry* make_entry(const PlatformId& platform);
    /// When to ask again about documents that have come or been confirmed.
    UnixSeconds plan_fetch(const VerifiedCollateral& held, UnixSeconds now);
    UnixSeconds after(UnixSeconds seconds, UnixSeconds now);

    Options options_;
    Rng& rng_;
    std::map<PlatformId, Entry> entries_;
    UnixSeconds paused_until_ = 0;
    uint64_t version_ = 1;
};

}  // namespace teetee::attest
