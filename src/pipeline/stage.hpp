// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "pipeline/counters.hpp"
#include "pipeline/effects.hpp"
#include "pipeline/kv_ledger.hpp"
#include "pipeline/replay_log.hpp"
#include "pipeline/stage_meter.hpp"
#include "pipeline/stage_routes.hpp"
#include "wire/limits.hpp"

namespace teetee::pipeline {

struct StageOptions {
    wire::NodeId node_id{};
    EngineLimits engine{};
    /// Batches of one route that wait for the engine. An entry has one more in flight than there
    /// are stages.
    uint32_t batches_queued_max = wire::Limits{}.hops_max + 1;
    /// Of all routes together.
    uint64_t bytes_queued_max = uint64_t{1} << 30;
    /// Of rows noted so that a node in the next one's place can have them again.
    uint64_t replay_bytes_max = uint64_t{64} << 20;
    /// How long a sequence outlives its route, so that its request can go on with it.
    Duration park_time = std::chrono::seconds(15);
    /// Settlements that wait to be signed: of one entry, and of all. More are refused as
    /// overloaded.
    uint32_t sign_offs_per_entry_max = 2;
    uint32_t sign_offs_max = 32;
    /// Null: nothing is traced, and who asks for a record gets none.
    std::shared_ptr<const attest::RecordSigner> signer{};
};

/// A stage behind the entry: computes the batches that come in over its routes, one at a time and
/// in order, and sends each result on. It MUST see the events of its links and of its engine in the
/// order in which they happen.
///
/// A route begins with its first probe and ends with a Leave, or with the loss of one of its two
/// links, of which the nodes on the other side are told. With it end the pages it has retained.
/// Its sequences are parked for a while, unless others need the room: the same entry may go on with
/// them over another route. Nothing else of one route is ever seen by another.
///
/// Rows of sequences that are closed, never opened or of another epoch are dropped and counted,
/// which is what makes a Close that overtakes its last rows harmless. A sequence that breaks the
/// rules or does not fit is given up with a Failed to the entry; the batch goes on without it.
class Stage {
  public:
    explicit Stage(StageOptions options);

    void on_link_up(Instant now, const wire::NodeId& peer, Effects& effects);
    void on_link_down(Instant now, const wire::NodeId& peer, Effects& effects);
    void on_frame(Instant now, const wire::NodeId& from, wire::Frame frame, Effects& effects);
    void on_computed(Instant now, ComputeResult result, Effects& effects);
    void on_quoted(Instant now, QuoteResult result, Effects& effects);
    void on_signed_off(Instant now, SignOffResult result, Effects& effects);
    void on_timer(Instant now, uint64_t id, Effects& effects);

    /// What the hop carries in a probe that wants evidence. Fresh quotes are of this statement, or
    /// of the one before while the entry still goes by that.
    void set_evidence(Bytes statement, Bytes quote);

    size_t route_count() const { return routes_.count(); }
    size_t sequence_count() const { return sequences_.size(); }
    size_t parked_count() const { return parked_.size(); }
    /// Batches that wait for the engine, and the bytes of their rows.
    size_t queued_count() const { return queue_.size(); }
    uint64_t queued_bytes() const { return queued_bytes_; }
    /// Quotes that are being made for receipts.
    size_t quoting_count() const { return quoting_.size(); }
    /// Settlements that wait to be signed.
    size_t sign_off_count() const { return signing_off_.size(); }
    KvAmount kv_free() const { return ledger_.free(); }
    KvAmount kv_capacity() const { return ledger_.capacity(); }
    size_t retained_page_count() const { return ledger_.retained_count(); }
    const Counters& counters() const { return counters_; }
    const StageMeter& meter() const { return meter_; }

  private:
    static constexpr uint64_t park_timer_id = 1;

    /// A route for as long as one of its messages is looked at.
    struct Route {
        wire::RouteId id{};
        Neighbours at{};
    };
    struct Sequence {
        wire::RouteId route{};
        Epoch epoch = 0;
        SamplingOptions sampling{};
        Position positions_max = 0;
        Position prompt_positions = 0;
        PrefixStart start{};
        TraceSalt salt{};
        Position next_position = 0;
        /// Rows before this one stay what they are.
        Position settled = 0;
        /// Rows before this one were computed on an earlier route, and are not taken again.
        Position resumed = 0;
        bool replays = false;
        /// The next of them to be named or sent again; each comes once.
        Position replayed = 0;
        SequenceTrace trace{};
        /// Its open is part of a job already.
        bool in_engine = false;
        /// No more rows of it are computed; what was can be signed for until the entry closes it.
        bool has_failed = false;
    };
    using Sequences = std::map<RequestId, Sequence>;
    struct Parked {
        Sequence sequence{};
        Instant until{};
    };
    using ParkedSequences = std::map<RequestId, Parked>;

    struct Batch {
        wire::RouteId route{};
        wire::Forward forward{};
        Instant arrived{};
    };

    /// What the engine works on.
    struct Running {
        uint64_t job_id = 0;
        wire::RouteId route{};
        uint64_t batch_id = 0;
        /// None in a job that only closes.
        std::vector<wire::ForwardRow> rows{};
        ActivationFormat format = ActivationFormat::f32;
        Instant began{};
    };

    void on_route_message(Instant now, const Route& route, wire::Message message, Effects& effects);
    void on_open(const Route& route, const wire::Open& open, Effects& effects);
    void on_forward(const Route& route, wire::Forward batch, Effects& effects);
    bool is_kept(const Route& route, const wire::Forward& batch);
    void on_replay(const Route& route, wire::Replay replay, Effects& effects);
    void on_close(const Route& route, const wire::Close& close, Effects& effects);
    void on_sign(const Route& route, const wire::Sign& sign, Effects& effects);
    void on_attest(const Route& route, const wire::Attest& order, Effects& effects);
    void on_sign_off(const Route& route, wire::SignOff ask, Effects& effects);
    void on_retain(const Route& route, const wire::Retain& retain, Effects& effects);
    void on_evict(const Route& route, wire::Evict evict, Effects& effects);
    void on_probe(const wire::RouteId& id, const wire::NodeId& from, wire::Probe probe,
                  Effects& effects);

    void refuse(const Route& route, const wire::Forward& batch, ErrorCode code, Effects& effects);
    void take_rows(const Route& route, wire::Forward& batch, Effects& effects);
    bool is_newer(const Route& route, const wire::Open& open) const;
    std::optional<ErrorCode> take(const Route& route, const wire::Open& open);
    std::optional<ErrorCode> begin(const Route& route, const wire::Open& open);
    std::optional<ErrorCode> resume(const Route& route, const wire::Open& open);
    bool can_resume(const Sequence& sequence, const wire::Open& open) const;
    void park(Instant now, Sequences::iterator sequence, Effects& effects);
    void await_parked(Effects& effects);
    ParkedSequences::iterator oldest_parked();
    void close_parked(ParkedSequences::iterator parked);
    void close_all(const RequestId& request);
    std::optional<ErrorCode> refusal_of(const Route& route, const wire::Open& open) const;
    KvAmount kv_free_for(const wire::RouteId& route) const;
    bool make_room(const wire::RouteId& route, const wire::Open& open);
    bool drop_idle_pages(const wire::RouteId& but);
    bool goes_back(const Sequence& sequence, const wire::ForwardRow& row) const;
    std::optional<ErrorCode> check_row(Sequence& sequence, const wire::ForwardRow& row) const;
    void start_next(Effects& effects);
    void start(const wire::RouteId& route, wire::Forward batch, Effects& effects);
    void trace_input(const wire::Forward& batch);
    void note_output(const wire::RouteId& route, const wire::Forward& batch);
    void trace_output(const wire::RouteId& route, const wire::Message& message);
    void fail_sequences(const std::vector<SequenceFailure>& failures, Effects& effects);
    void deliver(const Route& route, Running running, ComputeResult result, Effects& effects);
    Sequences::iterator live(const wire::RouteId& route, const RequestId& request, Epoch epoch);
    void close(Sequences::iterator sequence);
    void leave(Instant now, const Route& route, Effects& effects);
    void end_route(Instant now, const wire::RouteId& route, Effects& effects);
    void drop_pages(const wire::RouteId& route);
    void drop_page(PrefixId prefix);
    void give_up(const Route& route, Sequences::iterator sequence, ErrorCode code,
                 Effects& effects);
    void send_quote(const Route& route, QuoteResult result, Effects& effects) const;
    void send_on(const Route& route, wire::Message message, Effects& effects) const;
    void send_on_unless_tail(const Route& route, wire::Message message, Effects& effects) const;
    void send_failed(const Route& route, const RequestId& request, Epoch epoch, ErrorCode code,
                     Effects& effects) const;

    StageOptions options_;
    /// Of the event that is being handled.
    Instant now_{};
    Bytes statement_;
    Bytes former_statement_;
    Bytes quote_;
    StageRoutes routes_;
    KvLedger ledger_;
    Sequences sequences_;
    /// Of routes that have ended; no request is here and in sequences_.
    ParkedSequences parked_;
    std::optional<Instant> park_timer_at_;
    ReplayLog log_;
    /// That each route has retained.
    std::map<wire::RouteId, std::set<PrefixId>> pages_;
    std::deque<Batch> queue_;
    uint64_t queued_bytes_ = 0;
    /// For the next job: sequences that the engine still holds but nobody needs, and those it has
    /// yet to be told of (in sequences_ unless closed since).
    std::vector<RequestId> closes_;
    std::vector<RequestId> opens_;
    PrefixChanges prefix_changes_;
    std::optional<Running> running_;
    uint64_t next_job_id_ = 1;
    /// Quotes that are being made, and over which route each goes.
    std::multimap<RequestId, wire::RouteId> quoting_;
    /// What the owner is to sign, by the job's id.
    struct SigningOff {
        wire::RouteId route{};
        uint64_t ask = 0;
    };
    std::map<uint64_t, SigningOff> signing_off_;
    uint64_t next_sign_off_id_ = 1;
    Counters counters_;
    StageMeter meter_;
};

}  // namespace teetee::pipeline
