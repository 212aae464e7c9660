// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>

#include "sim/checkers.hpp"

namespace teetee::sim {

/// Clients that ask for one answer after the other, from any entry that takes the request. Half of
/// the prompts begin as others of their tenant do, so that pages are found again.
class Clients {
  public:
    Clients(World& world, AnswerChecker& answers, const Scenario& scenario, uint64_t seed);

    /// Cancels one of the open requests, if there is any.
    void cancel_any(Random& random);
    uint64_t asked_count() const { return asked_; }

  private:
    void look(uint32_t client);
    bool ask(uint32_t client);
    pipeline::Submission next_submission();

    World& world_;
    AnswerChecker& answers_;
    Scenario scenario_;
    Random random_;
    std::vector<RequestId> current_;
    uint64_t asked_ = 0;
};

}  // namespace teetee::sim
