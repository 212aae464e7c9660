// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "base/request.hpp"
#include "pipeline/directory.hpp"
#include "wire/message.hpp"

namespace teetee::pipeline {

/// A node that an entry may route over.
struct RouterNode {
    wire::NodeId node_id{};
    LayerRange layers{};
    /// The entry has a link to it. Needed of the first and the last node behind the entry only.
    bool linked = false;
    /// What rather stays out of use: it is to be ended, or somebody has lost it.
    bool avoided = false;
};

struct RouterOptions {
    wire::NodeId entry{};
    LayerRange layers{};
    uint32_t layer_count = 0;
    size_t routes_max = 8;
};

/// Nodes as the directory knows them.
std::vector<RouterNode> router_nodes(const std::vector<KnownNode>& known);

using Path = std::vector<wire::NodeId>;

/// The paths that an entry should have over these nodes: of the current ones those that are whole,
/// so that no request is moved without need, and as many more as it takes until every node is on
/// one, each over the nodes that the fewest lead over. A path has one node for each range of layers
/// that follows on the one before; nodes that are avoided are on new paths only where a slot has no
/// others, and on old ones not where it has. No path is there twice.
std::vector<Path> plan_paths(const RouterOptions& options, const std::vector<RouterNode>& nodes,
                             const std::vector<Path>& current);

}  // namespace teetee::pipeline
