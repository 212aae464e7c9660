// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string_view>

#include "sim/answers.hpp"

namespace teetee::sim {

struct Outcome {
    std::optional<Violation> violation{};
    AnswerChecker::Counts answers{};
    /// After which two tenants waited at one entry.
    uint64_t contended_steps = 0;
    /// Answers that a client went on with at another entry.
    uint64_t resumed = 0;
    Traffic traffic{};
    /// How often each fault was done.
    std::map<std::string_view, uint64_t> faults{};
    /// The same for every compiler and machine.
    Digest digest{};
};

/// One world with its clients and faults, from beginning to end or to the first violation.
Outcome run(const Scenario& scenario, uint64_t seed);

}  // namespace teetee::sim
