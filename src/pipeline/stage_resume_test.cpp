// SPDX-License-Identifier: Apache-2.0
// Sequences that outlive their route.
#include "pipeline/stage_harness.hpp"

namespace teetee::pipeline::testing {
namespace {

using wire::Resume;

class ResumeTest : public StageTest {
  protected:
    static constexpr wire::RouteId second{previous, 4};

    ResumeTest() { join(second); }

    void on_second(wire::Message message) {
        stage_.on_frame({}, previous, {second, std::move(message)}, effects_);
    }
    /// Rows 0 to 3 of request 1 have gone through, and row 4 was on its way when the route ended.
    void lose_route() {
        open(1);
        receive(forward(5, {row(1, 0), row(1, 1), row(1, 2), row(1, 3)}));
        compute();
        receive(forward(6, {row(1, 4)}));
        compute();
        receive(wire::Leave{});
        effects_ = {};
    }
    static wire::Open resumed(std::vector<Resume> resumes) {
        return {.request = id_of(1),
                .epoch = 2,
                .positions_max = 16,
                .resumed_positions = 4,
                .resumes = std::move(resumes)};
    }
    ErrorCode refusal(const wire::Open& open) {
        effects_.sends.clear();
        on_second(open);
        const auto failed = sent<wire::Failed>();
        return failed.empty() ? ErrorCode{} : failed[0].code;
    }
    static wire::Replay replay(std::vector<Position> positions) {
        wire::Replay out{.batch_id = 9};
        for (const Position at : positions) out.rows.push_back(row(1, at, 2));
        return out;
    }
};

TEST_F(ResumeTest, a_kept_sequence_goes_on_behind_its_rows) {
    lose_route();
    EXPECT_EQ(stage_.sequence_count(), 0u);
    EXPECT_EQ(stage_.parked_count(), 1u);
    on_second(resumed({Resume::keep, Resume::compute}));
    EXPECT_EQ(stage_.parked_count(), 0u);
    ASSERT_EQ(sent<wire::Open>().size(), 1u);
    EXPECT_EQ(sent<wire::Open>()[0].resumes, std::vector{Resume::compute})
        << "its own is done with";

    // What stands for its rows passes. Rows that a new node before it has computed are not taken,
    // but there may be another one behind it.
    on_second(replay({0, 1}));
    on_second(forward(9, {row(1, 2, 2), row(1, 3, 2)}));
    EXPECT_EQ(sent<wire::Replay>(), (std::vector{replay({0, 1}), replay({2, 3})}));
    EXPECT_TRUE(effects_.jobs.empty() && sent<wire::Forward>().empty());
    EXPECT_EQ(stage_.counters().rows_dropped, 0u);

    // The engine goes back by one.
    on_second(forward(11, {row(1, 4, 2), row(1, 5, 2)}));
    const ComputeJob job = take_job();
    EXPECT_TRUE(job.opens.empty() && job.closes.empty());
    ASSERT_EQ(job.rows.size(), 2u);
    EXPECT_EQ(job.rows[0].position, 4u);
}

TEST_F(ResumeTest, a_new_next_node_gets_what_was_sent_to_the_old_one) {
    lose_route();
    on_second(resumed({Resume::replay, Resume::compute}));
    on_second(replay({0, 1, 2}));
    on_second(replay({3}));
    const auto batches = sent<wire::Forward>();
    ASSERT_EQ(batches.size(), 2u);
    EXPECT_TRUE(effects_.jobs.empty());
    EXPECT_EQ(batches[0].batch_id, 9u);
    EXPECT_EQ(batches[0].rows, replay({0, 1, 2}).rows);
    EXPECT_EQ(batches[0].activations, forward(5, {row(1, 0), row(1, 1), row(1, 2)}).activations);
    EXPECT_EQ(batches[1].activations, Bytes(4, 3));
    EXPECT_EQ(stage_.counters().rows_replayed, 4u);
}

TEST_F(ResumeTest, rounded_rows_are_replayed_in_their_format) {
    const SamplingOptions rounded{.activations = ActivationFormat::f16};
    receive(wire::Open{id_of(1), 1, rounded, 16});
    wire::Forward batch{.batch_id = 5, .width = 1, .format = ActivationFormat::f16};
    for (Position at = 0; at < 4; ++at) {
        batch.rows.push_back(row(1, at));
        batch.activations.push_back(0);
        batch.activations.push_back(static_cast<uint8_t>(0x3c + at));
    }
    receive(batch);
    compute();
    ASSERT_EQ(sent<wire::Forward>().size(), 1u);
    EXPECT_EQ(sent<wire::Forward>()[0].activations, batch.activations);
    receive(wire::Leave{});
    effects_ = {};
    wire::Open open = resumed({Resume::replay, Resume::compute});
    open.sampling = rounded;
    on_second(open);
    on_second(replay({0, 1, 2, 3}));
    ASSERT_EQ(sent<wire::Forward>().size(), 1u);
    EXPECT_EQ(sent<wire::Forward>()[0].format, ActivationFormat::f16);
    EXPECT_EQ(sent<wire::Forward>()[0].activations, batch.activations);
}

TEST_F(ResumeTest, it_may_be_taken_before_the_old_route_ends) {
    open(1);
    receive(forward(5, {row(1, 0), row(1, 1), row(1, 2), row(1, 3)}));
    compute();
    receive(forward(6, {row(1, 4)}));
    on_second(resumed({Resume::keep, Resume::keep}));
    compute();
    receive(wire::Leave{});
    EXPECT_EQ(stage_.sequence_count(), 1u);
    on_second(forward(11, {row(1, 4, 2)}));
    EXPECT_EQ(take_job().rows.size(), 1u);
}

TEST_F(ResumeTest, what_a_stage_does_not_have_it_does_not_keep) {
    const std::vector<Resume> keep{Resume::keep, Resume::compute};
    EXPECT_EQ(refusal(resumed(keep)), ErrorCode::sequence_unknown) << "never was there";
    const auto refusal_after = [&](wire::Open open) {
        lose_route();
        const ErrorCode code = refusal(open);
        EXPECT_EQ(stage_.sequence_count() + stage_.parked_count(), code == ErrorCode{} ? 1u : 0u);
        on_second(wire::Close{{id_of(1)}});
        while (!effects_.jobs.empty()) compute();
        join(route);
        return code;
    };
    EXPECT_EQ(refusal_after(resumed(keep)), ErrorCode{});
    wire::Open open = resumed(keep);
    open.resumed_positions = 6;
    EXPECT_EQ(refusal_after(open), ErrorCode::sequence_unknown) << "more rows than it has";
    open = resumed(keep);
    open.salt = {1};
    EXPECT_EQ(refusal_after(open), ErrorCode::sequence_unknown);
    open = resumed(keep);
    open.positions_max = 32;
    EXPECT_EQ(refusal_after(open), ErrorCode::sequence_unknown);
    open = resumed(keep);
    open.sampling.seed = 1;
    EXPECT_EQ(refusal_after(open), ErrorCode::sequence_unknown);
    open = resumed(keep);
    open.sampling.activations = ActivationFormat::q8;
    EXPECT_EQ(refusal_after(open), ErrorCode::sequence_unknown);
    open = resumed(keep);
    open.prompt_positions = 5;
    EXPECT_EQ(refusal_after(open), ErrorCode::sequence_unknown);
    for (const Resume alone : {Resume::compute, Resume::keep}) {
        EXPECT_EQ(refusal_after(resumed({alone})), ErrorCode::message_unexpected)
            << "the next stage has no word";
    }
    EXPECT_EQ(refusal_after(resumed({Resume::compute, Resume::keep})), ErrorCode{})
        << "a new beginning is always possible";
}

TEST_F(ResumeTest, only_its_own_entry_gets_it_back) {
    lose_route();
    constexpr wire::NodeId stranger{2};
    const wire::RouteId foreign{stranger, 1};
    stage_.on_link_up({}, stranger, effects_);
    wire::Probe probe{.id = 1, .path = {stranger, own, next}, .hops = {{.node_id = stranger}}};
    stage_.on_frame({}, stranger, {foreign, std::move(probe)}, effects_);
    stage_.on_frame({}, stranger, {foreign, resumed({Resume::keep, Resume::compute})}, effects_);
    stage_.on_frame({}, stranger, {foreign, wire::Close{{id_of(1)}}}, effects_);
    EXPECT_TRUE(sent<wire::Open>().empty());
    EXPECT_EQ(stage_.parked_count(), 1u);
    on_second(wire::Close{{id_of(1)}});
    EXPECT_EQ(stage_.parked_count(), 0u);
    EXPECT_EQ(take_job().closes, std::vector{id_of(1)});
}

TEST_F(ResumeTest, no_replay_of_rows_that_were_not_kept) {
    lose_route();
    on_second(resumed({Resume::replay, Resume::compute}));
    wire::Forward mixed = forward(9, {row(1, 3, 2), row(2, 0)});
    on_second(std::move(mixed));
    ASSERT_EQ(sent<wire::Failed>().size(), 1u);
    on_second(replay({3, 4}));
    ASSERT_EQ(sent<wire::Failed>().size(), 1u) << "it is given up already";
    EXPECT_EQ(sent<wire::Failed>()[0].code, ErrorCode::message_unexpected);
    EXPECT_TRUE(sent<wire::Forward>().at(0).rows.empty()) << "the entry waits for the batch";
    EXPECT_EQ(stage_.sequence_count(), 0u);
    while (!effects_.jobs.empty()) compute();
    join(route);
    lose_route();
    on_second(resumed({Resume::replay, Resume::compute}));
    on_second(replay({3, 4}));
    ASSERT_EQ(sent<wire::Failed>().size(), 1u);
    EXPECT_EQ(sent<wire::Failed>()[0].code, ErrorCode::message_unexpected);
    ASSERT_EQ(sent<wire::Forward>().size(), 1u) << "the entry waits for the batch";
    EXPECT_TRUE(sent<wire::Forward>()[0].rows.empty());
    EXPECT_EQ(stage_.sequence_count(), 0u);
    effects_ = {};
    on_second(replay({3}));
    on_second(wire::Replay{.batch_id = 10});
    EXPECT_EQ(sent<wire::Forward>().size(), 2u);
    EXPECT_EQ(stage_.counters().rows_replayed, 0u);
}

TEST_F(ResumeTest, without_a_budget_nothing_can_be_replayed) {
    StageOptions without = options();
    without.replay_bytes_max = 0;
    stage_ = Stage(without);
    stage_.on_link_up({}, previous, effects_);
    stage_.on_link_up({}, next, effects_);
    join(route);
    join(second);
    lose_route();
    EXPECT_EQ(refusal(resumed({Resume::replay, Resume::compute})), ErrorCode::sequence_unknown);
}

TEST_F(ResumeTest, what_was_noted_may_have_to_give_way_after_the_open) {
    StageOptions little = options();
    little.replay_bytes_max = 20;
    stage_ = Stage(little);
    stage_.on_link_up({}, previous, effects_);
    stage_.on_link_up({}, next, effects_);
    join(route);
    join(second);
    lose_route();
    on_second(resumed({Resume::replay, Resume::compute}));
    on_second(forward(11, {row(1, 4, 2), row(1, 5, 2)}));
    compute();
    on_second(replay({0}));
    ASSERT_EQ(sent<wire::Failed>().size(), 1u);
    EXPECT_EQ(sent<wire::Failed>()[0].code, ErrorCode::sequence_unknown);
}

TEST_F(ResumeTest, what_is_kept_is_not_computed_again) {
    lose_route();
    on_second(resumed({Resume::replay, Resume::compute}));
    on_second(wire::Open{id_of(2), 1, {}, 16});
    on_second(forward(11, {row(2, 0), row(1, 1, 2)}));
    ASSERT_EQ(sent<wire::Failed>().size(), 1u);
    EXPECT_EQ(sent<wire::Failed>()[0].request, id_of(1));
    EXPECT_EQ(sent<wire::Failed>()[0].code, ErrorCode::message_unexpected);
    EXPECT_EQ(take_job().rows.size(), 1u);
}

TEST_F(ResumeTest, each_row_is_replayed_once) {
    const std::vector<std::vector<Position>> wrong = {{1}, {0, 0}, {0, 2}, {}};
    for (const std::vector<Position>& positions : wrong) {
        lose_route();
        on_second(resumed({Resume::replay, Resume::compute}));
        on_second(replay(positions));
        EXPECT_EQ(sent<wire::Failed>().size(), positions.empty() ? 0u : 1u);
        on_second(wire::Close{{id_of(1)}});
        while (!effects_.jobs.empty()) compute();
        join(route);
    }
    lose_route();
    on_second(resumed({Resume::replay, Resume::compute}));
    on_second(replay({0, 1}));
    on_second(replay({0, 1}));
    EXPECT_EQ(sent<wire::Failed>().size(), 1u);
    EXPECT_EQ(stage_.counters().rows_replayed, 2u);
}

TEST_F(ResumeTest, parked_it_is_in_nobodys_way_and_not_for_ever) {
    lose_route();
    const auto hop = [&] {
        effects_.sends.clear();
        on_second(probe(2));
        return sent<wire::Probe>().at(0).hops.at(1);
    };
    EXPECT_EQ(hop().sequences_free, 2u);
    EXPECT_EQ(hop().positions_free, 64u);
    on_second(wire::Open{id_of(2), 1, {}, 16});
    EXPECT_EQ(stage_.parked_count(), 1u);
    on_second(wire::Open{id_of(3), 1, {}, 16});
    EXPECT_EQ(stage_.parked_count(), 0u) << "the place of the third of two";
    EXPECT_EQ(stage_.sequence_count(), 2u);

    on_second(wire::Leave{});
    while (!effects_.jobs.empty()) compute();
    stage_.on_timer(StageOptions().park_time, 1, effects_);
    join(route);
    join(second);
    open(1);
    receive(forward(5, {row(1, 0)}));
    compute();
    stage_.on_frame(std::chrono::seconds(7), previous, {route, wire::Leave{}}, effects_);
    ASSERT_EQ(effects_.timers.size(), 1u);
    const Timer timer = effects_.timers[0];
    EXPECT_EQ(timer.at, std::chrono::seconds(7) + StageOptions().park_time);
    stage_.on_timer(timer.at - Duration(1), timer.id, effects_);
    EXPECT_EQ(stage_.parked_count(), 1u);
    stage_.on_timer(timer.at, timer.id, effects_);
    EXPECT_EQ(stage_.parked_count(), 0u);
    EXPECT_EQ(take_job().closes, std::vector{id_of(1)});
    EXPECT_EQ(stage_.kv_free().positions, 64u);
}

TEST_F(ResumeTest, a_failure_in_its_engine_ends_it_parked_as_well) {
    open(1);
    receive(forward(5, {row(1, 0)}));
    const ComputeJob job = take_job();
    receive(wire::Leave{});
    EXPECT_EQ(stage_.parked_count(), 1u);
    stage_.on_computed({}, {.batch_id = job.batch_id, .failures = {{id_of(1), Error{}}}}, effects_);
    EXPECT_EQ(stage_.parked_count(), 0u);
    EXPECT_EQ(take_job().closes, std::vector{id_of(1)});
}

}  // namespace
}  // namespace teetee::pipeline::testing
