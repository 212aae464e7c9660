// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "pipeline/counters.hpp"
#include "pipeline/effects.hpp"
#include "pipeline/fair_queue.hpp"
#include "pipeline/lane.hpp"
#include "pipeline/quote_collector.hpp"
#include "pipeline/record_collector.hpp"
#include "pipeline/replay_log.hpp"
#include "pipeline/router.hpp"
#include "pipeline/sign_off_collector.hpp"
#include "pipeline/stage_meter.hpp"

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
    /// alone. Without a tenant nothing is kept or taken. Tenants take turns; those without are one.
    std::optional<Digest> tenant{};
    /// When it ends with deadline_exceeded if it is not done, wherever it is by then.
    std::optional<Instant> deadline{};
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
    /// Requests that wait for a place in the KV cache. A tenant has at most as many there as it
    /// leaves free: half of the places, where others wait fewer.
    uint32_t queued_max = 256;
    /// Tokens of an answer that are guessed ahead, so that one pass through the stages yields
    /// several; 0: none.
    uint32_t drafts_max = 16;
    /// How the rows of all its requests travel; a route needs stages that take it. With another one
    /// than f32 answers depend on where the model is cut.
    ActivationFormat activations = ActivationFormat::f32;
    /// Effects::drafts are answered; an answer that takes longer is not waited for.
    bool has_draft_model = false;
    Duration draft_timeout = std::chrono::seconds(1);
    /// The first id for a retained page; random, so that no other life of an entry gave it. Each
    /// route has 2^40 ids of its own from there.
    PrefixId first_prefix = 1;
    Duration probe_interval = std::chrono::milliseconds(250);
    /// At most: see Route::check_stall.
    Duration probe_timeout = std::chrono::seconds(3);
    /// A batch that takes longer is lost: a stage that hangs in its engine still passes probes on.
    /// At most; where it is known what batches take, this long and several times that.
    Duration batch_timeout = std::chrono::seconds(60);
    Duration batch_patience = std::chrono::seconds(10);
    /// Routes that a request may lose one after the other without a token: a prompt that brings
    /// stages down must not bring down all of them.
    uint32_t reroutes_max = 8;
    /// How long requests wait while no route is ready.
    Duration reroute_timeout = std::chrono::seconds(10);
    /// How long a request waits for room in the KV caches of a route, until its first token or,
    /// when it has lost its route, the next one.
    Duration room_timeout = std::chrono::minutes(2);
    /// Of rows noted so that a node in the first stage's place can have them again.
    uint64_t replay_bytes_max = uint64_t{64} << 20;
    RecordCollector::Options records{};
    QuoteCollector::Options quotes{};
    SignOffCollector::Options sign_offs{};
};

/// Stage 0 and scheduler: turns requests into batches, sends them over its routes, and turns the
/// tails' tokens into events for the clients. Serves all layers alone when its engine has them.
///
/// Batches are continuous: each takes one decode row of every request of a route whose last token
/// is known (in turns; only a share of them when several stages have to be kept busy) and fills up
/// with prompt chunks, in turns by tenant. On each route one batch more than there are stages is in
/// flight; the routes take turns at the entry's own engine.
///
/// Where it pays, decode rows are followed by rows of tokens that are only guessed: whatever the
/// tail picks behind right guesses is what it would have picked later, and what was computed from
/// wrong ones is computed again. Answers are the same, and there sooner.
///
/// Where the text does not tell what comes next, a request may wait for a draft model's guesses
/// instead, if that pays. Whatever that model says or leaves unsaid, answers are the same.
///
/// Requests are admitted in turns by tenant (FairQueue), each to the route on which it should be
/// over first. When that route is lost or stalled, its requests go on over another one, with the
/// next epoch. Nodes of both routes keep what they have computed, and those before a new one replay
/// to it what they have noted of their output; where that is not to be had, prompt and answer are
/// computed again. Which token comes next depends on nothing else, so the client sees none twice
/// and none changed; that a new tail picks those it has seen is checked. A request that finds no
/// other route in time fails.
///
/// Pages of keys and values outlive their request for the tenant's next one on the same route: the
/// entry alone decides which (it retains the whole pages of a prompt once it is computed, and those
/// of the answer at its end), which to begin from, and which to give up, least recently used first,
/// when a new request needs the room. A stage that does not have a prefix makes the request start
/// over without: pages change when a token comes, never which. Where a stage has less room than the
/// entry thought, as others use it too, the request waits for what the next probe says.
///
/// Every accepted request ends with exactly one ClientDone or ClientFailed, unless it is cancelled.
class Entry {
  public:
    explicit Entry(EntryOptions options);

    /// Errors: invalid_argument (no prompt, no tokens wanted, id in use, sampling options),
    /// token_out_of_range, context_exceeded, kv_cache_full (would not fit into the empty ring),
    /// route_unavailable (and none was within reroute_timeout), overloaded, deadline_exceeded.
    Result<void> submit(Instant now, Submission submission, Effects& effects);
    /// Ends the request without an event. Where its client has had fewer tokens than are there (a
    /// pass yields several), `delivered` says how many: no stage signs for more, and the usage has
    /// no more. Error: request_unknown.
    Result<Usage> cancel(Instant now, RequestId request, Effects& effects,
                         uint32_t delivered = UINT32_MAX);
    /// For the receipt of a request that is over: has every stage make a quote. The order MUST name
    /// the entry's own layers, and its request not have been ordered for before.
    void ask_for_quotes(Instant now, QuoteOrder order, Effects& effects);
    /// Has nodes of its routes, and itself, sign what their owners find right. Each is asked over
    /// any route that is ready and has it; route_unavailable where there is none. Comes to an end
    /// as an outcome of the same id, maybe at once.
    void ask_to_sign(Instant now, SignOffOrder order, Effects& effects);

    /// Adds the routes that these nodes allow, and drains those that they do not: such a route
    /// takes requests only where no other is ready, and goes when it has none.
    void use_nodes(Instant now, const std::vector<RouterNode>& nodes, Effects& effects);
    /// No new request goes to any of these nodes, until another call leaves it out: a route over
    /// one is not ready, whatever else there is; what is under way on it may end, and it still
    /// carries what nodes are asked to sign. The entry may be one of them.
    void bar_nodes(Instant now, std::set<wire::NodeId> nodes, Effects& effects);
    /// A further route over these nodes, this one first; a path of it alone where it has all
    /// layers. Its number.
    uint64_t add_route(Instant now, std::vector<wire::NodeId> path, Effects& effects);
    /// Its requests go on over other routes.
    void remove_route(Instant now, uint64_t number, Effects& effects);

    void on_link_up(Instant now, const wire::NodeId& peer, Effects& effects);
    void on_link_down(Instant now, const wire::NodeId& peer, Effects& effects);
    void on_frame(Instant now, const wire::NodeId& from, wire::Frame frame, Effects& effects);
    void on_computed(Instant now, ComputeResult result, Effects& effects);
    void on_quoted(Instant now, QuoteResult result, Effects& effects);
    void on_signed_off(Instant now, SignOffResult result, Effects& effects);
    /// What the draft model says; it need not be right, nor there in time.
    void on_drafted(Instant now, DraftResult result, Effects& effects);
    void on_timer(Instant now, uint64_t id, Effects& effects);

    /// For the first hop of probes that want evidence.
    void set_evidence(Bytes statement, Bytes quote);
    /// The next probe of each route collects evidence afresh.
    void refresh_evidence();

    /// How the rows of every request travel.
    ActivationFormat activations() const { return options_.activations; }
    /// Some route is and takes requests, though it may be draining.
    bool ready() const;
    std::vector<const Route*> routes() const;
    /// Those that make ready() true.
    std::vector<const Route*> open_routes() const;
    /// Null if there is none with that number.
    const Route* route(uint64_t number) const;
    size_t queued_count() const { return queue_.size(); }
    const FairQueue& queue() const { return queue_; }
    /// It is on a route.
    bool is_active(const RequestId& request) const;
    /// About how long until the next request that is active is over; 0 where nothing is known.
    Duration next_end() const;
    size_t active_count() const;
    size_t in_flight_count() const;
    /// Requests that are over and wait for records.
    size_t record_count() const { return records_.pending_count(); }
    /// Receipts that wait for quotes.
    size_t quoting_count() const { return quotes_.pending_count(); }
    /// Settlements that wait for signatures.
    size_t sign_off_count() const { return sign_offs_.pending_count(); }
    /// Of the entry's own KV cache, over all routes.
    KvAmount kv_capacity() const { return capacity_; }
    KvAmount kv_used() const;
    KvAmount kv_free() const;
    size_t retained_page_count() const;
    const Counters& counters() const { return counters_; }
    /// Of the entry's own engine.
    const StageMeter& meter() const { return meter_; }
    const EntryMeter& entry_meter() const { return entry_meter_; }

  private:
    static constexpr uint64_t tick_timer_id = 1;

    struct Request {
        Submission submission{};
        Epoch epoch = 1;
        /// The route it is on; none while queued. From then on the engine and the route know it, so
        /// that every stage's account of its memory is the entry's.
        Lane* lane = nullptr;
        /// Order of admission.
        uint64_t serial = 0;
        /// Prompt and answer as far as they are known.
        std::vector<TokenId> tokens{};
        size_t prompt_count = 0;
        /// Of the next row to schedule.
        Position next_position = 0;
        Usage usage;
        PrefixStart start{};
        /// Since when it has waited for a route with room, refusals included.
        Instant waits_since{};
        /// Since when there have been routes, and all of them too small for it.
        std::optional<Instant> unfit_since{};
        /// A stage had less room than the entry thought.
        bool was_refused = false;
        /// Some stage had lost pages: all of it is computed, and the next refusal stands.
        bool has_started_over = false;
        /// Why it has lost its last route, and how often that was so since its last new token.
        std::optional<Error> interruption{};
        uint32_t interruptions = 0;
        /// Positions that every stage of the route has computed.
        Position computed = 0;
        /// Between two routes: what the nodes of the first one, this entry included, still have.
        struct Kept {
            std::vector<wire::NodeId> path{};
            Position positions = 0;
        };
        std::optional<Kept> kept{};
        /// On the second one: the rows before `resumed` are not computed here again. Those that are
        /// still to be sent to a node that has not computed them begin at `replayed`.
        Position replayed = 0;
        Position resumed = 0;
        std::vector<wire::Resume> resumes{};
        SequenceTrace trace{};
        std::optional<Drafter> drafter{};
        /// Of the draft model.
        struct ModelDrafts {
            DraftPolicy policy{};
            /// It has something of this request, and all of it but what came last.
            bool is_known = false;
            bool is_ready = false;
            /// The request does not go on until the answer is there.
            bool is_awaited = false;
            /// The latest place at which it was considered to ask.
            size_t considered = 0;
            /// What it has said, and for which place.
            size_t place = 0;
            std::vector<TokenId> tokens{};
        };
        ModelDrafts drafts{};

        Position positions_max() const {
            return static_cast<Position>(prompt_count + submission.max_tokens);
        }
        /// Known tokens; guesses may have been scheduled beyond.
        size_t unscheduled() const {
            return tokens.size() - std::min<size_t>(next_position, tokens.size());
        }
        bool is_replaying() const { return replayed < resumed; }
        /// All is computed but the token that came last.
        bool is_decoding() const {
            return next_position >= prompt_count && unscheduled() <= 1 && !is_replaying();
        }
    };
    using Requests = std::map<RequestId, Request>;

    Result<void> check(Instant now, const Submission& submission) const;
    Result<void> check_room(const Submission& submission) const;
    Result<void> check_queue(const Submission& submission) const;
    void schedule(Instant now, Effects& effects);
    void schedule_lane(Lane& lane, ComputeJob& job, Lane::Batch& batch);
    void end_overdue(Instant now, Effects& effects);
    void admit(Instant now, Effects& effects);
    struct Choice {
        Lane* lane = nullptr;
        PrefixStart start{};
        /// Some route has room for it, and only the entry's own KV cache has none.
        bool lacks_own_room = false;
    };
    Choice choose_lane(const Request& request);
    static bool could_hold(const Lane& lane, Position positions);
    Duration expected_time(const Lane& lane, const Request& request, PrefixStart start) const;
    bool fits_here(const Request& request, KvAmount need) const;
    KvAmount kv_free_for(const Lane& lane) const;
    void fail_sequences(const std::vector<SequenceFailure>& failures, Effects& effects);
    void add_decode_rows(Lane& lane, ComputeJob& job, Lane::Batch& batch, size_t rows_max);
    void add_prompt_rows(Lane& lane, ComputeJob& job, Lane::Batch& batch, size_t rows_max);
    void add_row(Request& request, Lane::Source source, ComputeJob& job, Lane::Batch& batch);
    void add_guesses(Lane& lane, Request& request, ComputeJob& job, Lane::Batch& batch,
                     size_t rows_max);
    size_t guesses_max(const Request& request) const;
    Drafter::Draft guess(const Lane& lane, Request& request, size_t most) const;
    void ask_for_drafts(Instant now, Effects& effects);
    void ask_for_draft(Instant now, const Lane& lane, Request& request, Effects& effects);
    void await_no_longer(Instant now, Effects& effects);
    void end_drafts(const Request& request, Effects& effects);
    void settle(const Lane::Guess& guess);
    static bool is_wrong(const Request& request, Position position, Lane::Source source);
    void open(Lane& lane, Request& request, Effects& effects);
    static bool can_keep(const Request& request);
    void drop_kept(Request& request);
    bool drop_kept_of_another(const RequestId& request);
    std::vector<wire::Resume> resumes_on(const Lane& lane, const Request& request) const;
    void resume(Request& request);
    void replay(Instant now, Lane& lane, Effects& effects);
    void replay_rows(Instant now, Lane& lane, Request& request, Effects& effects);
    void note_output(const wire::Forward& batch);
    void deliver(Instant now, Lane& lane, Lane::Batch& batch, ComputeResult result,
                 Effects& effects);
    void trace_output(const wire::Message& message);
    void on_lost(Instant now, Lane& lane, const wire::NodeId& node, Effects& effects);
    void on_route_message(Instant now, Lane& lane, wire::Message message, Effects& effects);
    void on_tokens(Instant now, Lane& lane, const wire::Tokens& tokens, Effects& effects);
    void accept(Requests::iterator request, const wire::TokenRow& answer, Effects& effects);
    Result<void> check_answer(const Request& request, const wire::TokenRow& answer) const;
    void on_failed(const Lane& lane, const wire::Failed& failed, Effects& effects);
    void ask_for_records(const Request& request, Effects& effects);
    void on_quote(QuoteResult result, LayerRange layers, Effects& effects);
    void on_signed_off(const Lane& lane, const wire::SignedOff& answer, Effects& effects);
    const Lane* lane_over(const wire::NodeId& node) const;
    void on_probe(Instant now, Lane& lane, wire::Probe probe, Effects& effects);
    void send_probe(Instant now, Lane& lane, Effects& effects);
    void end_drained(Instant now, Effects& effects);
    bool is_barred(const Path& path) const;
    Duration patience(const Lane& lane, const Lane::Batch& batch) const;
    void forget_batches(Instant now, Lane& lane, Effects& effects);
    void give_up_if_unfit(Instant now, Requests::iterator found, Effects& effects);
    void give_up_queued(Instant now, Effects& effects);
    void lose_route(Instant now, Lane& lane, const Error& error, Effects& effects);
    void interrupt(Instant now, Requests::iterator request, const Error& error, Effects& effects);
    PrefixStart start_of(Lane& lane, const Request& request);
    void make_room(Lane& lane, Effects& effects);
    bool evict(Lane& lane, Effects& effects);
    void retain(Request& request, Effects& effects);
    void forget_prefixes(Lane& lane, Effects& effects);
    void fail_sequence(Requests::iterator request, Error error, Effects& effects);
    void wait_for_room(Requests::iterator request, Effects& effects);
    void start_over(Requests::iterator request, Effects& effects);
    void queue_again(Requests::iterator request, Effects& effects);
    void finish(Requests::iterator request, FinishReason reason, Effects& effects);
    static void take_back(Request& request, uint32_t delivered);
    void give_up(Requests::iterator request, Error error, Effects& effects);
    void end(Requests::iterator request, Effects& effects);
    void leave_route(Requests::iterator request, Effects& effects);
    void send(const Lane& lane, wire::Message message, Effects& effects) const;
    Lane* find_lane(const wire::RouteId& id);
    Requests::iterator live(const wire::ForwardRow& row);

    EntryOptions options_;
    /// Of the entry's own engine.
    KvAmount capacity_;
    Bytes statement_;
    Bytes quote_;
    std::set<wire::NodeId> peers_;
    /// See bar_nodes.
    std::set<wire::NodeId> barred_;
    std::map<uint64_t, std::unique_ptr<Lane>> lanes_;
    uint64_t next_route_ = 1;
    /// The one that the engine served last.
    uint64_t last_lane_ = 0;
    std::optional<Instant> tick_at_;
    /// When the last route that was ready was lost.
    std::optional<Instant> routeless_since_;
    Requests requests_;
    /// Each request is here or active on one lane.
    FairQueue queue_;
    /// What queued requests have in the entry's own KV cache.
    KvLedger kept_;
    ReplayLog log_;
    std::set<std::pair<Instant, RequestId>> deadlines_;
    /// For the next job: sequences that the engine has yet to be told of, and those it still holds
    /// but nobody needs.
    std::vector<SequenceOpen> opens_;
    std::vector<RequestId> closes_;
    PrefixChanges prefix_changes_;
    /// What the engine works on, and for which route.
    struct Running {
        uint64_t batch_id = 0;
        uint64_t lane = 0;
        /// Of a job that computes.
        std::optional<Instant> began{};
    };
    std::optional<Running> running_;
    /// What the draft model has yet to answer, of requests that are over as well.
    struct Asked {
        size_t place = 0;
        size_t count = 0;
        Instant at{};
        bool is_late = false;
    };
    std::map<RequestId, Asked> asked_;
    RowCost draft_cost_;
    RecordCollector records_;
    QuoteCollector quotes_;
    SignOffCollector sign_offs_;
    uint64_t next_serial_ = 1;
    uint64_t next_batch_id_ = 1;
    Counters counters_;
    StageMeter meter_;
    EntryMeter entry_meter_;
};

}  // namespace teetee::pipeline
