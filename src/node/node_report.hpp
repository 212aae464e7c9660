// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/request.hpp"
#include "net/link_meter.hpp"
#include "pipeline/counters.hpp"
#include "pipeline/kv_ledger.hpp"
#include "pipeline/stage_meter.hpp"
#include "wire/message.hpp"

namespace teetee::node {

/// What a node has done and how it stands, for its operator. Nothing in it is of one request or one
/// client.
struct NodeReport {
    /// An entry: every layer is served. A stage: some entry has a route over it.
    bool ready = false;
    bool is_draining = false;

    /// This node's part of every route.
    struct Stage {
        LayerRange layers{};
        pipeline::Counters counters{};
        pipeline::StageMeter meter{};
        /// Batches that wait for the engine, and the bytes of their rows; none on an entry.
        size_t batches_queued = 0;
        uint64_t bytes_queued = 0;
        size_t sequences = 0;
        pipeline::KvAmount kv_capacity{};
        pipeline::KvAmount kv_free{};
        size_t pages_retained = 0;
        uint32_t page_positions = 1;
        size_t routes = 0;
    };
    Stage stage{};

    struct Peer {
        wire::NodeId node_id{};
        LayerRange layers{};
        bool is_linked = false;
        uint64_t links = 0;
        std::map<ErrorCode, uint64_t> failures{};
        net::LinkTraffic traffic{};
        /// While it is linked.
        std::optional<Duration> round_trip{};
        std::optional<UnixSeconds> evidence_ends{};
        /// Where there is collateral for its platform.
        std::optional<UnixSeconds> collateral_ends{};
    };
    /// At most PeerBook::peers_max.
    std::vector<Peer> peers{};
    /// Of all links that there ever were.
    net::LinkTraffic traffic{};
    net::LinkMeter handshakes{};

    UnixSeconds evidence_ends = 0;
    /// Of this node's platform; a node with no peers that have one like it has none.
    std::optional<UnixSeconds> collateral_ends{};

    struct Entry {
        pipeline::EntryMeter meter{};
        size_t requests_active = 0;
        size_t requests_queued = 0;
        size_t batches_in_flight = 0;
        uint64_t fresh_quotes_missing = 0;
        size_t nodes_unregistered = 0;
        /// Those that are ready, each from the entry to the tail.
        struct Hop {
            LayerRange layers{};
            uint64_t positions_free = 0;
            uint64_t positions_max = 0;
        };
        struct Route {
            Duration round_trip{};
            std::vector<Hop> hops{};
        };
        std::vector<Route> routes{};
    };
    /// Of entries alone.
    std::optional<Entry> entry{};
};

}  // namespace teetee::node
