// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/world.hpp"

namespace teetee::sim {

/// A rule that the network broke; the run ends with the first one.
struct Violation {
    Instant time{};
    std::string rule{};
    std::string detail{};
};

}  // namespace teetee::sim
