// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>

#include "net/link.hpp"
#include "wire/message.hpp"

namespace teetee::node {

/// What a node remembers of the nodes that it has had links with: those that have one, and of those
/// that had one the last few. A node that starts anew is another node.
class PeerBook {
  public:
    static constexpr size_t peers_max = 64;

    struct Peer {
        LayerRange layers{};
        bool is_linked = false;
        uint64_t links = 0;
        /// Links that ended for a reason that was none of this node's.
        std::map<ErrorCode, uint64_t> failures{};
        /// Of links that have ended.
        net::LinkTraffic traffic{};
        Instant changed_at{};
    };

    void on_up(Instant now, const net::PeerInfo& peer);
    void on_ended(Instant now, const net::PeerInfo& peer, const net::LinkTraffic& traffic,
                  std::optional<ErrorCode> why);

    const std::map<wire::NodeId, Peer>& peers() const { return peers_; }
    /// Of those that are forgotten.
    const net::LinkTraffic& forgotten() const { return forgotten_; }

  private:
    Peer& peer(const net::PeerInfo& info);

    std::map<wire::NodeId, Peer> peers_;
    net::LinkTraffic forgotten_;
};

}  // namespace teetee::node
