// SPDX-License-Identifier: Apache-2.0
#include "pipeline/ring.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/assert.hpp"

namespace teetee::pipeline {

Ring::Ring(RingOptions options) : options_(std::move(options)) {
    TT_ASSERT(options_.probe_interval > Duration{0});
    TT_ASSERT(options_.probe_timeout >= options_.probe_interval);
}

void Ring::on_link_up(Instant now, Direction direction, const KvLedger& ledger, Effects& effects) {
    links_.at(direction) = true;
    refresh_evidence();
    if (links_.next && links_.previous) send_probe(now, ledger, effects);
}

void Ring::on_link_down(Direction direction) {
    links_.at(direction) = false;
    timer_at_.reset();
    reset();
}

Result<void> Ring::on_probe(Instant now, wire::Probe probe) {
    const auto found = outstanding_.find(probe.id);
    if (found == outstanding_.end()) {
        return fail(ErrorCode::message_unexpected, "probe: not on its way");
    }
    const Outstanding sent = found->second;
    if (probe.want_evidence != sent.want_evidence)
        return fail(ErrorCode::message_unexpected, "probe: not as it was sent");
    // Older ones were overtaken, which in-order links do not do: they are lost.
    outstanding_.erase(outstanding_.begin(), std::next(found));
    const auto checked = check_hops(probe.hops);
    if (!checked) {
        reset();
        return checked;
    }
    capacity_ = {UINT64_MAX, UINT64_MAX};
    for (const wire::Hop& hop : probe.hops) {
        capacity_.sequences =
            std::min(capacity_.sequences, hop.sequences_free + sent.used.sequences);
        // A stage may claim any number; near the top the sum must not wrap.
        const uint64_t room = UINT64_MAX - sent.used.positions;
        capacity_.positions =
            std::min(capacity_.positions, std::min(hop.positions_free, room) + sent.used.positions);
    }
    keep_evidence(probe);
    route_ = std::move(probe.hops);
    knows_capacity_ = true;
    round_trip_ = now - sent.sent;
    ready_ = true;
    return {};
}

bool Ring::is_due(Instant now, uint64_t id) const {
    return id == timer_id && timer_at_ && now >= *timer_at_;
}

Result<void> Ring::check_stall(Instant now) {
    if (outstanding_.empty()) return {};
    if (now - outstanding_.begin()->second.sent < options_.probe_timeout) return {};
    reset();
    return fail(ErrorCode::stage_timeout, "ring: a probe did not come back in time");
}

void Ring::send_probe(Instant now, const KvLedger& ledger, Effects& effects) {
    const KvAmount free = ledger.free();
    wire::Hop hop{.node_id = options_.node_id,
                  .layers = options_.layers,
                  .sequences_free = static_cast<uint32_t>(free.sequences),
                  .positions_free = free.positions};
    if (want_evidence_) {
        hop.statement = statement_;
        hop.quote = quote_;
        if (evidence_probe_ == 0) evidence_probe_ = next_id_;
    }
    outstanding_[next_id_] = {.sent = now, .want_evidence = want_evidence_, .used = ledger.used()};
    wire::Probe probe{.id = next_id_++, .want_evidence = want_evidence_};
    probe.hops.push_back(std::move(hop));
    effects.sends.push_back({Direction::next, std::move(probe)});
    timer_at_ = now + options_.probe_interval;
    effects.timers.push_back({timer_id, *timer_at_});
}

void Ring::reset() {
    ready_ = false;
    outstanding_.clear();
}

void Ring::distrust_capacity() {
    knows_capacity_ = false;
    outstanding_.clear();
}

void Ring::set_evidence(Bytes statement, Bytes quote) {
    statement_ = std::move(statement);
    quote_ = std::move(quote);
    refresh_evidence();
}

void Ring::refresh_evidence() {
    want_evidence_ = true;
    evidence_probe_ = 0;
}

Result<void> Ring::check_hops(const std::vector<wire::Hop>& hops) const {
    uint32_t covered = 0;
    for (const wire::Hop& hop : hops) {
        if (hop.layers.begin != covered || hop.layers.end <= hop.layers.begin) {
            return fail(ErrorCode::route_unavailable,
                        "ring: have a stage from layer " + std::to_string(hop.layers.begin) +
                            ", need one from " + std::to_string(covered));
        }
        covered = hop.layers.end;
    }
    if (covered != options_.layer_count) {
        return fail(ErrorCode::route_unavailable, "ring: have " + std::to_string(covered) +
                                                      " layers, need " +
                                                      std::to_string(options_.layer_count));
    }
    if (hops.front().node_id != options_.node_id || hops.front().layers != options_.layers) {
        return fail(ErrorCode::route_unavailable, "ring: the first hop is another node's");
    }
    return {};
}

/// Most probes go without evidence; the nodes still have what they gave last.
void Ring::keep_evidence(wire::Probe& probe) {
    if (probe.want_evidence) {
        // One that was on its way already has the evidence of before.
        if (evidence_probe_ != 0 && probe.id >= evidence_probe_) want_evidence_ = false;
        return;
    }
    for (size_t i = 0; i < probe.hops.size(); ++i) {
        if (i >= route_.size() || route_[i].node_id != probe.hops[i].node_id) {
            refresh_evidence();
            continue;
        }
        probe.hops[i].statement = std::move(route_[i].statement);
        probe.hops[i].quote = std::move(route_[i].quote);
    }
}

}  // namespace teetee::pipeline
