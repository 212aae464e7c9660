// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>

#include "wire/message.hpp"

namespace teetee::sim {

/// Who lied, and what may be wrong because of it; no honest node knows.
struct Lies {
    std::set<wire::NodeId> nodes{};
    /// A lie went into their answers.
    std::set<RequestId> requests{};
    /// Retained pages of such requests.
    std::set<PrefixId> pages{};
};

}  // namespace teetee::sim
