// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <utility>

#include "sim/answers.hpp"

namespace teetee::sim {

/// Rule "fairness": while requests of two tenants wait at an entry, the positions that it admits of
/// one and of the other differ by at most twice those of the largest request it has had. Requests
/// that have lost their route are admitted again at no cost.
class FairnessChecker {
  public:
    FairnessChecker(World& world, const AnswerChecker& answers)
        : world_(world), answers_(answers) {}

    void on_step(uint32_t node);
    /// After which two tenants waited at one entry.
    uint64_t contended_steps() const { return contended_steps_; }

  private:
    using Tenant = pipeline::FairQueue::Tenant;
    struct Waiting {
        Tenant tenant{};
        int64_t positions = 0;
    };
    /// How far one tenant was ahead of another since both have waited.
    struct Lead {
        int64_t least = 0;
        int64_t most = 0;
    };
    /// Of one life of an entry.
    struct Account {
        uint64_t life = 0;
        std::map<RequestId, Waiting> waiting{};
        std::map<Tenant, int64_t> served{};
        std::map<std::pair<Tenant, Tenant>, Lead> leads{};
        int64_t largest = 0;
    };
    void compare(uint32_t node, Account& account);

    World& world_;
    const AnswerChecker& answers_;
    std::map<uint32_t, Account> accounts_;
    uint64_t contended_steps_ = 0;
};

}  // namespace teetee::sim
