// SPDX-License-Identifier: Apache-2.0
// An entry with two routes of three stages, which share one of them or none; the stages are played
// by the test.
#include <gtest/gtest.h>

#include "pipeline/entry.hpp"
#include "pipeline/ring_harness.hpp"

namespace teetee::pipeline::testing {
namespace {

using wire::Resume;

class EntryResume : public ::testing::Test {
  protected:
    /// Over these nodes the answer begins and goes on.
    struct Paths {
        std::vector<uint32_t> first;
        std::vector<uint32_t> second;
    };
    void use(const Paths& paths, uint64_t replay_bytes_max = 1 << 20) {
        entry_ = std::make_unique<Entry>(EntryOptions{.node_id = node_id(0),
                                                      .engine = engine_limits({0, 4}, {}),
                                                      .chunk_rows = 4,
                                                      .drafts_max = 0,
                                                      .reroute_timeout = std::chrono::seconds(5),
                                                      .replay_bytes_max = replay_bytes_max});
        for (const uint32_t node : {1u, 2u, 3u, 4u})
            entry_->on_link_up(now_, node_id(node), effects_);
        first_ = add_route(paths.first);
        begin_answer();
        second_ = add_route(paths.second);
    }
    wire::RouteId add_route(const std::vector<uint32_t>& nodes) {
        std::vector<wire::NodeId> path{node_id(0)};
        for (const uint32_t node : nodes) path.push_back(node_id(node));
        tails_.push_back(path.back());
        const wire::RouteId id{node_id(0), entry_->add_route(now_, path, effects_)};
        auto probe = take<wire::Probe>();
        EXPECT_TRUE(probe);
        for (uint32_t i = 1; i < path.size(); ++i) {
            probe->hops.push_back({.node_id = path[i],
                                   .layers = {1 + 3 * i, i == 2 ? layer_count : 4 + 3 * i},
                                   .sequences_free = 9,
                                   .positions_free = 9999,
                                   .sequences_max = 9,
                                   .positions_max = 9999,
                                   .formats = wire::all_formats});
        }
        receive(id, std::move(*probe));
        return id;
    }
    void receive(const wire::RouteId& route, wire::Message message) {
        const wire::NodeId from = tails_.at(route.number - 1);
        entry_->on_frame(now_, from, {route, std::move(message)}, effects_);
    }
    template <class Body>
    std::optional<Body> take() {
        for (size_t i = 0; i < effects_.sends.size(); ++i) {
            if (!std::holds_alternative<Body>(effects_.sends[i].frame.message)) continue;
            Body body = std::get<Body>(std::move(effects_.sends[i].frame.message));
            effects_.sends.erase(effects_.sends.begin() + static_cast<ptrdiff_t>(i));
            return body;
        }
        return {};
    }
    void compute_all() {
        while (!effects_.jobs.empty()) {
            const ComputeJob job = std::move(effects_.jobs[0]);
            effects_.jobs.clear();
            entry_->on_computed(now_, engine_.compute(job), effects_);
        }
    }
    /// The next batch that goes out, answered with `token` for its last row, if that is wanted.
    std::optional<wire::Forward> answer(const wire::RouteId& route, TokenId token) {
        compute_all();
        auto batch = take<wire::Forward>();
        if (!batch) return {};
        wire::Tokens out{.batch_id = batch->batch_id};
        const wire::ForwardRow& last = batch->rows.back();
        if (last.wants_token) out.rows.push_back({last.request, last.epoch, last.position, token});
        receive(route, std::move(out));
        return batch;
    }
    /// A prompt of 6 tokens, of whose answer two are there; the row of the second is on its way.
    void begin_answer() {
        ASSERT_TRUE(entry_->submit(now_, example_request(1, 6, 5), effects_));
        ASSERT_TRUE(take<wire::Open>());
        for (const TokenId token : {0u, 71u, 72u}) sent_.push_back(*answer(first_, token));
        compute_all();
        ASSERT_TRUE(take<wire::Forward>());
    }
    /// The first route is lost behind the first stage.
    void lose_first() {
        entry_->on_frame(now_, entry_->route(first_.number)->first(),
                         {first_, wire::Lost{node_id(9)}}, effects_);
    }
    std::optional<wire::Open> reopened() {
        lose_first();
        return take<wire::Open>();
    }

    Instant now_{1};
    Effects effects_;
    FakeEngine engine_{engine_limits({0, 4}, {})};
    std::unique_ptr<Entry> entry_;
    wire::RouteId first_{};
    wire::RouteId second_{};
    std::vector<wire::NodeId> tails_;
    std::vector<wire::Forward> sent_;
};

TEST_F(EntryResume, with_a_new_tail_only_names_of_rows_go_to_the_stage_that_has_them) {
    use({{1, 2}, {1, 3}});
    const auto open = reopened();
    ASSERT_TRUE(open);
    EXPECT_EQ(open->resumed_positions, 7u);
    EXPECT_EQ(open->resumes, (std::vector{Resume::replay, Resume::compute}));
    std::vector<wire::Replay> replays;
    while (auto replay = take<wire::Replay>()) replays.push_back(std::move(*replay));
    ASSERT_EQ(replays.size(), 2u);
    EXPECT_EQ(replays[0].rows.size(), 4u);
    ASSERT_EQ(replays[1].rows.size(), 3u);
    EXPECT_FALSE(replays[1].rows[0].wants_token);
    EXPECT_TRUE(replays[1].rows[1].wants_token) << "the new tail picks it as well";
    receive(second_, wire::Tokens{replays[0].batch_id, {}});
    receive(second_, wire::Tokens{replays[1].batch_id,
                                  {{request_id(1), 2, 5, 71}, {request_id(1), 2, 6, 72}}});
    const auto next = answer(second_, 73);
    ASSERT_TRUE(next);
    EXPECT_EQ(next->rows[0].position, 7u);
    EXPECT_EQ(entry_->counters().completion_tokens, 3u);
    EXPECT_EQ(entry_->counters().resumes, 1u);
}

TEST_F(EntryResume, a_new_first_stage_gets_the_rows_as_they_were) {
    use({{1, 2}, {3, 2}});
    const auto open = reopened();
    ASSERT_TRUE(open);
    EXPECT_EQ(open->resumes, (std::vector{Resume::compute, Resume::keep}));
    Bytes before;
    for (const wire::Forward& batch : sent_)
        before.insert(before.end(), batch.activations.begin(), batch.activations.end());
    Bytes again;
    size_t rows = 0;
    while (rows < 7) {
        const auto batch = take<wire::Forward>();
        ASSERT_TRUE(batch);
        for (const wire::ForwardRow& row : batch->rows)
            EXPECT_FALSE(row.wants_token) << "the tail has picked it";
        rows += batch->rows.size();
        again.insert(again.end(), batch->activations.begin(), batch->activations.end());
        receive(second_, wire::Tokens{batch->batch_id, {}});
    }
    EXPECT_EQ(again, before);
    EXPECT_EQ(answer(second_, 73)->rows[0].position, 7u);
    EXPECT_EQ(entry_->counters().completion_tokens, 3u);
}

TEST_F(EntryResume, where_all_stay_nothing_is_sent_again) {
    use({{1, 2}, {1, 2}});
    const auto open = reopened();
    ASSERT_TRUE(open);
    EXPECT_EQ(open->resumes, (std::vector{Resume::keep, Resume::keep}));
    EXPECT_FALSE(take<wire::Replay>());
    EXPECT_EQ(answer(second_, 73)->rows[0].position, 7u);
}

TEST_F(EntryResume, what_is_not_to_be_had_is_computed_again) {
    use({{1, 2}, {1, 3}});
    ASSERT_TRUE(reopened());
    receive(second_, wire::Failed{request_id(1), 2, ErrorCode::sequence_unknown, 4});
    compute_all();
    while (take<wire::Replay>()) {
    }
    const auto open = take<wire::Open>();
    ASSERT_TRUE(open);
    EXPECT_EQ(open->epoch, 3u);
    EXPECT_EQ(open->resumed_positions, 0u);
    EXPECT_TRUE(open->resumes.empty());
    EXPECT_TRUE(effects_.events.size() == 2u) << "the two tokens, and no failure";
    EXPECT_EQ(engine_.sequence_count(), 1u);
}

TEST_F(EntryResume, without_a_budget_a_new_first_stage_makes_the_entry_compute_again) {
    use({{1, 2}, {3, 2}}, 0);
    const auto open = reopened();
    ASSERT_TRUE(open);
    EXPECT_EQ(open->resumed_positions, 0u);
    compute_all();
    EXPECT_EQ(take<wire::Forward>()->rows[0].position, 0u);
    EXPECT_EQ(entry_->counters().resumes, 0u);
}

TEST_F(EntryResume, two_answers_both_keep_while_no_route_is_ready) {
    use({{1, 2}, {1, 3}});
    entry_->on_link_down(now_, node_id(3), effects_);
    ASSERT_TRUE(entry_->submit(now_, example_request(2, 6, 5), effects_));
    ASSERT_TRUE(take<wire::Open>());
    for (const TokenId token : {0u, 71u}) ASSERT_TRUE(answer(first_, token));
    EXPECT_EQ(entry_->active_count(), 2u);
    lose_first();
    compute_all();
    EXPECT_EQ(entry_->queued_count(), 2u);
    EXPECT_EQ(entry_->kv_used().sequences, 2u);
    EXPECT_EQ(engine_.sequence_count(), 2u);
}

TEST_F(EntryResume, prompts_of_others_do_not_keep_a_replay_waiting) {
    use({{1, 2}, {1, 3}});
    ASSERT_TRUE(entry_->submit(now_, example_request(2, 600, 5), effects_));
    ASSERT_TRUE(take<wire::Open>());
    compute_all();
    EXPECT_EQ(entry_->in_flight_count(), 5u) << "1 on the first, 4 on the second";
    lose_first();
    EXPECT_TRUE(take<wire::Replay>());
}

TEST_F(EntryResume, one_that_is_lost_again_before_a_token_still_resumes) {
    use({{1, 2}, {1, 2}});
    ASSERT_TRUE(reopened());
    while (take<wire::Probe>()) {
    }
    add_route({1, 2});
    compute_all();
    entry_->on_frame(now_, entry_->route(second_.number)->first(),
                     {second_, wire::Lost{node_id(9)}}, effects_);
    compute_all();
    const auto open = take<wire::Open>();
    ASSERT_TRUE(open);
    EXPECT_EQ(open->resumed_positions, 7u);
}

TEST_F(EntryResume, a_failure_while_it_waits_leaves_nothing_to_go_on_with) {
    use({{1, 2}, {1, 3}});
    entry_->on_link_down(now_, node_id(3), effects_);
    // The row of the last token is in the engine when the route is lost.
    ASSERT_TRUE(entry_->submit(now_, example_request(2, 6, 5), effects_));
    ASSERT_EQ(effects_.jobs.size(), 1u);
    const uint64_t job = effects_.jobs[0].batch_id;
    lose_first();
    ASSERT_EQ(entry_->kv_used().sequences, 1u);
    entry_->on_computed(now_, {.batch_id = job, .failures = {{request_id(1), Error{}}}}, effects_);
    EXPECT_EQ(entry_->kv_used().sequences, 0u);
}

TEST_F(EntryResume, what_a_waiting_request_keeps_goes_with_it) {
    use({{1, 2}, {1, 3}});
    entry_->on_link_down(now_, node_id(3), effects_);
    lose_first();
    EXPECT_EQ(entry_->queued_count(), 1u);
    EXPECT_EQ(entry_->kv_used().sequences, 1u);
    ASSERT_TRUE(entry_->cancel(now_, request_id(1), effects_));
    EXPECT_EQ(entry_->kv_used().sequences, 0u);
    compute_all();
    EXPECT_EQ(engine_.sequence_count(), 0u);
}

}  // namespace
}  // namespace teetee::pipeline::testing
