// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stage.hpp"

#include <utility>

#include <gtest/gtest.h>

#include "crypto/hash.hpp"
#include "pipeline/ring_harness.hpp"

namespace teetee::pipeline {
namespace {

RequestId id_of(uint8_t number) {
    RequestId id;
    id.bytes[0] = number;
    return id;
}

/// A middle stage with both links up. Its jobs are answered by compute(), with the activations as
/// they came.
class StageTest : public ::testing::Test {
  protected:
    static StageOptions options() {
        return {.node_id = {7},
                .engine = {.layers = {4, 8},
                           .layer_count = 12,
                           .width = 1,
                           .vocabulary_size = 10,
                           .rows_max = 8,
                           .sequences_max = 2,
                           .sequence_positions_max = 64,
                           .positions_max = 64,
                           .block_positions = 16},
                .batches_queued_max = 2,
                .bytes_queued_max = 64};
    }

    StageTest() {
        stage_.on_link_up({}, Direction::previous, effects_);
        stage_.on_link_up({}, Direction::next, effects_);
    }

    void receive(wire::Message message, Direction from = Direction::previous) {
        stage_.on_message({}, from, std::move(message), effects_);
    }
    void open(uint8_t request, Epoch epoch = 1, Position positions_max = 16) {
        receive(wire::Open{id_of(request), epoch, {}, positions_max});
    }
    static wire::Forward forward(uint64_t batch_id, std::vector<wire::ForwardRow> rows) {
        wire::Forward batch{.batch_id = batch_id, .rows = std::move(rows), .width = 1};
        for (size_t i = 0; i < batch.rows.size(); ++i) {
            batch.activations.insert(batch.activations.end(), 4, static_cast<uint8_t>(i));
        }
        return batch;
    }
    static wire::ForwardRow row(uint8_t request, Position position, Epoch epoch = 1) {
        return {id_of(request), epoch, position, false};
    }
    ComputeJob take_job() {
        EXPECT_EQ(effects_.jobs.size(), 1u);
        ComputeJob job = std::move(effects_.jobs.at(0));
        effects_.jobs.clear();
        return job;
    }
    void compute() {
        ComputeJob job = take_job();
        stage_.on_computed(
            {}, {.batch_id = job.batch_id, .activations = std::move(job.activations)}, effects_);
    }
    template <class Body>
    std::vector<Body> sent(Direction to = Direction::next) const {
        std::vector<Body> out;
        for (const Send& send : effects_.sends) {
            const auto* body = std::get_if<Body>(&send.message);
            if (body != nullptr && send.to == to) out.push_back(*body);
        }
        return out;
    }

    Effects effects_;
    Stage stage_{options()};
};

TEST_F(StageTest, announces_computes_and_passes_on) {
    open(1);
    receive(forward(5, {row(1, 0), row(1, 1)}));
    EXPECT_EQ(sent<wire::Open>().size(), 1u);
    ASSERT_EQ(effects_.jobs.size(), 1u);
    EXPECT_EQ(effects_.jobs[0].opens.size(), 1u);
    compute();
    ASSERT_EQ(sent<wire::Forward>().size(), 1u);
    EXPECT_EQ(sent<wire::Forward>()[0], forward(5, {row(1, 0), row(1, 1)}));
    EXPECT_EQ(stage_.counters().rows, 2u);
}

TEST_F(StageTest, a_row_carries_its_token_exactly_if_the_sequence_needs_it) {
    wire::ForwardRow with = row(1, 0);
    with.token = 3;
    for (const bool needs : {true, false}) {
        for (const wire::ForwardRow& given : {with, row(1, 0)}) {
            effects_ = {};
            wire::Open open{id_of(1), 1, {}, 16};
            if (needs) open.sampling.presence_penalty = 1;
            receive(open);
            receive(forward(5, {given}));
            const bool fits = given.token.has_value() == needs;
            EXPECT_EQ(sent<wire::Failed>().size(), fits ? 0u : 1u);
            if (fits) {
                EXPECT_EQ(effects_.jobs.at(0).rows.at(0).token, given.token);
                compute();
                ASSERT_EQ(sent<wire::Forward>().size(), 1u);
                EXPECT_EQ(sent<wire::Forward>()[0].rows, std::vector{given});
                receive(wire::Close{{id_of(1)}});
                compute();
            }
        }
    }
}

TEST_F(StageTest, drops_rows_of_unknown_requests_and_other_epochs_with_their_activations) {
    open(1, 2);
    receive(forward(5, {row(9, 0), row(1, 0, 1), row(1, 0, 2), row(1, 7, 3), row(1, 1, 2)}));
    const ComputeJob job = take_job();
    ASSERT_EQ(job.rows.size(), 2u);
    EXPECT_EQ(job.activations, (Bytes{2, 2, 2, 2, 4, 4, 4, 4}));
    EXPECT_EQ(stage_.counters().rows_dropped, 3u);
    EXPECT_TRUE(sent<wire::Failed>().empty());
}

TEST_F(StageTest, a_batch_without_rows_left_still_goes_round) {
    receive(forward(5, {row(9, 0)}));
    EXPECT_TRUE(effects_.jobs.empty());
    ASSERT_EQ(sent<wire::Forward>().size(), 1u);
    EXPECT_EQ(sent<wire::Forward>()[0].batch_id, 5u);
    EXPECT_TRUE(sent<wire::Forward>()[0].rows.empty());
}

TEST_F(StageTest, a_wrong_position_fails_the_sequence_with_all_its_rows) {
    for (const Position second : {Position{0}, Position{2}}) {
        effects_ = {};
        open(1);
        open(2);
        receive(forward(5, {row(1, 0), row(2, 0), row(1, second), row(1, 1)}));
        const auto failed = sent<wire::Failed>();
        ASSERT_EQ(failed.size(), 1u);
        EXPECT_EQ(failed[0], (wire::Failed{id_of(1), 1, ErrorCode::message_unexpected, 4}));
        ASSERT_EQ(effects_.jobs.size(), 1u);
        EXPECT_EQ(effects_.jobs[0].rows.size(), 1u);
        EXPECT_EQ(effects_.jobs[0].rows[0].request, id_of(2));
        EXPECT_TRUE(effects_.jobs[0].closes.empty()) << "the engine has never heard of it";
        compute();
        receive(wire::Close{{id_of(2)}});
        compute();
    }
}

TEST_F(StageTest, a_sequence_gets_no_more_positions_than_it_announced) {
    open(1, 1, 2);
    receive(forward(5, {row(1, 0), row(1, 1), row(1, 2)}));
    ASSERT_EQ(sent<wire::Failed>().size(), 1u);
    EXPECT_EQ(sent<wire::Failed>()[0].code, ErrorCode::context_exceeded);
}

TEST_F(StageTest, refuses_sequences_that_do_not_fit) {
    open(1, 1, 65);
    open(2, 1, 0);
    open(3, 1, 33);  // three blocks
    open(4, 1, 17);  // two
    open(5, 1, 16);  // one
    open(6, 1, 1);   // the third sequence
    const auto failed = sent<wire::Failed>();
    ASSERT_EQ(failed.size(), 4u);
    EXPECT_EQ(failed[0].code, ErrorCode::context_exceeded);
    EXPECT_EQ(failed[1].code, ErrorCode::context_exceeded);
    EXPECT_EQ(failed[2], (wire::Failed{id_of(4), 1, ErrorCode::kv_cache_full, 4}));
    EXPECT_EQ(failed[3], (wire::Failed{id_of(6), 1, ErrorCode::kv_cache_full, 4}));
    EXPECT_EQ(sent<wire::Open>().size(), 2u) << "only what was accepted goes on";
    EXPECT_EQ(stage_.kv_free().positions, 0u);
    receive(wire::Close{{id_of(3)}});
    EXPECT_EQ(stage_.kv_free().positions, 48u);
}

TEST_F(StageTest, a_newer_epoch_replaces_the_sequence_and_an_older_one_is_dropped) {
    open(1, 2);
    receive(forward(5, {row(1, 0, 2)}));
    compute();
    open(1, 2);
    open(1, 1);
    EXPECT_EQ(stage_.counters().messages_dropped, 2u);
    open(1, 3);
    receive(forward(6, {row(1, 0, 3)}));
    const ComputeJob job = take_job();
    EXPECT_EQ(job.closes, std::vector{id_of(1)});
    ASSERT_EQ(job.opens.size(), 1u);
    EXPECT_EQ(job.opens[0].epoch, 3u);
    EXPECT_EQ(job.rows.size(), 1u);
}

TEST_F(StageTest, runs_one_job_at_a_time_and_refuses_batches_beyond_the_queue) {
    open(1);
    open(2);
    receive(forward(5, {row(1, 0)}));
    receive(forward(6, {row(1, 1)}));
    receive(forward(7, {row(1, 2)}));
    EXPECT_EQ(effects_.jobs.size(), 1u);
    receive(forward(8, {row(2, 0)}));
    ASSERT_EQ(sent<wire::Failed>().size(), 1u);
    EXPECT_EQ(sent<wire::Failed>()[0], (wire::Failed{id_of(2), 1, ErrorCode::overloaded, 4}));
    EXPECT_EQ(sent<wire::Forward>().at(0).batch_id, 8u);
    for (int i = 0; i < 3; ++i) compute();
    ASSERT_EQ(sent<wire::Forward>().size(), 4u);
    EXPECT_EQ(sent<wire::Forward>()[3].batch_id, 7u);
}

TEST_F(StageTest, refuses_batches_of_another_width_and_with_too_many_rows) {
    open(1);
    open(2);
    wire::Forward wide = forward(5, {row(1, 0)});
    wide.width = 2;
    wide.activations.resize(8);
    receive(wide);
    receive(forward(6, std::vector(9, row(2, 0))));
    const auto failed = sent<wire::Failed>();
    ASSERT_EQ(failed.size(), 2u);
    EXPECT_EQ(failed[0].code, ErrorCode::message_unexpected);
    EXPECT_EQ(failed[1].code, ErrorCode::limit_exceeded);
    EXPECT_EQ(stage_.sequence_count(), 0u);
}

TEST_F(StageTest, close_gives_memory_back_without_further_rows) {
    open(1);
    receive(forward(5, {row(1, 0)}));
    receive(wire::Close{{id_of(1), id_of(9)}});
    EXPECT_EQ(sent<wire::Close>().size(), 1u);
    compute();
    const ComputeJob job = take_job();
    EXPECT_EQ(job.closes, std::vector{id_of(1)});
    EXPECT_TRUE(job.rows.empty());
    stage_.on_computed({}, {.batch_id = job.batch_id}, effects_);
    EXPECT_EQ(sent<wire::Forward>().size(), 1u);
    EXPECT_TRUE(effects_.jobs.empty());
}

TEST_F(StageTest, an_engine_that_breaks_its_promise_fails_the_rows_but_not_the_batch) {
    open(1);
    receive(forward(5, {row(1, 0)}));
    const ComputeJob job = take_job();
    stage_.on_computed({}, {.batch_id = 5, .activations = Bytes(3)}, effects_);
    ASSERT_EQ(sent<wire::Failed>().size(), 1u);
    EXPECT_EQ(sent<wire::Failed>()[0].code, ErrorCode::internal);
    ASSERT_EQ(sent<wire::Forward>().size(), 1u);
    EXPECT_TRUE(sent<wire::Forward>()[0].rows.empty());
    EXPECT_EQ(take_job().closes, std::vector{id_of(1)});
}

TEST_F(StageTest, an_engine_failure_never_reads_as_a_lost_ring) {
    open(1);
    receive(forward(5, {row(1, 0)}));
    const ComputeJob job = take_job();
    stage_.on_computed(
        {}, {.batch_id = 5, .failures = {{id_of(1), fail(ErrorCode::stage_failed, "")}}}, effects_);
    ASSERT_EQ(sent<wire::Failed>().size(), 1u);
    EXPECT_EQ(sent<wire::Failed>()[0].code, ErrorCode::internal);
}

TEST_F(StageTest, a_result_nobody_asked_for_is_dropped) {
    stage_.on_computed({}, {.batch_id = 5}, effects_);
    EXPECT_TRUE(effects_.sends.empty());
    EXPECT_EQ(stage_.counters().messages_dropped, 1u);
}

TEST_F(StageTest, a_lost_next_fails_everything_backwards) {
    open(1);
    open(2);
    receive(forward(5, {row(1, 0)}));
    receive(forward(6, {row(1, 1)}));
    stage_.on_link_down({}, Direction::next, effects_);
    const auto failed = sent<wire::Failed>(Direction::previous);
    ASSERT_EQ(failed.size(), 2u);
    EXPECT_EQ(failed[0], (wire::Failed{id_of(1), 1, ErrorCode::stage_failed, 4}));
    EXPECT_EQ(stage_.sequence_count(), 0u);
    compute();
    EXPECT_TRUE(sent<wire::Forward>().empty());
    EXPECT_EQ(take_job().closes, (std::vector{id_of(1), id_of(2)}));

    effects_ = {};
    open(3);
    ASSERT_EQ(sent<wire::Failed>(Direction::previous).size(), 1u);
    EXPECT_EQ(sent<wire::Failed>(Direction::previous)[0].code, ErrorCode::route_unavailable);
    receive(wire::Probe{.id = 1});
    EXPECT_TRUE(sent<wire::Probe>().empty());
}

TEST_F(StageTest, a_lost_previous_closes_everything_downstream) {
    open(1);
    open(2);
    stage_.on_link_down({}, Direction::previous, effects_);
    ASSERT_EQ(sent<wire::Close>().size(), 1u);
    EXPECT_EQ(sent<wire::Close>()[0].requests.size(), 2u);
    EXPECT_EQ(stage_.kv_free().sequences, 2u);
    EXPECT_TRUE(sent<wire::Failed>().empty());
}

TEST_F(StageTest, a_failure_travels_to_the_entry_by_the_way_that_is_left) {
    const wire::Failed failed{id_of(1), 1, ErrorCode::internal, 0};
    receive(failed);
    EXPECT_EQ(sent<wire::Failed>(Direction::next).size(), 1u);
    receive(failed, Direction::next);
    EXPECT_EQ(sent<wire::Failed>(Direction::previous).size(), 1u);
    stage_.on_link_down({}, Direction::next, effects_);
    receive(failed);
    EXPECT_EQ(sent<wire::Failed>(Direction::previous).size(), 2u);
}

TEST_F(StageTest, adds_its_hop_to_a_probe) {
    stage_.set_evidence({1}, {2, 3});
    open(1);
    receive(wire::Probe{.id = 1, .want_evidence = false});
    receive(wire::Probe{.id = 2, .want_evidence = true});
    const auto probes = sent<wire::Probe>();
    ASSERT_EQ(probes.size(), 2u);
    const wire::Hop plain{
        .node_id = {7}, .layers = {4, 8}, .sequences_free = 1, .positions_free = 48};
    EXPECT_EQ(probes[0].hops, std::vector{plain});
    EXPECT_EQ(probes[1].hops.at(0).quote, (Bytes{2, 3}));

    wire::Probe full{.id = 3};
    full.hops.resize(wire::Limits{}.hops_max);
    receive(full);
    EXPECT_EQ(sent<wire::Probe>().size(), 2u);
}

TEST_F(StageTest, takes_orders_from_the_previous_node_only) {
    open(1);
    effects_ = {};
    receive(wire::Close{{id_of(1)}}, Direction::next);
    receive(wire::Open{id_of(2), 1, {}, 1}, Direction::next);
    receive(forward(5, {row(1, 0)}), Direction::next);
    receive(wire::Probe{.id = 1}, Direction::next);
    receive(wire::Tokens{});
    stage_.on_link_down({}, Direction::previous, effects_);
    open(3);
    EXPECT_EQ(stage_.counters().messages_dropped, 6u);
    EXPECT_EQ(stage_.sequence_count(), 0u);
}

/// The tokens that a tail draws when it gets these rows in batches of `batch_rows`.
std::vector<wire::TokenRow> replayed(const wire::Open& open, const std::vector<TokenId>& tokens,
                                     size_t batch_rows, Stage& tail, testing::FakeEngine& engine) {
    std::vector<wire::TokenRow> drawn;
    Effects effects;
    tail.on_message({}, Direction::previous, open, effects);
    for (size_t begin = 0; begin < tokens.size(); begin += batch_rows) {
        wire::Forward batch{.batch_id = begin + 1, .width = 2};
        ByteWriter activations;
        for (size_t i = begin; i < std::min(begin + batch_rows, tokens.size()); ++i) {
            batch.rows.push_back({open.request, open.epoch, static_cast<Position>(i),
                                  i + 1 >= open.prompt_positions, tokens[i]});
            activations.u64(tokens[i]);
        }
        batch.activations = activations.take();
        tail.on_message({}, Direction::previous, batch, effects);
        EXPECT_EQ(effects.jobs.size(), 1u);
        tail.on_computed({}, engine.compute(effects.jobs.at(0)), effects);
        effects.jobs.clear();
        const auto& message = std::get<wire::Tokens>(effects.sends.back().message);
        drawn.insert(drawn.end(), message.rows.begin(), message.rows.end());
    }
    return drawn;
}

TEST(stage, a_replay_under_another_epoch_has_the_history_and_draws_the_same) {
    const EngineLimits limits = testing::engine_limits({4, testing::layer_count}, {});
    Stage tail({.node_id = {7}, .engine = limits});
    testing::FakeEngine engine(limits);
    Effects effects;
    tail.on_link_up({}, Direction::previous, effects);
    tail.on_link_up({}, Direction::next, effects);
    wire::Open open{id_of(1), 1, {.temperature = 1, .repetition_penalty = 1.2F}, 64, 5};
    open.sampling.logprobs = true;
    open.sampling.top_logprobs = 3;
    const std::vector<TokenId> tokens = {9, 8, 7, 9, 9, 1, 2, 1, 9, 5, 5};
    const auto first = replayed(open, tokens, 1, tail, engine);
    ASSERT_EQ(first.size(), 7u);
    for (const size_t batch_rows : {1u, 3u, 11u}) {
        ++open.epoch;
        auto again = replayed(open, tokens, batch_rows, tail, engine);
        for (wire::TokenRow& row : again) row.epoch = 1;
        EXPECT_EQ(again, first);
    }
}

TEST_F(StageTest, an_order_of_quotes_goes_on_and_is_answered_over_the_stages_statement) {
    const Bytes statement = {1, 2, 3};
    stage_.set_evidence(statement, {});
    const wire::Attest order{id_of(1), {9}, {{7}, crypto::sha256(statement)}};
    receive(order);
    EXPECT_EQ(sent<wire::Attest>(), std::vector{order});
    ASSERT_EQ(effects_.quotes.size(), 1u);
    EXPECT_EQ(effects_.quotes[0].request, id_of(1));
    EXPECT_EQ(effects_.quotes[0].report_data, attest::report_data(statement, order.nonce));
    stage_.on_quoted({}, {id_of(1), Bytes{5}}, effects_);
    EXPECT_EQ(sent<wire::Quote>(), (std::vector{wire::Quote{id_of(1), {4, 8}, {}, {5}}}));
    // Those of the stages before it pass.
    const wire::Quote passing{id_of(1), {2, 4}, ErrorCode::overloaded, {}};
    receive(passing);
    ASSERT_EQ(sent<wire::Quote>().size(), 2u);
    EXPECT_EQ(sent<wire::Quote>()[1], passing);
}

TEST_F(StageTest, a_quote_is_over_the_statement_that_the_receipt_has) {
    const Bytes statements[] = {{1}, {2}, {3}};
    for (const Bytes& statement : statements) stage_.set_evidence(statement, {});
    for (const Bytes& statement : {statements[1], statements[2]}) {
        receive(wire::Attest{id_of(1), {9}, {crypto::sha256(statement)}});
        EXPECT_EQ(effects_.quotes.at(0).report_data, attest::report_data(statement, Digest{9}));
        effects_ = {};
    }
    // Renewed twice since: the TEE is not asked.
    receive(wire::Attest{id_of(1), {9}, {crypto::sha256(statements[0])}});
    EXPECT_TRUE(effects_.quotes.empty());
    ASSERT_EQ(sent<wire::Quote>().size(), 1u);
    EXPECT_EQ(sent<wire::Quote>()[0].failure, ErrorCode::evidence_unavailable);
}

TEST_F(StageTest, a_quote_that_cannot_be_sent_is_a_failure) {
    const Result<Bytes> none[] = {fail(ErrorCode::overloaded, "busy"), Bytes(),
                                  Bytes(wire::Limits{}.quote_bytes_max + 1)};
    for (const Result<Bytes>& quote : none) stage_.on_quoted({}, {id_of(1), quote}, effects_);
    const auto answers = sent<wire::Quote>();
    ASSERT_EQ(answers.size(), 3u);
    EXPECT_EQ(answers[0].failure, ErrorCode::overloaded);
    EXPECT_EQ(answers[1].failure, ErrorCode::evidence_unavailable);
    EXPECT_EQ(answers[2].failure, ErrorCode::evidence_unavailable);
    stage_.on_link_down({}, Direction::next, effects_);
    effects_ = {};
    stage_.on_quoted({}, {id_of(1), Bytes{5}}, effects_);
    receive(wire::Attest{id_of(1), {9}});
    EXPECT_TRUE(effects_.sends.empty() && effects_.quotes.empty());
}

}  // namespace
}  // namespace teetee::pipeline
