// SPDX-License-Identifier: Apache-2.0
#include "pipeline/route.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/assert.hpp"

namespace teetee::pipeline {

Route::Route(RouteOptions options) : options_(std::move(options)) {
    TT_ASSERT(!options_.path.empty() && options_.path.front() == options_.id.entry);
    ready_ = is_alone();
    capacity_ = whole_ = KvLedger(options_.engine).capacity();
}

bool Route::on_link_up(const wire::NodeId& peer) {
    if (is_alone() || (peer != first() && peer != tail())) return false;
    has_first_ = has_first_ || peer == first();
    has_tail_ = has_tail_ || peer == tail();
    refresh_evidence();
    return true;
}

bool Route::on_link_down(const wire::NodeId& peer) {
    if (is_alone() || (peer != first() && peer != tail())) return false;
    has_first_ = has_first_ && peer != first();
    has_tail_ = has_tail_ && peer != tail();
    reset();
    return true;
}

Result<void> Route::on_probe(Instant now, wire::Probe probe) {
    const auto found = outstanding_.find(probe.id);
    if (found == outstanding_.end()) {
        return fail(ErrorCode::message_unexpected, "probe: not on its way");
    }
    const Outstanding sent = found->second;
    if (probe.want_evidence != sent.want_evidence || probe.path != options_.path)
        return fail(ErrorCode::message_unexpected, "probe: not as it was sent");
    // Older ones were overtaken, which in-order links do not do: they are lost.
    outstanding_.erase(outstanding_.begin(), std::next(found));
    const auto checked = check_hops(probe.hops);
    if (!checked) {
        reset();
        return checked;
    }
    capacity_ = whole_ = {UINT64_MAX, UINT64_MAX};
    for (const wire::Hop& hop : probe.hops) {
        capacity_.sequences =
            std::min(capacity_.sequences, hop.sequences_free + sent.used.sequences);
        // A stage may claim any number; near the top the sum must not wrap.
        const uint64_t room = UINT64_MAX - sent.used.positions;
        capacity_.positions =
            std::min(capacity_.positions, std::min(hop.positions_free, room) + sent.used.positions);
        whole_.sequences = std::min<uint64_t>(whole_.sequences, hop.sequences_max);
        whole_.positions = std::min(whole_.positions, hop.positions_max);
    }
    keep_evidence(probe);
    hops_ = std::move(probe.hops);
    knows_capacity_ = true;
    round_trip_ = now - sent.sent;
    slowest_ = std::max(round_trip_, slowest_ * 15 / 16);
    ready_ = true;
    return {};
}

Result<void> Route::check_stall(Instant now, Links links) {
    if (outstanding_.empty()) return {};
    Duration patience = options_.probe_timeout;
    if (links == Links::idle && slowest_ > Duration{})
        patience = std::min(patience, std::max(options_.probe_patience, 8 * slowest_));
    if (now - outstanding_.begin()->second.sent < patience) return {};
    reset();
    return fail(ErrorCode::stage_timeout, "route: a probe did not come back in time");
}

wire::Probe Route::make_probe(Instant now, wire::Hop own, KvAmount used) {
    if (want_evidence_ && evidence_probe_ == 0) evidence_probe_ = next_id_;
    outstanding_[next_id_] = {.sent = now, .want_evidence = want_evidence_, .used = used};
    return {.id = next_id_++,
            .want_evidence = want_evidence_,
            .path = options_.path,
            .hops = {std::move(own)}};
}

void Route::reset() {
    ready_ = is_alone();
    outstanding_.clear();
}

void Route::distrust_capacity() {
    knows_capacity_ = false;
    outstanding_.clear();
}

void Route::refresh_evidence() {
    want_evidence_ = true;
    evidence_probe_ = 0;
}

Result<void> Route::check_hops(const std::vector<wire::Hop>& hops) const {
    uint32_t covered = 0;
    for (const wire::Hop& hop : hops) {
        if (hop.layers.begin != covered || hop.layers.end <= hop.layers.begin) {
            return fail(ErrorCode::route_unavailable,
                        "route: have a stage from layer " + std::to_string(hop.layers.begin) +
                            ", need one from " + std::to_string(covered));
        }
        covered = hop.layers.end;
        if ((hop.formats >> static_cast<uint32_t>(options_.format) & 1u) == 0) {
            return fail(ErrorCode::route_unavailable,
                        "route: the stage from layer " + std::to_string(hop.layers.begin) +
                            " does not take " + std::string(to_string(options_.format)) +
                            " activations");
        }
    }
    if (covered != options_.engine.layer_count) {
        return fail(ErrorCode::route_unavailable, "route: have " + std::to_string(covered) +
                                                      " layers, need " +
                                                      std::to_string(options_.engine.layer_count));
    }
    if (!std::ranges::equal(hops, options_.path, {}, &wire::Hop::node_id) ||
        hops.front().layers != options_.engine.layers) {
        return fail(ErrorCode::route_unavailable, "route: the hops are other nodes'");
    }
    return {};
}

/// Most probes go without evidence; the nodes still have what they gave last.
void Route::keep_evidence(wire::Probe& probe) {
    if (probe.want_evidence) {
        // One that was on its way already has the evidence of before.
        if (evidence_probe_ != 0 && probe.id >= evidence_probe_) want_evidence_ = false;
        return;
    }
    for (size_t i = 0; i < probe.hops.size(); ++i) {
        if (i >= hops_.size() || hops_[i].node_id != probe.hops[i].node_id) {
            refresh_evidence();
            continue;
        }
        probe.hops[i].statement = std::move(hops_[i].statement);
        probe.hops[i].quote = std::move(hops_[i].quote);
    }
}

}  // namespace teetee::pipeline
