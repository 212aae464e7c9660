// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "pipeline/effects.hpp"
#include "pipeline/kv_ledger.hpp"

namespace teetee::pipeline {

struct RingOptions {
    wire::NodeId node_id{};
    LayerRange layers{};
    uint32_t layer_count = 0;
    Duration probe_interval{};
    Duration probe_timeout{};
};

/// The entry's view of its ring. Sends a probe at every interval while both links are up; the ring
/// is ready once a probe has come back with hops that cover all layers in order.
class Ring {
  public:
    static constexpr uint64_t timer_id = 1;

    explicit Ring(RingOptions options);

    /// `ledger` is the entry's own, here and below: it fills the first hop.
    void on_link_up(Instant now, Direction direction, const KvLedger& ledger, Effects& effects);
    void on_link_down(Direction direction);

    /// Error: message_unexpected for a probe that is not on its way, route_unavailable for one
    /// whose hops do not fit together (the ring is not ready then).
    Result<void> on_probe(Instant now, wire::Probe probe);

    /// False for a timer that has been superseded.
    bool is_due(Instant now, uint64_t id) const;
    /// Forgets the probes when one is overdue. Error: stage_timeout.
    Result<void> check_stall(Instant now);
    /// Sends a probe and sets the next timer.
    void send_probe(Instant now, const KvLedger& ledger, Effects& effects);

    /// Not ready until a probe that is sent from now on comes back.
    void reset();

    bool ready() const { return ready_; }
    const Links& links() const { return links_; }
    /// The hops of the last probe, with the evidence each node gave last.
    const std::vector<wire::Hop>& route() const { return route_; }
    Duration round_trip() const { return round_trip_; }
    /// What the tightest stage could hold if nothing of ours were open.
    KvAmount capacity() const { return capacity_; }

    /// Its use of memory turned out not to be what a stage says: the capacity is known again when a
    /// probe that is sent from now on comes back.
    void distrust_capacity();
    bool knows_capacity() const { return knows_capacity_; }

    /// For the first hop of probes that want evidence.
    void set_evidence(Bytes statement, Bytes quote);
    /// The next probe collects evidence afresh; so does the first one after a link came up.
    void refresh_evidence();

  private:
    struct Outstanding {
        Instant sent{};
        bool want_evidence = false;
        /// Open when the probe left. Messages keep their order round the ring, so each stage's
        /// free amount is short of its capacity by exactly this.
        KvAmount used{};
    };

    Result<void> check_hops(const std::vector<wire::Hop>& hops) const;
    void keep_evidence(wire::Probe& probe);

    RingOptions options_;
    Bytes statement_;
    Bytes quote_;
    Links links_;
    bool ready_ = false;
    bool want_evidence_ = true;
    /// The first probe that has asked since evidence was wanted; 0: none has yet.
    uint64_t evidence_probe_ = 0;
    uint64_t next_id_ = 1;
    std::map<uint64_t, Outstanding> outstanding_;
    std::optional<Instant> timer_at_;
    std::vector<wire::Hop> route_;
    Duration round_trip_{};
    KvAmount capacity_;
    bool knows_capacity_ = true;
};

}  // namespace teetee::pipeline
