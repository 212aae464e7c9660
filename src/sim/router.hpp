// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "wire/message.hpp"

namespace teetee::sim {

using Path = std::vector<wire::NodeId>;

/// What an entry knows of the network.
struct RouterView {
    wire::NodeId entry{};
    /// By slot behind the entries and replica; none where that replica is dead.
    std::vector<std::vector<std::optional<wire::NodeId>>> stages{};
    /// Sets the entries' routes apart.
    uint32_t shift = 0;
};

/// The paths that the entry should have routes over: as many as there are replicas, each through
/// another one of every slot where enough are alive. None while a slot has nobody.
std::set<Path> wanted_paths(const RouterView& view);

}  // namespace teetee::sim
