// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/chain_views.hpp"
#include "api/kept_answer.hpp"
#include "base/result.hpp"

namespace teetee::api {

/// GET /v1/pools: pools with their slots and nodes, in the order of their numbers, behind ?after=N
/// where that is given. The contract's nodes are gone through, and a pool is written down, at the
/// pace of MakingPace, however many ask and for whatever: what is left for a request is to put the
/// texts of some pools together, and that too only once for most.
class PoolLists {
  public:
    /// References MUST outlive it. Without a chain lists are empty.
    PoolLists(const ChainWindow* chain, const Clock& clock) : chain_(chain), clock_(clock) {}

    /// Error: field_invalid for a number that is none.
    Result<SharedText> list(std::string_view query);

  private:
    void look();
    SharedText list_from(uint64_t first);
    std::string write_list(uint64_t first);
    std::string text_of(uint64_t number, const chain::PoolRecord& pool);

    const ChainWindow* chain_;
    const Clock& clock_;
    MakingPace pace_;
    /// As of the last look: block, Unix seconds, and the nodes of each pool that has any.
    uint64_t block_ = 0;
    uint64_t time_ = 0;
    std::map<uint64_t, std::vector<uint64_t>> nodes_;
    /// Made since, and kept within bounds: pools, and lists by their first pool.
    std::map<uint64_t, std::string> texts_;
    size_t text_bytes_ = 0;
    std::map<uint64_t, SharedText> lists_;
};

}  // namespace teetee::api
