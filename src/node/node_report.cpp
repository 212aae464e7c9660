// SPDX-License-Identifier: Apache-2.0
#include "node/node_report.hpp"

#include <algorithm>

#include "attest/ra_certificate.hpp"
#include "node/node_impl.hpp"

namespace teetee::node {
namespace {

NodeReport::Entry report_entry(const pipeline::Entry& machine) {
    NodeReport::Entry out{.meter = machine.entry_meter(),
                          .requests_active = machine.active_count(),
                          .requests_queued = machine.queued_count(),
                          .batches_in_flight = machine.in_flight_count()};
    for (const pipeline::Route* route : machine.open_routes()) {
        NodeReport::Entry::Route& told = out.routes.emplace_back();
        told.round_trip = route->round_trip();
        for (const wire::Hop& hop : route->hops())
            told.hops.push_back({hop.layers, hop.positions_free, hop.positions_max});
    }
    return out;
}

}  // namespace

NodeReport::Stage Node::Impl::report_stage() const {
    const pipeline::EngineLimits limits = shard.engine->limits();
    NodeReport::Stage out{.layers = shard.layers, .page_positions = limits.block_positions};
    const auto fill = [&](const auto& machine) {
        out.counters = machine.counters();
        out.meter = machine.meter();
        out.kv_capacity = machine.kv_capacity();
        out.kv_free = machine.kv_free();
        out.pages_retained = machine.retained_page_count();
    };
    if (entry) {
        fill(entry->machine());
        out.sequences = entry->machine().active_count();
        out.routes = entry->machine().open_routes().size();
    } else {
        const pipeline::Stage& machine = stage->machine();
        fill(machine);
        out.batches_queued = machine.queued_count();
        out.bytes_queued = machine.queued_bytes();
        out.sequences = machine.sequence_count();
        out.routes = machine.route_count();
    }
    return out;
}

/// nullopt where there is none for the platform of the quote.
std::optional<UnixSeconds> Node::Impl::collateral_end(ByteView quote) const {
    const auto found = attest::find_collateral(world.collateral, quote);
    if (!found) return std::nullopt;
    return found->expires();
}

std::vector<NodeReport::Peer> Node::Impl::report_peers() {
    std::vector<NodeReport::Peer> out;
    for (const auto& [id, known] : peer_book.peers()) {
        out.push_back({.node_id = id,
                       .layers = known.layers,
                       .is_linked = known.is_linked,
                       .links = known.links,
                       .failures = known.failures,
                       .traffic = known.traffic});
    }
    for_each_link([&](const net::Link& link) {
        const auto found = std::ranges::find(out, link.peer().node_id, &NodeReport::Peer::node_id);
        // Of two links to one node the first is the one that it is spoken with over.
        if (found == out.end() || found->evidence_ends) return;
        found->round_trip = link.round_trip();
        found->evidence_ends = link.peer().evidence_ends;
        found->traffic.add(link.traffic());
        const auto shown = attest::parse_ra_certificate(link.peer().certificate_der);
        if (shown) found->collateral_ends = collateral_end(shown->evidence.quote);
    });
    return out;
}

NodeReport Node::report() const {
    NodeReport out;
    out.is_draining = static_cast<bool>(impl_->on_drained);
    out.stage = impl_->report_stage();
    out.peers = impl_->report_peers();
    out.traffic = impl_->peer_book.forgotten();
    for (const NodeReport::Peer& peer : out.peers) out.traffic.add(peer.traffic);
    out.handshakes = impl_->link_meter;
    out.evidence_ends = impl_->identity->statement.not_after;
    out.collateral_ends = impl_->collateral_end(impl_->identity->quote);
    if (impl_->entry) {
        out.entry = report_entry(impl_->entry->machine());
        out.entry->fresh_quotes_missing = impl_->generations->fresh_quotes_missing();
        out.entry->nodes_unregistered = impl_->barred.size();
    }
    const bool is_whole =
        impl_->entry ? impl_->entry->machine().ready() : impl_->stage->machine().route_count() > 0;
    out.ready = is_whole && !out.is_draining;
    return out;
}

}  // namespace teetee::node
