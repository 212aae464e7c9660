// SPDX-License-Identifier: Apache-2.0
// An entry with two routes; the stages behind it are played by the test.
#include <gtest/gtest.h>

#include "pipeline/entry.hpp"
#include "pipeline/ring_harness.hpp"

namespace teetee::pipeline::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class TwoRoutes : public ::testing::Test {
  protected:
    TwoRoutes() {
        for (uint32_t replica = 1; replica <= 2; ++replica) {
            entry_.on_link_up(now_, node_id(replica), effects_);
            numbers_[replica] = entry_.add_route(now_, {node_id(0), node_id(replica)}, effects_);
            return_probe(replica);
        }
    }

    static EntryOptions options() {
        return {.node_id = node_id(0),
                .engine = engine_limits({0, 4}, {}),
                .chunk_rows = 4,
                .reroute_timeout = seconds(5)};
    }
    wire::RouteId route(uint32_t replica) const { return {node_id(0), numbers_.at(replica)}; }
    void receive(uint32_t replica, wire::Message message) {
        entry_.on_frame(now_, node_id(replica), {route(replica), std::move(message)}, effects_);
    }
    /// The first of this kind that was sent to the replica.
    template <class Body>
    std::optional<Body> take(uint32_t replica) {
        for (size_t i = 0; i < effects_.sends.size(); ++i) {
            Send& send = effects_.sends[i];
            if (send.to != node_id(replica) || !std::holds_alternative<Body>(send.frame.message))
                continue;
            EXPECT_EQ(send.frame.route, route(replica));
            Body body = std::get<Body>(std::move(send.frame.message));
            effects_.sends.erase(effects_.sends.begin() + static_cast<ptrdiff_t>(i));
            return body;
        }
        return {};
    }
    void return_probe(uint32_t replica) {
        auto probe = take<wire::Probe>(replica);
        ASSERT_TRUE(probe);
        probe->hops.push_back({.node_id = node_id(replica),
                               .layers = {4, layer_count},
                               .sequences_free = 9,
                               .positions_free = 9999,
                               .sequences_max = 9,
                               .positions_max = 9999,
                               .formats = wire::all_formats});
        receive(replica, std::move(*probe));
    }
    void compute_all() {
        while (!effects_.jobs.empty()) {
            const ComputeJob job = std::move(effects_.jobs[0]);
            effects_.jobs.clear();
            entry_.on_computed(now_, engine_.compute(job), effects_);
        }
    }
    /// Answers the batch on the route with these tokens; the rows that came.
    std::vector<wire::ForwardRow> answer(uint32_t replica, const std::vector<TokenId>& tokens) {
        compute_all();
        const auto batch = take<wire::Forward>(replica);
        if (!batch) {
            ADD_FAILURE() << "no batch";
            return {};
        }
        wire::Tokens out{.batch_id = batch->batch_id};
        for (const wire::ForwardRow& row : batch->rows) {
            if (!row.wants_token) continue;
            out.rows.push_back({row.request, row.epoch, row.position, tokens.at(out.rows.size())});
        }
        receive(replica, std::move(out));
        return batch->rows;
    }
    std::vector<TokenId> delivered() const {
        std::vector<TokenId> out;
        for (const ClientEvent& event : effects_.events) {
            const auto* token = std::get_if<ClientToken>(&event);
            if (token == nullptr) continue;
            EXPECT_EQ(token->index, out.size());
            out.push_back(token->token);
        }
        return out;
    }
    /// As if the directory knew only these.
    void use(const std::vector<uint32_t>& replicas) {
        std::vector<RouterNode> nodes;
        for (const uint32_t replica : replicas)
            nodes.push_back({node_id(replica), {4, layer_count}, true});
        entry_.use_nodes(now_, nodes, effects_);
    }
    void tick(Duration later) {
        now_ += later;
        entry_.on_timer(now_, 1, effects_);
    }
    /// A prompt of 6 tokens on the first route, of whose answer two are there.
    void begin_answer() {
        ASSERT_TRUE(entry_.submit(now_, example_request(1, 6, 5), effects_));
        answer(1, {});
        answer(1, {71});
        answer(1, {72});
        ASSERT_EQ(delivered(), (std::vector<TokenId>{71, 72}));
        EXPECT_EQ(take<wire::Open>(1)->epoch, 1u);
    }

    Instant now_{1};
    Effects effects_;
    std::map<uint32_t, uint64_t> numbers_;
    Entry entry_{options()};
    FakeEngine engine_{engine_limits({0, 4}, {})};
};

TEST_F(TwoRoutes, barred_nodes_get_no_new_request_and_end_what_they_have) {
    use({1, 2});
    begin_answer();
    entry_.bar_nodes(now_, {node_id(1)}, effects_);
    EXPECT_TRUE(entry_.ready());
    EXPECT_EQ(entry_.open_routes().size(), 1u);
    for (uint8_t id = 2; id <= 4; ++id)
        ASSERT_TRUE(entry_.submit(now_, example_request(id, 3, 5), effects_));
    compute_all();
    EXPECT_FALSE(take<wire::Open>(1));
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(take<wire::Open>(2));
    answer(1, {73});
    EXPECT_EQ(delivered(), (std::vector<TokenId>{71, 72, 73}));
    // Nor where there is no other route.
    entry_.bar_nodes(now_, {node_id(1), node_id(2)}, effects_);
    EXPECT_FALSE(entry_.ready());
    tick(milliseconds(250));
    ASSERT_TRUE(entry_.submit(now_, example_request(5, 3, 5), effects_)) << "it waits for another";
    compute_all();
    EXPECT_FALSE(take<wire::Open>(1));
    EXPECT_FALSE(take<wire::Open>(2));
    entry_.bar_nodes(now_, {node_id(2)}, effects_);
    EXPECT_TRUE(entry_.ready());
    compute_all();
    EXPECT_TRUE(take<wire::Open>(1));
}

TEST_F(TwoRoutes, over_a_barred_node_stays_for_signatures_while_the_node_is_there) {
    use({1, 2});
    entry_.bar_nodes(now_, {node_id(1)}, effects_);
    use({1, 2});
    tick(milliseconds(250));
    EXPECT_EQ(entry_.routes().size(), 2u);
    entry_.ask_to_sign(now_, {.id = 1, .digest = {1}, .bodies = {{node_id(1), {1}}}}, effects_);
    EXPECT_TRUE(take<wire::SignOff>(1));
    entry_.bar_nodes(now_, {}, effects_);
    use({1, 2});
    EXPECT_EQ(entry_.open_routes().size(), 2u);
    entry_.bar_nodes(now_, {node_id(2)}, effects_);
    use({1});
    tick(milliseconds(250));
    EXPECT_EQ(entry_.routes().size(), 1u) << "gone with the node";
}

TEST_F(TwoRoutes, are_none_where_the_entry_itself_is_barred) {
    entry_.bar_nodes(now_, {node_id(0)}, effects_);
    EXPECT_FALSE(entry_.ready());
    EXPECT_EQ(entry_.submit(now_, example_request(1, 3, 5), effects_).error().code,
              ErrorCode::route_unavailable);
    entry_.bar_nodes(now_, {}, effects_);
    EXPECT_TRUE(entry_.submit(now_, example_request(1, 3, 5), effects_));
}

TEST_F(TwoRoutes, share_the_requests) {
    ASSERT_TRUE(entry_.submit(now_, example_request(1, 3, 5), effects_));
    ASSERT_TRUE(entry_.submit(now_, example_request(2, 3, 5), effects_));
    compute_all();
    EXPECT_TRUE(take<wire::Open>(1));
    EXPECT_TRUE(take<wire::Open>(2));
    EXPECT_EQ(entry_.in_flight_count(), 2u);
}

TEST_F(TwoRoutes, an_answer_goes_on_over_the_other_one) {
    begin_answer();
    compute_all();
    entry_.on_link_down(now_, node_id(1), effects_);
    EXPECT_TRUE(entry_.ready());
    const auto open = take<wire::Open>(2);
    ASSERT_TRUE(open);
    EXPECT_EQ(open->epoch, 2u);
    EXPECT_EQ(open->prompt_positions, 6u);
    EXPECT_EQ(open->resumed_positions, 7u);
    EXPECT_EQ(open->resumes, std::vector{wire::Resume::compute});
    // Prompt and answer again, in chunks and as they were noted: the entry's own engine has them.
    // What the client has is picked again and compared.
    EXPECT_EQ(answer(2, {}).size(), 4u);
    const auto rows = answer(2, {71, 72});
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows[0].position, 4u);
    EXPECT_EQ(rows[0].epoch, 2u);
    EXPECT_FALSE(rows[0].wants_token);
    EXPECT_TRUE(rows[1].wants_token);
    EXPECT_EQ(delivered(), (std::vector<TokenId>{71, 72}));
    EXPECT_EQ(answer(2, {73}).size(), 1u);
    EXPECT_EQ(delivered(), (std::vector<TokenId>{71, 72, 73}));
    EXPECT_EQ(entry_.counters().rows_replayed, 7u);
    EXPECT_EQ(entry_.counters().rows, 6u + 1 + 1 + 1 + 1) << "only one was on its way in vain";
    answer(2, {74});
    answer(2, {75});
    EXPECT_EQ(delivered(), (std::vector<TokenId>{71, 72, 73, 74, 75}));
    const auto* done = std::get_if<ClientDone>(&effects_.events.back());
    ASSERT_TRUE(done);
    EXPECT_EQ(done->usage, (Usage{6, 0, 5}));
    compute_all();
    EXPECT_EQ(engine_.sequence_count(), 0u);
    EXPECT_EQ(entry_.kv_used().sequences, 0u);
    EXPECT_EQ(entry_.counters().prompt_tokens, 6u) << "billed once";
    EXPECT_EQ(entry_.counters().completion_tokens, 5u);
}

TEST_F(TwoRoutes, so_it_does_when_a_link_between_stages_is_lost_or_a_stage_stalls) {
    begin_answer();
    compute_all();
    EXPECT_TRUE(take<wire::Forward>(1));
    receive(1, wire::Lost{node_id(1)});
    EXPECT_EQ(effects_.suspects, std::vector{node_id(1)});
    EXPECT_TRUE(take<wire::Leave>(1));
    EXPECT_TRUE(take<wire::Open>(2));
    answer(2, {});
    EXPECT_EQ(answer(2, {71, 72}).size(), 3u);
    answer(2, {73});
    // Now the second stops answering; the first is whole again.
    compute_all();
    return_probe(1);
    for (int i = 0; i < 8; ++i) {
        tick(milliseconds(500));
        return_probe(1);
        if (i == 0) {
            EXPECT_TRUE(take<wire::Probe>(2));
        }
    }
    const auto open = take<wire::Open>(1);
    ASSERT_TRUE(open);
    EXPECT_EQ(open->epoch, 3u);
    answer(1, {});
    answer(1, {71, 72, 73});
    answer(1, {74});
    EXPECT_EQ(delivered(), (std::vector<TokenId>{71, 72, 73, 74}));
}

// It passes probes on: only its batch does not come back.
TEST_F(TwoRoutes, a_stage_that_hangs_in_its_engine_is_left) {
    begin_answer();
    compute_all();
    now_ += milliseconds(10);
    answer(1, {73});
    compute_all();
    ASSERT_TRUE(take<wire::Forward>(1));
    for (int i = 0; i < 42 && !take<wire::Leave>(1); ++i) {
        EXPECT_FALSE(take<wire::Open>(2)) << i;
        tick(milliseconds(250));
        return_probe(1);
        return_probe(2);
    }
    EXPECT_TRUE(take<wire::Open>(2));
    answer(2, {});
    answer(2, {71, 72, 73});
    answer(2, {74});
    EXPECT_EQ(delivered(), (std::vector<TokenId>{71, 72, 73, 74}));
}

// Its probes used to come back at once: a second without one is too long.
TEST_F(TwoRoutes, a_stage_that_stalls_is_left_within_a_second) {
    begin_answer();
    compute_all();
    tick(milliseconds(250));
    now_ += milliseconds(1);
    return_probe(1);
    return_probe(2);
    for (int i = 0; i < 4; ++i) {
        tick(milliseconds(250));
        return_probe(2);
    }
    EXPECT_TRUE(take<wire::Leave>(1));
    EXPECT_TRUE(take<wire::Open>(2));
}

TEST_F(TwoRoutes, a_tail_that_picks_other_tokens_than_before_fails_the_request) {
    begin_answer();
    entry_.on_link_down(now_, node_id(1), effects_);
    answer(2, {});
    answer(2, {71, 79, 73});
    const auto* failed = std::get_if<ClientFailed>(&effects_.events.back());
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->error.code, ErrorCode::stage_failed);
    EXPECT_EQ(delivered(), (std::vector<TokenId>{71, 72}));
}

// Lest one that brings down each stage that computes it brings down all there are.
TEST_F(TwoRoutes, a_request_that_loses_route_after_route_is_given_up) {
    begin_answer();
    for (uint32_t i = 0; i < EntryOptions().reroutes_max; ++i) {
        compute_all();
        const uint32_t replica = 1 + i % 2;
        entry_.on_link_down(now_, node_id(replica), effects_);
        EXPECT_EQ(entry_.active_count(), 1u) << i;
        entry_.on_link_up(now_, node_id(replica), effects_);
        while (take<wire::Forward>(replica) || take<wire::Leave>(replica)) {
        }
        return_probe(replica);
    }
    EXPECT_EQ(entry_.counters().reroutes, EntryOptions().reroutes_max);
    entry_.on_link_down(now_, node_id(1), effects_);
    const auto* failed = std::get_if<ClientFailed>(&effects_.events.back());
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->error.code, ErrorCode::stage_failed);
}

TEST_F(TwoRoutes, late_tokens_of_the_lost_route_change_nothing) {
    begin_answer();
    compute_all();
    const auto late = take<wire::Forward>(1);
    ASSERT_TRUE(late);
    receive(1, wire::Lost{node_id(9)});
    const uint64_t dropped = entry_.counters().messages_dropped;
    receive(1, wire::Tokens{late->batch_id, {{request_id(1), 1, 7, 99}}});
    EXPECT_EQ(entry_.counters().messages_dropped, dropped + 1);
    EXPECT_EQ(delivered(), (std::vector<TokenId>{71, 72}));
}

TEST_F(TwoRoutes, without_any_an_answer_waits_a_while_and_then_fails) {
    begin_answer();
    entry_.on_link_down(now_, node_id(2), effects_);
    entry_.on_link_down(now_, node_id(1), effects_);
    EXPECT_FALSE(entry_.ready());
    // So does one that comes meanwhile.
    EXPECT_TRUE(entry_.submit(now_, example_request(2, 3, 5), effects_));
    tick(milliseconds(4500));
    EXPECT_EQ(entry_.queued_count(), 2u);
    tick(milliseconds(500));
    EXPECT_EQ(std::get<ClientFailed>(effects_.events.back()).error.code,
              ErrorCode::route_unavailable);
    effects_.events.pop_back();
    EXPECT_EQ(entry_.submit(now_, example_request(3, 3, 5), effects_).error().code,
              ErrorCode::route_unavailable);
    const auto* failed = std::get_if<ClientFailed>(&effects_.events.back());
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->error.code, ErrorCode::stage_failed);
    EXPECT_EQ(failed->usage.completion_tokens, 2u);
}

TEST_F(TwoRoutes, one_that_comes_back_in_time_is_taken) {
    begin_answer();
    compute_all();
    entry_.on_link_down(now_, node_id(2), effects_);
    entry_.on_link_down(now_, node_id(1), effects_);
    tick(milliseconds(3000));
    effects_.sends.clear();
    entry_.on_link_up(now_, node_id(2), effects_);
    return_probe(2);
    answer(2, {});
    answer(2, {71, 72});
    answer(2, {73});
    EXPECT_EQ(delivered(), (std::vector<TokenId>{71, 72, 73}));
}

TEST_F(TwoRoutes, a_draining_one_ends_what_it_has_and_takes_no_more) {
    begin_answer();
    use({2});
    for (uint64_t i = 2; i <= 4; ++i) {
        ASSERT_TRUE(entry_.submit(now_, example_request(i, 3, 1), effects_));
        compute_all();
        EXPECT_FALSE(take<wire::Open>(1)) << i;
        EXPECT_TRUE(take<wire::Open>(2)) << i;
    }
    for (const TokenId token : {73u, 74u, 75u}) answer(1, {token});
    EXPECT_EQ(delivered().size(), 5u);
    EXPECT_NE(entry_.route(numbers_[1]), nullptr);
    tick(milliseconds(500));
    EXPECT_EQ(entry_.route(numbers_[1]), nullptr);
    EXPECT_TRUE(take<wire::Leave>(1));
    EXPECT_TRUE(entry_.ready());
}

TEST_F(TwoRoutes, a_drained_one_takes_requests_again_when_it_is_wanted) {
    use({2});
    use({1});
    ASSERT_TRUE(entry_.submit(now_, example_request(1, 3, 1), effects_));
    compute_all();
    EXPECT_TRUE(take<wire::Open>(1));
}

// What is about to end is better than nothing.
TEST_F(TwoRoutes, a_draining_one_takes_requests_while_no_other_is_ready) {
    use({});
    ASSERT_TRUE(entry_.submit(now_, example_request(1, 3, 1), effects_));
    EXPECT_EQ(entry_.active_count(), 1u);
    use({2});
    entry_.on_link_down(now_, node_id(2), effects_);
    ASSERT_TRUE(entry_.submit(now_, example_request(2, 3, 1), effects_));
    compute_all();
    EXPECT_EQ(take<wire::Open>(1)->request, request_id(1));
    EXPECT_EQ(take<wire::Open>(1)->request, request_id(2));
}

// The first one has been draining for long when it is lost with what it had.
TEST_F(TwoRoutes, an_answer_waits_as_long_if_others_have_waited_already) {
    begin_answer();
    use({2});
    entry_.on_link_down(now_, node_id(2), effects_);
    for (int i = 0; i < 12; ++i) {
        tick(milliseconds(250));
        return_probe(1);
    }
    entry_.on_link_down(now_, node_id(1), effects_);
    for (int i = 0; i < 19; ++i) tick(milliseconds(250));
    EXPECT_EQ(entry_.queued_count(), 1u);
    tick(milliseconds(250));
    EXPECT_EQ(entry_.queued_count(), 0u);
    EXPECT_TRUE(std::holds_alternative<ClientFailed>(effects_.events.back()));
}

// The other route is busy for longer than a request may wait for one.
TEST_F(TwoRoutes, an_answer_waits_its_turn_as_long_as_some_route_takes_requests) {
    entry_.on_link_down(now_, node_id(2), effects_);
    begin_answer();
    Submission large = example_request(2, 3, 1);
    entry_.on_link_up(now_, node_id(2), effects_);
    auto probe = take<wire::Probe>(2);
    while (auto later = take<wire::Probe>(2)) probe = later;
    probe->hops.push_back({.node_id = node_id(2),
                           .layers = {4, layer_count},
                           .sequences_free = 1,
                           .positions_free = 9999,
                           .sequences_max = 1,
                           .positions_max = 9999,
                           .formats = wire::all_formats});
    receive(2, std::move(*probe));
    ASSERT_TRUE(entry_.submit(now_, large, effects_));
    compute_all();
    ASSERT_TRUE(take<wire::Open>(2));
    entry_.on_link_down(now_, node_id(1), effects_);
    EXPECT_EQ(entry_.queued_count(), 1u);
    for (int i = 0; i < 12; ++i) {
        tick(milliseconds(500));
        auto next = take<wire::Probe>(2);
        ASSERT_TRUE(next);
        next->hops.push_back({.node_id = node_id(2),
                              .layers = {4, layer_count},
                              .sequences_free = 0,
                              .positions_free = 9999,
                              .sequences_max = 1,
                              .positions_max = 9999,
                              .formats = wire::all_formats});
        receive(2, std::move(*next));
    }
    EXPECT_EQ(entry_.queued_count(), 1u);
    answer(2, {50});
    const auto open = take<wire::Open>(2);
    ASSERT_TRUE(open);
    EXPECT_EQ(open->request, request_id(1));
}

TEST_F(TwoRoutes, a_removed_one_hands_its_requests_on) {
    begin_answer();
    compute_all();
    entry_.remove_route(now_, numbers_[1], effects_);
    answer(2, {});
    answer(2, {71, 72});
    answer(2, {73});
    EXPECT_EQ(delivered(), (std::vector<TokenId>{71, 72, 73}));
}

}  // namespace
}  // namespace teetee::pipeline::testing
