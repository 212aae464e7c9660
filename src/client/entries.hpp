// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "client/verified_entry.hpp"

namespace teetee::client {

/// The entries of a network that are known, and what was verified of them; for any number of
/// clients, from any thread.
class Entries {
  public:
    struct Options {
        /// To begin with, at least one, the one to be asked first in front; the others are learned
        /// from them.
        std::vector<std::string> urls;
        Privacy privacy{};
        std::shared_ptr<const Terms> terms;
        /// As in EntryOptions.
        Duration silence_max = EntryOptions{}.silence_max;
        /// How long a route that was verified counts as that.
        Duration verified_for = std::chrono::hours(24 * 365);
    };
    /// An entry whose route has been verified. It does not change.
    struct Opened {
        VerifiedEntry entry;
        VerifiedEntry::Route route;
        UnixSeconds verified_at = 0;
        /// By the clock of verified_for.
        Instant verified{};
    };

    explicit Entries(Options options);

    /// Those that were named, and those that were learned and could be verified, or were not tried.
    std::vector<std::string> urls() const;
    /// By the options, and not learned from another entry.
    bool is_named(const std::string& url) const;
    /// The one that answered last; at first the one in front.
    std::string preferred() const;
    void prefer(const std::string& url);

    /// As it was verified, or verifies it: once, however many wait for it. Errors: of
    /// VerifiedEntry::open and verify_route.
    Result<std::shared_ptr<const Opened>> open(const std::string& url);
    /// It is to be verified anew, unless that has been done since. `opened` may be null.
    void forget(const std::shared_ptr<const Opened>& opened);
    /// What is known of an entry; null where it is to be verified before it is asked.
    std::shared_ptr<const Opened> known(const std::string& url) const;

    /// Asks for other entries, where that was not done for a while. Nothing fails by it.
    void learn(const VerifiedEntry& entry);
    /// For a call that may take longer; its route is not verified yet. Errors: of
    /// VerifiedEntry::open.
    Result<VerifiedEntry> open_patiently(const std::string& url, Duration silence_max) const;

  private:
    struct Place {
        /// Held while it is being verified.
        std::mutex verifying;
        std::shared_ptr<const Opened> opened;
        /// When it was not to be verified, and why.
        Instant failed{};
        std::optional<Error> error;
    };
    Place& place_of(const std::string& url);
    void drop(const std::string& url);
    bool is_good(const std::shared_ptr<const Opened>& opened) const;

    const Options options_;
    /// Of what follows; never held while an entry is asked.
    mutable std::mutex mutex_;
    std::vector<std::string> urls_;
    std::string preferred_;
    std::map<std::string, Instant> dropped_;
    std::map<std::string, std::unique_ptr<Place>> places_;
    Instant learned_at_{};
};

}  // namespace teetee::client
