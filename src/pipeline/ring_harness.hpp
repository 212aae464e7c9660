// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "attest/dev_tee.hpp"
#include "pipeline/entry.hpp"
#include "pipeline/stage.hpp"

/// For tests: a ring of one Entry and some Stages in virtual time, with a cheap engine.
namespace teetee::pipeline::testing {

/// splitmix64 (Steele et al. 2014): the same numbers on every platform.
struct Random {
    uint64_t state = 0;
    uint64_t next() {
        state += 0x9e3779b97f4a7c15;
        uint64_t z = state;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    uint64_t below(uint64_t end) { return next() % end; }
};

inline uint64_t mix(uint64_t a, uint64_t b) {
    return Random{a * 31 + b}.next();
}

/// Each layer keeps a hash of all it has seen of a sequence, so a token depends on all earlier
/// tokens and on every layer, and one row lost, repeated or swapped changes everything after it.
/// Asserts that jobs keep the promises of engine.hpp.
class FakeEngine {
  public:
    explicit FakeEngine(EngineLimits limits) : limits_(limits), ledger_(limits) {}

    ComputeResult compute(const ComputeJob& job) {
        change(job.prefixes);
        for (const RequestId& request : job.closes) {
            if (sequences_.erase(request) > 0) ledger_.close(request);
        }
        ComputeResult result{.batch_id = job.batch_id};
        std::set<RequestId> failed;
        for (const SequenceOpen& open : job.opens) {
            if (open_sequence(open)) continue;
            failed.insert(open.request);
            result.failures.push_back({open.request, fail(ErrorCode::prefix_unknown, "fake")});
        }
        EXPECT_LE(sequences_.size(), limits_.sequences_max);
        EXPECT_LE(job.rows.size(), limits_.rows_max);
        ByteReader activations(job.activations);
        ByteWriter out;
        for (size_t i = 0; i < job.rows.size(); ++i) {
            const EngineRow& row = job.rows[i];
            uint64_t value =
                limits_.layers.begin == 0 ? job.tokens.at(i) : activations.read_u64().value();
            if (row.request == fail_request && failed.insert(row.request).second) {
                result.failures.push_back({row.request, fail(fail_code, "fake")});
            }
            if (!failed.contains(row.request)) compute_row(row, value, result, out);
        }
        EXPECT_TRUE(activations.at_end());
        if (!limits_.is_tail()) result.activations = out.take();
        return result;
    }

    size_t sequence_count() const { return sequences_.size(); }
    size_t retained_count() const { return pages_.size(); }
    /// As if the pages had never been retained.
    void lose_prefixes() {
        for (const auto& [id, page] : pages_) ledger_.drop(id);
        pages_.clear();
    }

    /// Its rows fail, if set.
    std::optional<RequestId> fail_request{};
    ErrorCode fail_code = ErrorCode::context_exceeded;

  private:
    struct Sequence {
        SequenceOpen open{};
        Position next_position = 0;
        std::vector<uint64_t> layers{};
        std::vector<TokenId> tokens{};
        /// `layers` at the end of each full block, and behind each row.
        std::vector<std::vector<uint64_t>> blocks{};
        std::vector<std::vector<uint64_t>> history{};
        size_t blocks_kept = 0;
    };

    void change(const PrefixChanges& prefixes) {
        for (const auto& [request, span] : prefixes.retains) {
            if (!ledger_.retain(request, span)) continue;
            Sequence& sequence = sequences_.at(request);
            sequence.blocks_kept = span.page_end;
            for (uint32_t i = 0; i < span.page_count(); ++i)
                pages_[span.first + i] = sequence.blocks.at(span.page_begin + i);
        }
        for (const PrefixId prefix : prefixes.drops) {
            ledger_.drop(prefix);
            pages_.erase(prefix);
        }
    }

    /// False if the prefix is unknown; whatever else is wrong fails the test.
    bool open_sequence(const SequenceOpen& open) {
        EXPECT_FALSE(sequences_.contains(open.request));
        const auto fitting = ledger_.ensure_fits(open.positions_max, open.start);
        if (!fitting) {
            EXPECT_EQ(fitting.error().code, ErrorCode::prefix_unknown) << fitting.error().detail;
            return false;
        }
        EXPECT_TRUE(ledger_.open(open.request, open.positions_max, open.start));
        Sequence& sequence = sequences_[open.request];
        sequence = {.open = open,
                    .next_position = open.start.positions,
                    .layers = std::vector<uint64_t>(limits_.layer_count)};
        for (const PrefixId id : ledger_.shared_pages(open.request))
            sequence.blocks.push_back(pages_.at(id));
        if (!sequence.blocks.empty()) sequence.layers = sequence.blocks.back();
        return true;
    }

    /// With the tokens and logprobs that the sampling options call for, made up from the pick.
    void sample_row(const Sequence& sequence, const EngineRow& row, uint64_t value,
                    ComputeResult& result) const {
        const SamplingOptions& sampling = sequence.open.sampling;
        uint64_t pick = mix(value, sampling.seed);
        if (sampling.needs_tokens()) {
            EXPECT_EQ(sequence.tokens.size(), row.position + 1);
            pick = mix(pick, sampling.answer_begin(sequence.open.prompt_positions));
            for (const TokenId token : sequence.tokens) pick = mix(pick, token);
        }
        const uint32_t choices = sampling.top_k > 0 ? sampling.top_k : limits_.vocabulary_size;
        const auto token = static_cast<TokenId>(pick % choices);
        result.tokens.push_back({row.request, row.position, token});
        if (!sampling.logprobs) return;
        TokenLogprobs logprobs{.chosen = -static_cast<float>(pick % 100)};
        for (uint32_t i = 0; i < sampling.top_logprobs; ++i) {
            logprobs.top.push_back({i, -static_cast<float>(i)});
        }
        result.tokens.back().logprobs = std::move(logprobs);
    }

    /// Later rows were computed from guesses that were wrong.
    void go_back(Sequence& sequence, Position position) const {
        ASSERT_GE(position, sequence.open.prompt_positions);
        ASSERT_FALSE(sequence.open.sampling.needs_tokens());
        sequence.history.resize(position - sequence.open.start.positions);
        sequence.layers = sequence.history.back();
        sequence.next_position = position;
        ASSERT_GE(position / limits_.block_positions, sequence.blocks_kept);
        sequence.blocks.resize(position / limits_.block_positions);
    }

    void compute_row(const EngineRow& row, uint64_t value, ComputeResult& result, ByteWriter& out) {
        ASSERT_TRUE(sequences_.contains(row.request));
        Sequence& sequence = sequences_.at(row.request);
        if (row.position < sequence.next_position) go_back(sequence, row.position);
        ASSERT_EQ(row.position, sequence.next_position++);
        ASSERT_LT(row.position, sequence.open.positions_max);
        ASSERT_EQ(row.token.has_value(), sequence.open.sampling.needs_tokens());
        if (row.token) sequence.tokens.push_back(*row.token);
        for (uint32_t layer = limits_.layers.begin; layer < limits_.layers.end; ++layer) {
            uint64_t& state = sequence.layers[layer];
            state = mix(state + layer, value);
            value = mix(value, state);
        }
        sequence.history.push_back(sequence.layers);
        if (sequence.next_position % limits_.block_positions == 0)
            sequence.blocks.push_back(sequence.layers);
        out.u64(value);
        if (!limits_.is_tail() || !row.wants_token) return;
        sample_row(sequence, row, value, result);
    }

    EngineLimits limits_;
    KvLedger ledger_;
    std::map<RequestId, Sequence> sequences_;
    std::map<PrefixId, std::vector<uint64_t>> pages_;
};

struct WorldOptions {
    uint32_t stage_count = 1;
    uint64_t seed = 1;
    uint32_t chunk_rows = 256;
    uint32_t batch_rows_max = 512;
    uint32_t queued_max = 256;
    uint32_t sequences_max = 64;
    uint64_t positions_max = 1 << 16;
    /// A hop takes up to this long, and so does a job.
    Duration delay_max = std::chrono::milliseconds(2);
    bool has_records = false;
    Duration reroute_timeout{};
    uint32_t drafts_max = 16;
    ActivationFormat activations = ActivationFormat::f32;
    bool has_draft_model = false;
};

/// A node's two neighbours on the ring.
enum class Direction { next, previous };

inline constexpr uint32_t layer_count = 10;

inline EngineLimits engine_limits(LayerRange layers, const WorldOptions& options) {
    return {.layers = layers,
            .layer_count = layer_count,
            .width = 2,
            .vocabulary_size = 1000,
            .rows_max = 1024,
            .sequences_max = options.sequences_max,
            .sequence_positions_max = 4096,
            .positions_max = options.positions_max,
            .block_positions = 16};
}

inline RequestId request_id(uint64_t number) {
    RequestId id{};
    for (size_t i = 0; i < 8; ++i) id.bytes[i] = static_cast<uint8_t>(number >> (8 * i));
    return id;
}

inline const crypto::SecpKey& receipt_key(uint32_t index) {
    static std::map<uint32_t, crypto::SecpKey> keys;
    const auto found = keys.find(index);
    if (found != keys.end()) return found->second;
    const ByteArray<32> secret = {1, static_cast<uint8_t>(index)};
    return keys.emplace(index, crypto::SecpKey::from_bytes(secret).value()).first->second;
}
inline wire::NodeId node_id(uint32_t index) {
    return receipt_key(index).address();
}

/// What the client of a request has seen.
struct Outcome {
    std::vector<TokenId> tokens{};
    std::vector<TokenLogprobs> logprobs{};
    std::optional<FinishReason> reason{};
    std::optional<ErrorCode> failure{};
    /// All that came; at most one may.
    std::vector<ClientRecords> records{};
    std::vector<ClientQuotes> quotes{};
    Usage usage;
    Instant ended{};
    bool is_over() const { return reason || failure; }
};

/// What a TEE makes of it, the same one for every node.
inline Result<Bytes> dev_quote(const ByteArray<64>& report_data) {
    static attest::DevTee tee = attest::DevTee::create({1}, {}, 1'800'000'000).value();
    return tee.quote(report_data);
}

/// Node 0 is the entry. Link i joins node i to the next one, both ways (two nodes have one link);
/// messages go over it in order, encoded and decoded. One queue of events ordered by (time, order
/// of making).
class World {
  public:
    explicit World(WorldOptions options);

    Entry& entry() { return *entry_; }
    Stage& stage(uint32_t index) { return *nodes_[index].stage; }
    FakeEngine& engine(uint32_t index) { return *nodes_[index].engine; }
    Instant now() const { return now_; }

    Result<void> submit(Submission submission);
    Result<Usage> cancel(RequestId request, uint32_t delivered = UINT32_MAX);
    /// For a receipt of the request with this number, whose hash is made of it too.
    QuoteOrder quote_order(uint64_t number) const;
    void ask_for_quotes(QuoteOrder order);
    /// The entry is to have these nodes sign a digest made of the id; each is shown its index.
    static SignOffOrder sign_off_order(uint64_t id, const std::vector<uint32_t>& nodes);
    void ask_to_sign(SignOffOrder order);
    /// What came of an order.
    std::optional<SignOffOutcome> signed_off(uint64_t id) const;
    LayerRange layers(uint32_t index) const {
        return {index * layer_count / options_.stage_count,
                (index + 1) * layer_count / options_.stage_count};
    }
    const Submission& submission(RequestId request) const { return submissions_.at(request); }
    const Outcome& outcome(RequestId request) { return outcomes_[request]; }

    /// The route that all nodes are on.
    wire::RouteId route() const { return {node_id(0), route_}; }
    /// Delivers a message over it to the node as if its neighbour had sent it.
    void inject(uint32_t index, Direction from, wire::Message message);
    /// The node dies with all it knows: its neighbours see their links go down.
    void kill(uint32_t index);
    /// A fresh node takes the dead one's place.
    void restart(uint32_t index);
    /// Restarts the node if it is dead, resumes it if it is stalled, and joins its links.
    void revive(uint32_t index);
    /// A stalled node takes nothing in; its links stay up.
    void stall(uint32_t index) { nodes_[index].is_stalled = true; }
    void resume(uint32_t index);

    void cut_link(uint32_t index);
    void join_link(uint32_t index);

    void run_for(Duration duration);
    /// Runs until all submitted requests are over; fails the test after a virtual minute.
    void finish();
    /// Every node and engine is without sequences.
    void expect_idle();

    /// Called for every message that is sent.
    std::function<void(uint32_t from, const wire::Message&)> tap;
    /// What comes of a node's job; nothing ever where it is nullopt.
    std::function<std::optional<Result<Bytes>>(uint32_t index, const QuoteJob&)> tee =
        [](uint32_t, const QuoteJob& job) { return dev_quote(job.report_data); };
    /// What a node's owner says to what it is to sign; nothing ever where it is nullopt.
    std::function<std::optional<Result<crypto::RecoverableSignature>>(uint32_t index,
                                                                      const SignOffJob&)>
        owner = [](uint32_t index, const SignOffJob& job) { return sign_off(index, job); };
    static Result<crypto::RecoverableSignature> sign_off(uint32_t index, const SignOffJob& job);
    /// What the draft model says to a job with text, and how long that takes it; nothing ever where
    /// it is nullopt.
    struct Drafted {
        DraftResult result{};
        Duration takes = std::chrono::microseconds(100);
    };
    std::function<std::optional<Drafted>(const DraftJob&)> draft_model = [](const DraftJob&) {
        return std::nullopt;
    };

  private:
    struct Node {
        std::unique_ptr<Stage> stage;
        std::unique_ptr<FakeEngine> engine;
        /// Raised by every death; what was meant for an earlier life is lost.
        uint64_t life = 0;
        bool is_stalled = false;
        std::vector<std::function<void()>> held{};
    };
    struct Link {
        bool is_up = false;
        uint64_t life = 0;
        /// When the last message of each node that sends over it arrives.
        std::map<uint32_t, Instant> last{};
    };

    void at(Instant when, std::function<void()> run) {
        events_[{when, next_order_++}] = std::move(run);
    }
    Duration delay() {
        return Duration(1 + static_cast<int64_t>(
                                random_.below(static_cast<uint64_t>(options_.delay_max.count()))));
    }
    static Bytes statement(uint32_t index) { return {static_cast<uint8_t>(index)}; }
    uint32_t next(uint32_t index) const { return (index + 1) % options_.stage_count; }
    uint32_t previous(uint32_t index) const {
        return (index + options_.stage_count - 1) % options_.stage_count;
    }
    uint32_t link_behind(uint32_t index) const { return options_.stage_count == 2 ? 0 : index; }
    std::shared_ptr<const attest::RecordSigner> signer(uint32_t index) const;
    RecordCollector::Options records() const;
    template <class Event>
    void tell(uint32_t index, Event event);
    void act(uint32_t index, Effects effects);
    void send(uint32_t index, Send send);
    void make_quote(uint32_t index, const QuoteJob& job);
    void sign(uint32_t index, const SignOffJob& job);
    void draft(const DraftJob& job);
    void on_event(const ClientEvent& event);
    void tell_link(uint32_t index, uint32_t peer, bool is_up);
    void deliver(uint32_t index, uint32_t from, wire::Frame frame);

    WorldOptions options_;
    Random random_;
    Instant now_{};
    uint64_t next_order_ = 0;
    std::map<std::pair<Instant, uint64_t>, std::function<void()>> events_;
    std::unique_ptr<Entry> entry_;
    uint64_t route_ = 0;
    std::vector<Node> nodes_;
    std::vector<Link> links_;
    std::map<RequestId, Submission> submissions_;
    std::map<RequestId, Outcome> outcomes_;
    std::map<uint64_t, SignOffOutcome> signed_off_;
    std::set<RequestId> open_;
    /// Those that the draft model has heard of.
    std::set<RequestId> drafted_;
    size_t unanswered_drafts_ = 0;
    Instant draft_model_free_at_{};
};

/// The tokens that an undisturbed node with all layers generates, without stop tokens.
std::vector<TokenId> reference_tokens(const Submission& submission);

/// A request with a prompt that depends on its number only.
Submission example_request(uint64_t number, size_t prompt_tokens, uint32_t max_tokens);

}  // namespace teetee::pipeline::testing
