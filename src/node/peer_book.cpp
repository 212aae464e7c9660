// SPDX-License-Identifier: Apache-2.0
#include "node/peer_book.hpp"

#include <algorithm>

namespace teetee::node {

void PeerBook::on_up(Instant now, const net::PeerInfo& info) {
    Peer& peer = this->peer(info);
    peer.is_linked = true;
    peer.changed_at = now;
    ++peer.links;
}

void PeerBook::on_ended(Instant now, const net::PeerInfo& info, const net::LinkTraffic& traffic,
                        std::optional<ErrorCode> why) {
    Peer& peer = this->peer(info);
    peer.is_linked = false;
    peer.changed_at = now;
    peer.traffic.add(traffic);
    if (why) ++peer.failures[*why];
}

PeerBook::Peer& PeerBook::peer(const net::PeerInfo& info) {
    const auto known = peers_.find(info.node_id);
    if (known != peers_.end()) return known->second;
    if (peers_.size() >= peers_max) {
        // One that is linked may be forgotten where all are: it is there again with its next link.
        const auto rank = [](const auto& one) {
            return std::pair(one.second.is_linked, one.second.changed_at);
        };
        const auto oldest = std::ranges::min_element(
            peers_, [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
        forgotten_.add(oldest->second.traffic);
        peers_.erase(oldest);
    }
    Peer& peer = peers_[info.node_id];
    peer.layers = info.layers;
    return peer;
}

}  // namespace teetee::node
