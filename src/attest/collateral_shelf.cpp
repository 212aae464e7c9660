// SPDX-License-Identifier: Apache-2.0
#include "attest/collateral_shelf.hpp"

#include <algorithm>
#include <array>

#include "attest/time_text.hpp"
#include "base/jitter.hpp"

namespace teetee::attest {
namespace {

constexpr UnixSeconds hour_s = 3600;
constexpr UnixSeconds day_s = 24 * hour_s;
constexpr UnixSeconds first_retry_s = 30;
constexpr UnixSeconds notice_ahead_s = 7 * day_s;

/// A part of collateral with what tells an older one from a newer one.
struct PartAge {
    std::string_view name;
    UnixSeconds issued = 0;
    /// Lists have none.
    uint32_t evaluation_number = 0;
};

std::array<PartAge, 4> ages_of(const VerifiedCollateral& collateral) {
    const DocumentHead& tcb_info = collateral.tcb_info.head;
    const DocumentHead& qe_identity = collateral.qe_identity.head;
    return {{{"TCB info", tcb_info.validity.not_before, tcb_info.evaluation_number},
             {"QE identity", qe_identity.validity.not_before, qe_identity.evaluation_number},
             {"PCK CRL", collateral.pck_crl.validity.not_before, 0},
             {"root CRL", collateral.root_crl.validity.not_before, 0}}};
}

std::string describe(const PartAge& age) {
    return "evaluation number " + std::to_string(age.evaluation_number) + " of " +
           format_utc(age.issued);
}

Result<void> ensure_not_older(const VerifiedCollateral& offered, const VerifiedCollateral& held) {
    const auto have = ages_of(offered);
    const auto need = ages_of(held);
    for (size_t i = 0; i < have.size(); ++i) {
        if (have[i].issued < need[i].issued ||
            have[i].evaluation_number < need[i].evaluation_number) {
            return fail(ErrorCode::collateral_too_old,
                        std::string(have[i].name) + ": have " + describe(have[i]) +
                            ", need none older than " + describe(need[i]) + " that is held");
        }
    }
    return {};
}

}  // namespace

std::shared_ptr<const VerifiedCollateral> CollateralShelf::find(const PlatformId& platform,
                                                                UnixSeconds now) const {
    const auto found = entries_.find(platform);
    if (found == entries_.end() || found->second.held == nullptr) return nullptr;
    return verify_in_date(*found->second.held, now) ? found->second.held : nullptr;
}

Result<CollateralShelf::Put> CollateralShelf::put(VerifiedCollateral collateral,
                                                  const Digest& content, UnixSeconds now) {
    TT_TRY(const PlatformId platform, platform_of(collateral));
    Entry* const entry = make_entry(platform);
    if (entry == nullptr) {
        return fail(ErrorCode::limit_exceeded, to_string(platform) + ": have collateral of " +
                                                   std::to_string(options_.platforms_max) +
                                                   " platforms, which is the most");
    }
    if (entry->held != nullptr) {
        if (entry->content == content) return Put::known;
        TT_CHECK(ensure_not_older(collateral, *entry->held));
    }
    entry->fetch_at = plan_fetch(collateral, now);
    entry->held = std::make_shared<const VerifiedCollateral>(std::move(collateral));
    entry->content = content;
    entry->has_expired = false;
    entry->failures = 0;
    entry->last_failure.clear();
    entry->notice_at = 0;
    ++version_;
    return Put::taken;
}

bool CollateralShelf::want(const PlatformId& platform, UnixSeconds now) {
    const bool is_new = !entries_.contains(platform);
    Entry* const entry = make_entry(platform);
    if (entry != nullptr && is_new) entry->fetch_at = now;
    return entry != nullptr;
}

CollateralShelf::Entry* CollateralShelf::make_entry(const PlatformId& platform) {
    if (const auto found = entries_.find(platform); found != entries_.end()) return &found->second;
    if (entries_.size() >= options_.platforms_max) {
        // One for which nothing has come makes room, the one that has failed most.
        const auto worst = std::ranges::max_element(entries_, {}, [](const auto& one) {
            return one.second.held == nullptr ? one.second.failures : 0;
        });
        if (worst == entries_.end() || worst->second.failures == 0 ||
            worst->second.held != nullptr) {
            return nullptr;
        }
        entries_.erase(worst);
    }
    return &entries_[platform];
}

std::optional<PlatformId> CollateralShelf::next_due(UnixSeconds now) const {
    const auto at = next_due_at();
    if (!at || *at > now) return std::nullopt;
    const auto next =
        std::ranges::min_element(entries_, {}, [](const auto& one) { return one.second.fetch_at; });
    return next->first;
}

std::optional<UnixSeconds> CollateralShelf::next_due_at() const {
    if (entries_.empty()) return std::nullopt;
    const auto next =
        std::ranges::min_element(entries_, {}, [](const auto& one) { return one.second.fetch_at; });
    return std::max(next->second.fetch_at, paused_until_);
}

void CollateralShelf::on_fetched(const PlatformId& platform, UnixSeconds now) {
    paused_until_ = now + options_.fetch_pause_s;
    const auto found = entries_.find(platform);
    if (found == entries_.end() || found->second.held == nullptr) return;
    Entry& entry = found->second;
    entry.failures = 0;
    entry.last_failure.clear();
    entry.fetch_at = plan_fetch(*entry.held, now);
}

void CollateralShelf::on_failed(const PlatformId& platform, const Error& error, UnixSeconds now) {
    paused_until_ = now + options_.fetch_pause_s;
    const auto found = entries_.find(platform);
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    const UnixSeconds pause_s =
        std::min(hour_s, first_retry_s << std::min(entry.failures, uint32_t{16}));
    ++entry.failures;
    entry.last_failure = error.message();
    entry.fetch_at = after(pause_s, now);
}

std::vector<CollateralNotice> CollateralShelf::take_notices(UnixSeconds now) {
    std::vector<CollateralNotice> notices;
    for (auto& [platform, entry] : entries_) {
        if (entry.held == nullptr) continue;
        const UnixSeconds expires = entry.held->expires();
        if (now > expires && !entry.has_expired) {
            entry.has_expired = true;
            entry.notice_at = 0;
            ++version_;
        }
        if (now < expires - notice_ahead_s || now < entry.notice_at) continue;
        entry.notice_at = now + day_s;
        notices.push_back({platform, expires, entry.has_expired, entry.last_failure});
    }
    return notices;
}

UnixSeconds CollateralShelf::plan_fetch(const VerifiedCollateral& held, UnixSeconds now) {
    const UnixSeconds life_s = held.expires() - held.issued();
    const UnixSeconds ahead_s = std::max(life_s / 4, notice_ahead_s);
    const UnixSeconds calm_s = held.expires() - ahead_s - now;
    return after(std::clamp(calm_s, hour_s, day_s), now);
}

UnixSeconds CollateralShelf::after(UnixSeconds seconds, UnixSeconds now) {
    const auto sooner = with_jitter(std::chrono::seconds(seconds), rng_);
    return now + std::chrono::duration_cast<std::chrono::seconds>(sooner).count();
}

}  // namespace teetee::attest
