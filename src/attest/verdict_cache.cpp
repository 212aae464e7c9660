// SPDX-License-Identifier: Apache-2.0
#include "attest/verdict_cache.hpp"

#include "crypto/hash.hpp"

namespace teetee::attest {

Result<VerifiedQuote> VerdictCache::verify(
    ByteView quote, const std::shared_ptr<const VerifiedCollateral>& collateral,
    const TrustedRoots& roots, UnixSeconds now) {
    const Digest quote_hash = crypto::sha256(quote);
    const auto found = by_hash_.find(quote_hash);
    if (found != by_hash_.end()) {
        const Entry& known = *found->second;
        const VerifiedPck& pck = known.verdict.pck;
        if (known.collateral == collateral && roots.contains(pck.root_fingerprint) &&
            pck.validity.contains(now) && (!collateral || verify_in_date(*collateral, now))) {
            ++hit_count_;
            entries_.splice(entries_.begin(), entries_, found->second);
            return known.verdict;
        }
    }
    TT_TRY(auto verdict,
           verify_quote({.quote = quote, .collateral = collateral.get()}, roots, now));
    remember({quote_hash, collateral, verdict});
    return verdict;
}

void VerdictCache::remember(Entry entry) {
    const auto known = by_hash_.find(entry.quote_hash);
    if (known != by_hash_.end()) {
        entries_.erase(known->second);
        by_hash_.erase(known);
    }
    entries_.push_front(std::move(entry));
    by_hash_[entries_.front().quote_hash] = entries_.begin();
    if (entries_.size() <= entries_max_) return;
    by_hash_.erase(entries_.back().quote_hash);
    entries_.pop_back();
}

}  // namespace teetee::attest
