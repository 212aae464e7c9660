// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>

#include "attest/limits.hpp"
#include "attest/verify.hpp"

namespace teetee::attest {

/// Remembers quotes that were verified, the ones used last, so that asking again costs a hash and
/// no signature. Answers exactly as verify_quote does: a verdict serves only for the same bytes,
/// the same collateral, a root that is pinned still, and a time at which every certificate and
/// document is in date; whatever else is asked is verified anew. Rejections are not remembered.
/// For one thread.
class VerdictCache {
  public:
    explicit VerdictCache(size_t entries_max = verdict_cache_entries_max)
        : entries_max_(entries_max) {}

    /// As verify_quote. Collateral is told apart by its object, which never changes and which the
    /// cache keeps alive: a source that verifies a document anew gives another object.
    Result<VerifiedQuote> verify(ByteView quote,
                                 const std::shared_ptr<const VerifiedCollateral>& collateral,
                                 const TrustedRoots& roots, UnixSeconds now);

    uint64_t hit_count() const { return hit_count_; }
    size_t entry_count() const { return entries_.size(); }

  private:
    struct Entry {
        Digest quote_hash{};
        std::shared_ptr<const VerifiedCollateral> collateral;
        VerifiedQuote verdict;
    };
    using Entries = std::list<Entry>;

    void remember(Entry entry);

    size_t entries_max_;
    uint64_t hit_count_ = 0;
    /// The one used last is in front.
    Entries entries_;
    std::map<Digest, Entries::iterator> by_hash_;
};

}  // namespace teetee::attest
