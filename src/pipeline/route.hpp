// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "pipeline/effects.hpp"
#include "pipeline/kv_ledger.hpp"

namespace teetee::pipeline {

struct RouteOptions {
    wire::RouteId id{};
    /// All nodes, the entry first. A path of the entry alone is ready at once and needs no probes.
    std::vector<wire::NodeId> path{};
    EngineLimits engine{};
    ActivationFormat format = ActivationFormat::f32;
    Duration probe_timeout{};
    /// The least that a route is given whose probes have come back sooner than that.
    Duration probe_patience = std::chrono::milliseconds(600);
};

/// One of the entry's routes as the entry sees it. It is ready once a probe has come back with hops
/// that cover all layers in order.
class Route {
  public:
    explicit Route(RouteOptions options);

    const wire::RouteId& id() const { return options_.id; }
    const std::vector<wire::NodeId>& path() const { return options_.path; }
    size_t stage_count() const { return options_.path.size(); }
    bool is_alone() const { return options_.path.size() == 1; }
    const wire::NodeId& first() const { return options_.path[1]; }
    const wire::NodeId& tail() const { return options_.path.back(); }

    /// Whether the entry has links to the first stage behind it and to the tail.
    bool is_linked() const { return has_first_ && has_tail_; }
    /// True if the route needs this link.
    bool on_link_up(const wire::NodeId& peer);
    bool on_link_down(const wire::NodeId& peer);

    /// `own` is the entry's first hop, with evidence only if wants_evidence(); `used` is what the
    /// entry has open on this route.
    wire::Probe make_probe(Instant now, wire::Hop own, KvAmount used);
    /// Error: message_unexpected for a probe that is not on its way or not as it was sent,
    /// route_unavailable for one whose hops do not fit together (the route is not ready then).
    Result<void> on_probe(Instant now, wire::Probe probe);
    /// Forgets the probes when one is overdue: by probe_timeout, or, where nothing large is before
    /// them on the links, by several times what the slowest of late took. Error: stage_timeout.
    enum class Links { idle, loaded };
    Result<void> check_stall(Instant now, Links links);
    /// Not ready until a probe that is sent from now on comes back.
    void reset();

    bool ready() const { return ready_; }
    /// Of the last probe, with the evidence that each node gave last.
    const std::vector<wire::Hop>& hops() const { return hops_; }
    Duration round_trip() const { return round_trip_; }
    /// What the tightest stage could hold if nothing of this route were open.
    KvAmount capacity() const { return capacity_; }
    /// What the tightest stage could hold if nothing at all were open on it.
    KvAmount whole() const { return whole_; }

    /// Its use of memory turned out not to be what a stage says: the capacity is known again when a
    /// probe that is sent from now on comes back.
    void distrust_capacity();
    bool knows_capacity() const { return knows_capacity_; }

    bool wants_evidence() const { return want_evidence_; }
    /// The next probe collects evidence afresh; so does the first one after a link came up.
    void refresh_evidence();

  private:
    struct Outstanding {
        Instant sent{};
        bool want_evidence = false;
        /// Open when the probe left. Messages keep their order on the way round, so each stage's
        /// free amount is short of its capacity by exactly this.
        KvAmount used{};
    };

    Result<void> check_hops(const std::vector<wire::Hop>& hops) const;
    void keep_evidence(wire::Probe& probe);

    RouteOptions options_;
    bool has_first_ = false;
    bool has_tail_ = false;
    bool ready_ = false;
    bool want_evidence_ = true;
    /// The first probe that has asked since evidence was wanted; 0: none has yet.
    uint64_t evidence_probe_ = 0;
    uint64_t next_id_ = 1;
    std::map<uint64_t, Outstanding> outstanding_;
    std::vector<wire::Hop> hops_;
    Duration round_trip_{};
    /// The longest of late: it fades with every probe.
    Duration slowest_{};
    KvAmount capacity_;
    KvAmount whole_;
    bool knows_capacity_ = true;
};

}  // namespace teetee::pipeline
