// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "crypto/hash.hpp"
#include "pipeline/ring_harness.hpp"
#include "pipeline/stage_harness.hpp"

namespace teetee::pipeline::testing {
namespace {

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
    stage_.on_computed({}, {.batch_id = job.batch_id, .activations = Bytes(3)}, effects_);
    ASSERT_EQ(sent<wire::Failed>().size(), 1u);
    EXPECT_EQ(sent<wire::Failed>()[0].code, ErrorCode::internal);
    ASSERT_EQ(sent<wire::Forward>().size(), 1u);
    EXPECT_TRUE(sent<wire::Forward>()[0].rows.empty());
    EXPECT_EQ(take_job().closes, std::vector{id_of(1)});
}

TEST_F(StageTest, an_engine_failure_ends_the_sequence) {
    open(1);
    receive(forward(5, {row(1, 0)}));
    const ComputeJob job = take_job();
    stage_.on_computed(
        {}, {.batch_id = job.batch_id, .failures = {{id_of(1), fail(ErrorCode::internal, "")}}},
        effects_);
    ASSERT_EQ(sent<wire::Failed>().size(), 1u);
    EXPECT_EQ(sent<wire::Failed>()[0].code, ErrorCode::internal);
}

TEST_F(StageTest, a_result_nobody_asked_for_is_dropped) {
    stage_.on_computed({}, {.batch_id = 5}, effects_);
    EXPECT_TRUE(effects_.sends.empty());
    EXPECT_EQ(stage_.counters().messages_dropped, 1u);
}

TEST_F(StageTest, a_lost_next_ends_the_route_and_tells_those_before) {
    open(1);
    open(2);
    receive(forward(5, {row(1, 0)}));
    receive(forward(6, {row(1, 1)}));
    stage_.on_link_down({}, next, effects_);
    EXPECT_EQ(sent<wire::Lost>(previous), std::vector{wire::Lost{next}});
    EXPECT_EQ(stage_.sequence_count(), 0u);
    EXPECT_EQ(stage_.route_count(), 0u);
    compute();
    EXPECT_TRUE(sent<wire::Forward>().empty());

    effects_ = {};
    open(3);
    receive(probe());
    EXPECT_EQ(sent<wire::Lost>(previous), std::vector{wire::Lost{next}}) << "probes find it so";
    EXPECT_EQ(effects_.sends.size(), 1u);
    EXPECT_EQ(stage_.counters().messages_dropped, 1u);
    // With the link comes the route.
    stage_.on_link_up({}, next, effects_);
    receive(probe());
    open(3);
    EXPECT_EQ(sent<wire::Open>().size(), 1u);
}

TEST_F(StageTest, a_lost_previous_ends_the_route_and_tells_those_behind) {
    open(1);
    open(2);
    stage_.on_link_down({}, previous, effects_);
    EXPECT_EQ(sent<wire::Leave>().size(), 1u);
    EXPECT_EQ(stage_.kv_free().sequences, 2u);
    EXPECT_TRUE(sent<wire::Failed>().empty());
}

TEST_F(StageTest, a_node_that_is_gone_is_told_nothing) {
    StageOptions tail = options();
    tail.engine.layers.end = tail.engine.layer_count;
    Stage stage(tail);
    stage.on_link_up({}, previous, effects_);
    stage.on_frame({}, previous, {route, probe(1, {previous, own})}, effects_);
    ASSERT_EQ(stage.route_count(), 1u);
    effects_ = {};
    stage.on_link_down({}, previous, effects_);
    EXPECT_EQ(stage.route_count(), 0u);
    EXPECT_TRUE(effects_.sends.empty());
}

TEST_F(StageTest, what_ends_a_route_is_passed_on_and_heeded) {
    open(1);
    receive(wire::Leave{});
    EXPECT_EQ(sent<wire::Leave>().size(), 1u);
    EXPECT_EQ(stage_.sequence_count(), 0u);
    join(route);
    open(1);
    receive(wire::Lost{wire::NodeId{7}}, next);
    EXPECT_EQ(sent<wire::Lost>(previous), std::vector{wire::Lost{wire::NodeId{7}}});
    EXPECT_EQ(sent<wire::Leave>().size(), 1u) << "behind a probe that may be on its way";
    EXPECT_EQ(stage_.sequence_count(), 0u);
    EXPECT_EQ(stage_.route_count(), 0u);
}

TEST_F(StageTest, routes_do_not_touch_each_other) {
    const wire::RouteId other{previous, 4};
    join(other);
    const auto on_other = [&](wire::Message message) {
        stage_.on_frame({}, previous, {other, std::move(message)}, effects_);
    };
    open(1);
    receive(forward(5, {row(1, 0)}));
    compute();
    effects_ = {};
    on_other(wire::Open{id_of(1), 1, {}, 16});
    on_other(wire::Close{{id_of(1)}});
    on_other(wire::Sign{id_of(1), 1, 1});
    on_other(wire::Retain{id_of(1), 1, {0, 9, 0, 1}});
    on_other(wire::Evict{true, {}});
    on_other(forward(5, {row(1, 1)}));
    EXPECT_EQ(stage_.sequence_count(), 1u);
    EXPECT_TRUE(effects_.jobs.empty());
    EXPECT_EQ(stage_.retained_page_count(), 0u);
    on_other(wire::Leave{});
    EXPECT_EQ(stage_.sequence_count(), 1u);
    EXPECT_EQ(stage_.route_count(), 1u);
    receive(forward(6, {row(1, 1)}));
    EXPECT_EQ(effects_.jobs.size(), 1u);
}

TEST_F(StageTest, a_newer_epoch_may_come_over_another_route_of_the_same_entry_only) {
    const wire::RouteId other{previous, 4};
    join(other);
    open(1);
    receive(forward(5, {row(1, 0)}));
    compute();
    effects_ = {};
    // Before anything was heard of the end of the first route.
    stage_.on_frame({}, previous, {other, wire::Open{id_of(1), 2, {}, 16}}, effects_);
    stage_.on_frame({}, previous, {other, forward(1, {row(1, 0, 2)})}, effects_);
    const ComputeJob job = take_job();
    EXPECT_EQ(job.closes, std::vector{id_of(1)});
    ASSERT_EQ(job.opens.size(), 1u);
    EXPECT_EQ(job.opens[0].epoch, 2u);
    EXPECT_EQ(job.rows.size(), 1u);
    receive(wire::Leave{});
    EXPECT_EQ(stage_.sequence_count(), 1u);

    constexpr wire::NodeId stranger{2};
    const wire::RouteId foreign{stranger, 1};
    stage_.on_link_up({}, stranger, effects_);
    wire::Probe probe{.id = 1, .path = {stranger, own, next}, .hops = {{.node_id = stranger}}};
    stage_.on_frame({}, stranger, {foreign, std::move(probe)}, effects_);
    const uint64_t dropped = stage_.counters().messages_dropped;
    stage_.on_frame({}, stranger, {foreign, wire::Open{id_of(1), 3, {}, 16}}, effects_);
    EXPECT_EQ(stage_.counters().messages_dropped, dropped + 1);
}

TEST_F(StageTest, takes_rows_in_the_format_of_their_sequence_only) {
    receive(wire::Open{id_of(1), 1, {.activations = ActivationFormat::f16}, 16});
    wire::Forward rounded = forward(5, {row(1, 0)});
    rounded.format = ActivationFormat::f16;
    rounded.activations = {0x00, 0x3c};
    receive(rounded);
    ComputeJob job = take_job();
    EXPECT_EQ(job.activations, (Bytes{0, 0, 0x80, 0x3f})) << "the engine sees f32";
    stage_.on_computed({}, {.batch_id = job.batch_id, .activations = job.activations}, effects_);
    ASSERT_EQ(sent<wire::Forward>().size(), 1u);
    EXPECT_EQ(sent<wire::Forward>()[0].activations, rounded.activations);
    EXPECT_EQ(sent<wire::Forward>()[0].format, ActivationFormat::f16);
    receive(forward(6, {row(1, 1)}));
    ASSERT_EQ(sent<wire::Failed>().size(), 1u);
    EXPECT_EQ(sent<wire::Failed>()[0].code, ErrorCode::message_unexpected);
}

TEST_F(StageTest, a_page_is_known_on_its_route_only) {
    const wire::RouteId other{previous, 4};
    join(other);
    retain_pages(1);
    const wire::Open behind{id_of(2), 1, {}, 32, 20, {9, 16}};
    stage_.on_frame({}, previous, {other, behind}, effects_);
    ASSERT_EQ(sent<wire::Failed>().size(), 1u);
    EXPECT_EQ(sent<wire::Failed>()[0].code, ErrorCode::prefix_unknown);
    stage_.on_frame({}, previous, {other, wire::Evict{false, {9}}}, effects_);
    EXPECT_EQ(stage_.retained_page_count(), 1u);
    receive(behind);
    EXPECT_EQ(sent<wire::Open>().size(), 1u);
    receive(wire::Leave{});
    EXPECT_EQ(stage_.retained_page_count(), 0u);
}

TEST_F(StageTest, an_idle_page_of_another_route_gives_way_and_a_busy_one_does_not) {
    const wire::RouteId other{previous, 4};
    join(other);
    const auto open_on_other = [&](uint8_t request, Position positions_max) {
        effects_.sends.clear();
        stage_.on_frame({}, previous, {other, wire::Open{id_of(request), 1, {}, positions_max}},
                        effects_);
        return sent<wire::Failed>().empty();
    };
    const auto free_on = [&](const wire::RouteId& id) {
        effects_.sends.clear();
        stage_.on_frame({}, previous, {id, probe(2)}, effects_);
        return sent<wire::Probe>().at(0).hops.at(1).positions_free;
    };
    retain_pages(2);
    EXPECT_EQ(free_on(route), 16u) << "its sequence and its pages are its entry's own account";
    EXPECT_EQ(free_on(other), 16u);
    EXPECT_FALSE(open_on_other(2, 32)) << "a sequence uses the pages";
    EXPECT_EQ(stage_.retained_page_count(), 2u);
    receive(wire::Close{{id_of(1)}});
    compute();
    EXPECT_EQ(free_on(route), 32u);
    EXPECT_EQ(free_on(other), 64u);
    EXPECT_TRUE(open_on_other(2, 32)) << "there is room without";
    EXPECT_EQ(stage_.retained_page_count(), 2u);
    EXPECT_TRUE(open_on_other(3, 32));
    EXPECT_EQ(stage_.retained_page_count(), 0u);
    stage_.on_frame({}, previous, {other, forward(50, {row(3, 0)})}, effects_);
    EXPECT_EQ(take_job().prefixes.drops, (std::vector<PrefixId>{9, 10}));
    EXPECT_EQ(stage_.counters().prefix_pages_evicted, 2u);
}

TEST_F(StageTest, nothing_gives_way_to_a_sequence_that_does_not_fit_even_so) {
    const wire::RouteId other{previous, 4};
    join(other);
    retain_pages(2);
    receive(wire::Open{id_of(1), 2, {}, 16});
    receive(wire::Open{id_of(2), 1, {}, 16});
    receive(wire::Open{id_of(3), 1, {}, 16});
    ASSERT_EQ(sent<wire::Failed>().size(), 1u) << "the third of two sequences";
    stage_.on_frame({}, previous, {other, wire::Open{id_of(4), 1, {}, 64}}, effects_);
    EXPECT_EQ(sent<wire::Failed>().size(), 2u);
    EXPECT_EQ(stage_.retained_page_count(), 2u);
}

TEST_F(StageTest, joins_only_routes_that_lead_over_its_links) {
    stage_.on_link_up({}, {5}, effects_);
    const wire::RouteId id{previous, 8};
    const std::vector<std::vector<wire::NodeId>> wrong = {
        {previous, next, own},  // not its place
        {previous, own},        // it is not the tail
        {{5}, own, next},       // not the entry's
        {previous},
        {},
    };
    for (const auto& path : wrong) stage_.on_frame({}, previous, {id, probe(1, path)}, effects_);
    wire::Probe early = probe();
    early.hops.clear();
    stage_.on_frame({}, previous, {id, early}, effects_);
    stage_.on_frame({}, {5}, {id, probe()}, effects_);
    EXPECT_TRUE(effects_.sends.empty());
    // No link to the next one: the entry is told.
    stage_.on_frame({}, previous, {id, probe(1, {previous, own, {6}, next})}, effects_);
    EXPECT_EQ(sent<wire::Lost>(previous), std::vector{wire::Lost{{6}}});
    effects_ = {};
    EXPECT_EQ(stage_.route_count(), 1u);
    EXPECT_EQ(stage_.counters().messages_dropped, wrong.size() + 2);
    // A route does not change its path.
    stage_.on_frame({}, previous, {route, probe(2, {previous, own, {5}})}, effects_);
    EXPECT_TRUE(effects_.sends.empty());
    for (uint64_t number = 100; number < 600; ++number)
        stage_.on_frame({}, previous, {{previous, number}, probe()}, effects_);
    EXPECT_EQ(stage_.route_count(), StageRoutes::routes_max);
}

TEST_F(StageTest, adds_its_hop_to_a_probe) {
    stage_.set_evidence({1}, {2, 3});
    open(1);
    receive(probe(1));
    wire::Probe wanting = probe(2);
    wanting.want_evidence = true;
    receive(wanting);
    const auto probes = sent<wire::Probe>();
    ASSERT_EQ(probes.size(), 2u);
    const wire::Hop plain{.node_id = {7},
                          .layers = {4, 8},
                          .sequences_free = 1,
                          .positions_free = 48,
                          .sequences_max = 2,
                          .positions_max = 64,
                          .formats = wire::all_formats};
    EXPECT_EQ(probes[0].hops.at(1), plain);
    EXPECT_EQ(probes[1].hops.at(1).quote, (Bytes{2, 3}));
}

TEST_F(StageTest, takes_orders_from_the_previous_node_only) {
    open(1);
    effects_ = {};
    receive(wire::Close{{id_of(1)}}, next);
    receive(wire::Open{id_of(2), 1, {}, 1}, next);
    receive(forward(5, {row(1, 0)}), next);
    receive(probe(), next);
    receive(wire::Leave{}, next);
    receive(wire::Lost{});
    receive(wire::Tokens{});
    EXPECT_EQ(stage_.counters().messages_dropped, 7u);
    EXPECT_EQ(stage_.sequence_count(), 1u);
}

/// The tokens that a tail draws when it gets these rows in batches of `batch_rows`.
std::vector<wire::TokenRow> replayed(const wire::Open& open, const std::vector<TokenId>& tokens,
                                     size_t batch_rows, Stage& tail, testing::FakeEngine& engine) {
    std::vector<wire::TokenRow> drawn;
    Effects effects;
    tail.on_frame({}, {1}, {{{1}, 1}, open}, effects);
    for (size_t begin = 0; begin < tokens.size(); begin += batch_rows) {
        wire::Forward batch{.batch_id = begin + 1, .width = 2};
        ByteWriter activations;
        for (size_t i = begin; i < std::min(begin + batch_rows, tokens.size()); ++i) {
            batch.rows.push_back({open.request, open.epoch, static_cast<Position>(i),
                                  i + 1 >= open.prompt_positions, tokens[i]});
            activations.u64(tokens[i]);
        }
        batch.activations = activations.take();
        tail.on_frame({}, {1}, {{{1}, 1}, batch}, effects);
        EXPECT_EQ(effects.jobs.size(), 1u);
        tail.on_computed({}, engine.compute(effects.jobs.at(0)), effects);
        effects.jobs.clear();
        const auto& message = std::get<wire::Tokens>(effects.sends.back().frame.message);
        drawn.insert(drawn.end(), message.rows.begin(), message.rows.end());
    }
    return drawn;
}

TEST(stage, a_replay_under_another_epoch_has_the_history_and_draws_the_same) {
    const EngineLimits limits = testing::engine_limits({4, testing::layer_count}, {});
    Stage tail({.node_id = {7}, .engine = limits});
    testing::FakeEngine engine(limits);
    Effects effects;
    tail.on_link_up({}, {1}, effects);
    const wire::Probe first_probe{.path = {{1}, {7}}, .hops = {{.node_id = {1}}}};
    tail.on_frame({}, {1}, {{{1}, 1}, first_probe}, effects);
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
    stage_.set_evidence({3}, {});
    const wire::Attest order{id_of(1), {9}, {crypto::sha256(Bytes{3})}};
    const Result<Bytes> none[] = {fail(ErrorCode::overloaded, "busy"), Bytes(),
                                  Bytes(wire::Limits{}.quote_bytes_max + 1)};
    for (const Result<Bytes>& quote : none) {
        receive(order);
        stage_.on_quoted({}, {id_of(1), quote}, effects_);
    }
    const auto answers = sent<wire::Quote>();
    ASSERT_EQ(answers.size(), 3u);
    EXPECT_EQ(answers[0].failure, ErrorCode::overloaded);
    EXPECT_EQ(answers[1].failure, ErrorCode::evidence_unavailable);
    EXPECT_EQ(answers[2].failure, ErrorCode::evidence_unavailable);
    receive(order);
    stage_.on_link_down({}, next, effects_);
    effects_ = {};
    stage_.on_quoted({}, {id_of(1), Bytes{5}}, effects_);
    receive(order);
    EXPECT_TRUE(effects_.sends.empty() && effects_.quotes.empty());
}

}  // namespace
}  // namespace teetee::pipeline::testing
