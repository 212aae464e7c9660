// SPDX-License-Identifier: Apache-2.0
#include "node/network_sight.hpp"

#include <algorithm>
#include <set>

#include "base/assert.hpp"
#include "node/node_impl.hpp"

namespace teetee::node {
namespace {

constexpr Duration look_interval = std::chrono::seconds(5);
constexpr Duration early_look_interval = std::chrono::milliseconds(100);

}  // namespace

/// Of a node on routes of this entry the probes along them tell, which come back several times a
/// second: it has answered where one of its routes is whole. Of others their link tells, or that
/// they go on saying something of themselves.
void Node::Impl::look_at_nodes() {
    const Instant now = world.clock.now();
    if (!entry || now < next_look) return;
    next_look = now + look_interval;
    std::map<wire::NodeId, NodeHistory::Seen> seen;
    if (peers) {
        for (const pipeline::KnownNode& known : peers->nodes()) {
            seen[known.advert.node_id] = {.layers = known.advert.layers,
                                          .has_answered = known.linked || !known.suspect};
        }
    }
    std::map<wire::NodeId, bool> on_routes;
    for (const pipeline::Route* route : entry->machine().routes()) {
        for (const wire::NodeId& id : route->path()) on_routes[id] |= route->ready();
        if (!route->ready()) continue;
        for (const wire::Hop& hop : route->hops()) seen[hop.node_id].layers = hop.layers;
    }
    for (const auto& [id, is_whole] : on_routes) {
        const auto found = seen.find(id);
        if (found != seen.end()) found->second.has_answered = is_whole;
    }
    seen[identity->receipt_key.address()] = {.layers = shard.layers, .has_answered = true};
    history.on_look(world.clock.unix_now(), seen);
}

/// A node that has just come onto a route is there at once for whoever asks, and for what it
/// computes. Not again and again where the history has no room for it.
void Node::Impl::look_at_new_nodes() {
    const Instant now = world.clock.now();
    if (now < next_early_look) return;
    const auto is_new = [this](const wire::NodeId& id) { return !history.nodes().contains(id); };
    for (const pipeline::Route* route : entry->machine().open_routes()) {
        if (std::ranges::none_of(route->path(), is_new)) continue;
        next_look = {};
        next_early_look = now + early_look_interval;
        return look_at_nodes();
    }
}

std::vector<NodeSight> Node::network(size_t spans_max) const {
    TT_ASSERT(is_entry());
    impl_->look_at_new_nodes();
    const UnixSeconds now = impl_->world.clock.unix_now();
    std::map<wire::NodeId, NodeSight> nodes;
    for (const auto& [id, record] : impl_->history.nodes()) {
        NodeSight& sight = nodes[id];
        sight.node_id = id;
        sight.layers = record.layers;
        sight.answered_at = record.answered_at;
        sight.history = impl_->history.extract(id, now, spans_max);
    }
    if (impl_->peers) {
        for (const pipeline::KnownNode& known : impl_->peers->nodes()) {
            const auto found = nodes.find(known.advert.node_id);
            if (found == nodes.end()) continue;
            NodeSight& sight = found->second;
            sight.api_url = known.advert.api_url;
            sight.api_tls_url = known.advert.api_tls_url;
            sight.is_draining = known.advert.draining;
        }
    }
    impl_->for_each_link([&](const net::Link& link) {
        const auto found = nodes.find(link.peer().node_id);
        if (found == nodes.end() || found->second.is_linked) return;
        found->second.is_linked = true;
        found->second.round_trip = link.round_trip();
    });
    const auto self = nodes.find(impl_->identity->receipt_key.address());
    if (self != nodes.end()) {
        self->second.api_url = impl_->api_url;
        self->second.api_tls_url = impl_->api_tls_url;
        self->second.is_linked = true;
        self->second.is_draining = static_cast<bool>(impl_->on_drained);
    }
    std::vector<NodeSight> out;
    for (auto& [id, sight] : nodes) out.push_back(std::move(sight));
    std::ranges::stable_sort(out, {}, &NodeSight::layers);
    return out;
}

std::vector<attest::PlatformId> Node::platforms() const {
    TT_ASSERT(is_entry());
    std::set<attest::PlatformId> out;
    attest::CollateralSource* source = impl_->world.collateral;
    const auto add = [&](ByteView quote) {
        const auto platform = attest::platform_of(quote);
        if (!platform || !out.insert(*platform).second || source == nullptr) return;
        // Attested nodes have verified those next to them on the route, so it is nothing made up.
        if (source->find(*platform) == nullptr) source->want(*platform);
    };
    add(impl_->identity->quote);
    for (const pipeline::Route* way : impl_->entry->machine().open_routes()) {
        for (const RouteNode& node : impl_->generations->nodes_of(*way)) add(node.quote);
    }
    return {out.begin(), out.end()};
}

}  // namespace teetee::node
