// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/request.hpp"
#include "node/node_history.hpp"

namespace teetee::node {

/// One node of the model as an entry has seen it itself, since its start and for a day at most.
struct NodeSight {
    /// Address of its receipt key.
    wire::NodeId node_id{};
    LayerRange layers{};
    /// Where clients ask it, as it says; or empty.
    std::string api_url{};
    std::string api_tls_url{};
    /// There is a link to it; this node itself counts as linked.
    bool is_linked = false;
    /// It says that it takes no new requests.
    bool is_draining = false;
    /// Of the link.
    std::optional<Duration> round_trip{};
    UnixSeconds answered_at = 0;
    NodeHistory::Extract history{};
};

}  // namespace teetee::node
