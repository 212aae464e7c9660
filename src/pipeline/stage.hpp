// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "pipeline/counters.hpp"
#include "pipeline/effects.hpp"
#include "pipeline/kv_ledger.hpp"
#include "wire/limits.hpp"

namespace teetee::pipeline {

struct StageOptions {
    wire::NodeId node_id{};
    EngineLimits engine{};
    /// Batches that wait for the engine. An entry has one more in flight than there are stages.
    uint32_t batches_queued_max = wire::Limits{}.hops_max + 1;
    uint64_t bytes_queued_max = uint64_t{1} << 30;
    /// Null: nothing is traced, and who asks for a record gets none.
    std::shared_ptr<const attest::RecordSigner> signer{};
};

/// A stage behind the entry: computes the batches that come from the previous node, one at a time
/// and in order, and sends each result on. It MUST see the events of its links and of its engine in
/// the order in which they happen.
///
/// Rows of sequences that are closed, never opened or of another epoch are dropped and counted,
/// which is what makes a Close that overtakes its last rows harmless. A sequence that breaks the
/// rules or does not fit is given up with a Failed to the entry; the batch goes on without it. Only
/// a lost link is reported as stage_failed or route_unavailable.
class Stage {
  public:
    explicit Stage(StageOptions options);

    void on_link_up(Instant now, Direction direction, Effects& effects);
    /// Either way all sequences are over, and no page is retained: their KV upstream or downstream
    /// cannot be reached. Whoever is behind a lost link is told, so that pages that one entry's
    /// chain of messages has retained never meet another's.
    void on_link_down(Instant now, Direction direction, Effects& effects);
    void on_message(Instant now, Direction from, wire::Message message, Effects& effects);
    void on_computed(Instant now, ComputeResult result, Effects& effects);
    void on_quoted(Instant now, QuoteResult result, Effects& effects);

    /// What the hop carries in a probe that wants evidence. Fresh quotes are of this statement, or
    /// of the one before while the entry still goes by that.
    void set_evidence(Bytes statement, Bytes quote);

    size_t sequence_count() const { return sequences_.size(); }
    KvAmount kv_free() const { return ledger_.free(); }
    size_t retained_page_count() const { return ledger_.retained_count(); }
    const Counters& counters() const { return counters_; }

  private:
    struct Sequence {
        Epoch epoch = 0;
        SamplingOptions sampling{};
        Position positions_max = 0;
        Position prompt_positions = 0;
        PrefixStart start{};
        TraceSalt salt{};
        Position next_position = 0;
        SequenceTrace trace{};
        /// Its open is part of a job already.
        bool in_engine = false;
    };
    using Sequences = std::map<RequestId, Sequence>;

    struct Running {
        uint64_t batch_id = 0;
        /// None in a job that only closes.
        std::vector<wire::ForwardRow> rows{};
        /// A link was lost meanwhile: nobody waits for the result.
        bool discard = false;
    };

    void on_open(const wire::Open& open, Effects& effects);
    void on_forward(wire::Forward batch, Effects& effects);
    void on_close(const wire::Close& close, Effects& effects);
    void on_sign(const wire::Sign& sign, Effects& effects);
    void on_attest(const wire::Attest& order, Effects& effects);
    void on_retain(const wire::Retain& retain, Effects& effects);
    void on_evict(wire::Evict evict, Effects& effects);
    void on_failed(Direction from, const wire::Failed& failed, Effects& effects);
    void on_probe(wire::Probe probe, Effects& effects);

    void refuse(const wire::Forward& batch, ErrorCode code, Effects& effects);
    void take_rows(wire::Forward& batch, Effects& effects);
    std::optional<ErrorCode> refusal_of(const wire::Open& open) const;
    std::optional<ErrorCode> check_row(Sequence& sequence, const wire::ForwardRow& row) const;
    void start_next(Effects& effects);
    void start(wire::Forward batch, Effects& effects);
    void trace_input(const wire::Forward& batch);
    void trace_output(const wire::Message& message);
    void deliver(Running running, ComputeResult result, Effects& effects);
    void close(Sequences::iterator sequence);
    void close_all();
    void drop_prefixes();
    void give_up(Sequences::iterator sequence, ErrorCode code, Effects& effects);
    void send_quote(QuoteResult result, Effects& effects) const;
    void send_failed(RequestId request, Epoch epoch, ErrorCode code, Effects& effects) const;

    StageOptions options_;
    Bytes statement_;
    Bytes former_statement_;
    Bytes quote_;
    Links links_;
    KvLedger ledger_;
    Sequences sequences_;
    std::deque<wire::Forward> queue_;
    uint64_t queued_bytes_ = 0;
    /// For the next job: sequences that the engine still holds but nobody needs, and those it has
    /// yet to be told of (in sequences_ unless closed since).
    std::vector<RequestId> closes_;
    std::vector<RequestId> opens_;
    PrefixChanges prefix_changes_;
    std::optional<Running> running_;
    Counters counters_;
};

}  // namespace teetee::pipeline
