// SPDX-License-Identifier: Apache-2.0
#include "client/entries.hpp"

#include <algorithm>

#include "client/entry_list.hpp"
#include "client/limits.hpp"

namespace teetee::client {
namespace {

/// How old what is known of other entries may be when it is needed.
constexpr Duration list_age_max = std::chrono::minutes(1);
/// How long one that could not be verified is not learned again.
constexpr Duration dropped_for = std::chrono::minutes(1);

}  // namespace

Entries::Entries(Options options) : options_(std::move(options)), urls_(options_.urls) {
    if (!urls_.empty()) preferred_ = urls_.front();
}

std::vector<std::string> Entries::urls() const {
    const std::lock_guard lock(mutex_);
    return urls_;
}

std::string Entries::preferred() const {
    const std::lock_guard lock(mutex_);
    return preferred_;
}

void Entries::prefer(const std::string& url) {
    const std::lock_guard lock(mutex_);
    preferred_ = url;
}

Entries::Place& Entries::place_of(const std::string& url) {
    const std::lock_guard lock(mutex_);
    auto& place = places_[url];
    if (!place) place = std::make_unique<Place>();
    return *place;
}

bool Entries::is_good(const std::shared_ptr<const Opened>& opened) const {
    return opened && SystemClock().now() - opened->verified < options_.verified_for;
}

std::shared_ptr<const Entries::Opened> Entries::known(const std::string& url) const {
    const std::lock_guard lock(mutex_);
    const auto place = places_.find(url);
    return place != places_.end() && is_good(place->second->opened) ? place->second->opened
                                                                    : nullptr;
}

Result<std::shared_ptr<const Entries::Opened>> Entries::open(const std::string& url) {
    if (auto opened = known(url)) return opened;
    Place& place = place_of(url);
    const Instant asked = SystemClock().now();
    const std::lock_guard verifying(place.verifying);
    // While it was waited for, somebody else has found out.
    if (auto opened = known(url)) return opened;
    if (place.error && place.failed > asked) return *place.error;
    auto entry = open_patiently(url, options_.silence_max);
    auto route = entry ? entry->verify_route() : entry.error();
    if (!route) {
        place.failed = SystemClock().now();
        place.error = route.error();
        drop(url);
        return route.error();
    }
    place.error.reset();
    const SystemClock clock;
    auto opened = std::make_shared<const Opened>(
        Opened{std::move(entry).value(), *route, clock.unix_now(), clock.now()});
    const std::lock_guard lock(mutex_);
    place.opened = opened;
    if (dropped_.erase(url) > 0 && std::ranges::count(urls_, url) == 0) urls_.push_back(url);
    return opened;
}

bool Entries::is_named(const std::string& url) const {
    return std::ranges::count(options_.urls, url) > 0;
}

/// One that was learned and is none, or is gone: it is not to be waited for again and again.
void Entries::drop(const std::string& url) {
    if (is_named(url)) return;
    const std::lock_guard lock(mutex_);
    const Instant now = SystemClock().now();
    std::erase(urls_, url);
    std::erase_if(dropped_, [now](const auto& one) { return now - one.second >= dropped_for; });
    dropped_[url] = now;
}

void Entries::forget(const std::shared_ptr<const Opened>& opened) {
    if (!opened) return;
    const std::lock_guard lock(mutex_);
    const auto place = places_.find(opened->entry.url());
    if (place != places_.end() && place->second->opened == opened) place->second->opened.reset();
}

void Entries::learn(const VerifiedEntry& entry) {
    {
        const std::lock_guard lock(mutex_);
        const Instant now = SystemClock().now();
        if (learned_at_ != Instant{} && now < learned_at_ + list_age_max) return;
        learned_at_ = now;
    }
    std::string body;
    const auto answer = entry.get("/v1/entries", [&](std::string_view chunk) {
        body += chunk;
        return body.size() <= entry_list_bytes_max;
    });
    const auto listed = parse_entry_list(body);
    const std::lock_guard lock(mutex_);
    if (!answer || answer->status != 200 || !listed) {
        // Another one may know.
        learned_at_ = {};
        return;
    }
    for (const ListedEntry& one : *listed) {
        const bool needs_tls = options_.privacy == Privacy::attested_tls || one.api_url.empty();
        const std::string& url = needs_tls ? one.api_tls_url : one.api_url;
        const auto dropped = dropped_.find(url);
        if (dropped != dropped_.end() && SystemClock().now() - dropped->second < dropped_for)
            continue;
        if (!url.empty() && urls_.size() < entries_max && std::ranges::count(urls_, url) == 0)
            urls_.push_back(url);
    }
}

Result<VerifiedEntry> Entries::open_patiently(const std::string& url, Duration silence_max) const {
    return VerifiedEntry::open({.url = url,
                                .privacy = options_.privacy,
                                .terms = options_.terms,
                                .silence_max = silence_max});
}

}  // namespace teetee::client
