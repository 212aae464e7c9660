// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "pipeline/counters.hpp"
#include "pipeline/effects.hpp"
#include "pipeline/kv_ledger.hpp"
#include "pipeline/prefix_index.hpp"
#include "pipeline/quote_collector.hpp"
#include "pipeline/record_collector.hpp"
#include "pipeline/ring.hpp"

namespace teetee::pipeline {

struct Submission {
    /// Never used before: late tokens are told apart by it.
    RequestId request{};
    std::vector<TokenId> prompt{};
    /// At least 1.
    uint32_t max_tokens = 0;
    SamplingOptions sampling{};
    /// Tokens that end the answer and are not part of it; at most stop_tokens_max.
    std::vector<TokenId> stop_tokens{};
    /// Whose prompt it is: pages of it are kept for, and taken from, this tenant's other requests
    /// alone. Without a tenant nothing is kept or taken.
    std::optional<Digest> tenant{};
    /// Random; see TraceSalt.
    TraceSalt salt{};
};

inline constexpr size_t stop_tokens_max = 64;

struct EntryOptions {
    wire::NodeId node_id{};
    EngineLimits engine{};
    /// Prompt rows of one request in a batch.
    uint32_t chunk_rows = 256;
    /// Rows of a batch; the engine's own limit holds as well.
    uint32_t batch_rows_max = 512;
    /// Requests that wait for a place in the KV cache.
    uint32_t queued_max = 256;
    /// The first id for a retained page; random, so that no other life of an entry gave it.
    PrefixId first_prefix = 1;
    Duration probe_interval = std::chrono::milliseconds(500);
    Duration probe_timeout = std::chrono::seconds(3);
    /// A batch that takes longer is lost: a stage that hangs in its engine still passes probes on.
    Duration batch_timeout = std::chrono::seconds(60);
    RecordCollector::Options records{};
    QuoteCollector::Options quotes{};
};

/// Stage 0 and scheduler: turns requests into batches, sends them round the ring, and turns the
/// tail's tokens into events for the clients. Serves all layers alone when its engine has them.
///
/// Batches are continuous: each takes one decode row of every request whose last token is known
/// (oldest first; only a share of them when several stages have to be kept busy) and fills up with
/// prompt chunks in turns. One batch more than there are stages is in flight.
///
/// Pages of keys and values outlive their request for the tenant's next one: the entry alone
/// decides which (it retains the whole pages of a prompt once it is computed, and those of the
/// answer at its end), which to begin from, and which to give up, least recently used first, when a
/// new request needs the room. A stage that does not have a prefix makes the request start over
/// without: pages change when a token comes, never which. So does one that has less room than the
/// entry thought, which then waits for what the next probe says.
///
/// Every accepted request ends with exactly one ClientDone or ClientFailed, unless it is cancelled.
/// A lost or stalled ring fails all of them at once; the entry serves again when a probe returns.
class Entry {
  public:
    explicit Entry(EntryOptions options);

    /// Errors: invalid_argument (no prompt, no tokens wanted, id in use, sampling options),
    /// token_out_of_range, context_exceeded, kv_cache_full (would not fit into the empty ring),
    /// route_unavailable, overloaded.
    Result<void> submit(Instant now, Submission submission, Effects& effects);
    /// Ends the request without an event. Error: request_unknown.
    Result<Usage> cancel(Instant now, RequestId request, Effects& effects);
    /// For the receipt of a request that is over: has every stage make a quote. The order MUST name
    /// the entry's own layers, and its request not have been ordered for before.
    void ask_for_quotes(Instant now, QuoteOrder order, Effects& effects);

    void on_link_up(Instant now, Direction direction, Effects& effects);
    void on_link_down(Instant now, Direction direction, Effects& effects);
    void on_message(Instant now, Direction from, wire::Message message, Effects& effects);
    void on_computed(Instant now, ComputeResult result, Effects& effects);
    void on_quoted(Instant now, QuoteResult result, Effects& effects);
    void on_timer(Instant now, uint64_t id, Effects& effects);

    bool ready() const { return is_alone_ || ring_.ready(); }
    /// Route, round trip and evidence; without hops when the entry is alone.
    const Ring& ring() const { return ring_; }
    Ring& ring() { return ring_; }
    size_t queued_count() const { return queue_.size(); }
    size_t active_count() const { return active_.size(); }
    size_t in_flight_count() const { return in_flight_.size(); }
    /// Receipts that wait for quotes.
    size_t quoting_count() const { return quotes_.pending_count(); }
    const KvLedger& ledger() const { return ledger_; }
    const Counters& counters() const { return counters_; }

  private:
    struct Request {
        Submission submission{};
        Epoch epoch = 1;
        /// Order of admission; none while queued. From then on the engine and the ring know it, so
        /// that every stage's account of its memory is the entry's.
        std::optional<uint64_t> serial{};
        /// Of the next row to schedule.
        Position next_position = 0;
        /// Sampled and not yet scheduled: the request is ready to decode.
        std::optional<TokenId> next_token{};
        Usage usage;
        PrefixStart start{};
        /// Some stage had lost pages: all of it is computed, and the next refusal stands.
        bool has_started_over = false;
        /// Positions that every stage has computed.
        Position computed = 0;
        /// What was generated so far, for a request with a tenant.
        std::vector<TokenId> answer{};
        SequenceTrace trace{};

        Position positions_max() const;
        bool is_prompt_sent() const { return next_position >= submission.prompt.size(); }
    };
    using Requests = std::map<RequestId, Request>;

    struct Batch {
        Instant formed{};
        std::vector<wire::ForwardRow> rows{};
    };

    Result<void> check(const Submission& submission) const;
    void schedule(Instant now, Effects& effects);
    void admit(ComputeJob& job, Effects& effects);
    KvAmount capacity() const;
    size_t stage_count() const;
    void add_decode_rows(ComputeJob& job, Batch& batch, size_t rows_max);
    void add_prompt_rows(ComputeJob& job, Batch& batch, size_t rows_max);
    void add_row(Request& request, TokenId token, ComputeJob& job, Batch& batch);
    void open(Request& request, ComputeJob& job, Effects& effects);
    void deliver(Batch& batch, ComputeResult result, Effects& effects);
    void on_tokens(const wire::Tokens& tokens, Effects& effects);
    void accept(Requests::iterator request, const wire::TokenRow& answer, Effects& effects);
    void on_failed(const wire::Failed& failed, Effects& effects);
    void trace_output(const wire::Message& message);
    void ask_for_records(const Request& request, Effects& effects);
    void on_quote(QuoteResult result, LayerRange layers, Effects& effects);
    void on_probe(Instant now, wire::Probe probe, Effects& effects);
    void forget_batches(Instant now, Effects& effects);
    void lose_ring(const Error& error, Effects& effects);
    PrefixStart start_of(const Request& request);
    void make_room(Effects& effects);
    void retain(const Request& request, Effects& effects);
    void forget_prefixes(Effects& effects);
    static bool shows_lost_pages(const Request& request, ErrorCode code);
    void fail_sequence(Requests::iterator request, Error error, Effects& effects);
    void start_over(Requests::iterator request, Effects& effects);
    void finish(Requests::iterator request, FinishReason reason, Effects& effects);
    void give_up(Requests::iterator request, Error error, Effects& effects);
    void end(Requests::iterator request, Effects& effects);
    void leave_ring(Requests::iterator request, Effects& effects);
    Requests::iterator live(const wire::ForwardRow& row);

    EntryOptions options_;
    bool is_alone_;
    KvLedger ledger_;
    PrefixIndex prefixes_;
    Ring ring_;
    Requests requests_;
    /// Each request is in exactly one of these two; prompt_turns_ names the active ones with
    /// unscheduled prompt, whose turn comes next first.
    std::deque<RequestId> queue_;
    std::map<uint64_t, RequestId> active_;
    std::deque<RequestId> prompt_turns_;
    /// Sequences that the engine still holds but nobody needs.
    std::vector<RequestId> closes_;
    PrefixChanges prefix_changes_;
    std::optional<uint64_t> running_;
    std::map<uint64_t, Batch> in_flight_;
    RecordCollector records_;
    QuoteCollector quotes_;
    uint64_t next_serial_ = 1;
    uint64_t next_batch_id_ = 1;
    Counters counters_;
};

}  // namespace teetee::pipeline
