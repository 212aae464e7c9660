// SPDX-License-Identifier: Apache-2.0
// What a whole ring does is in ring_test.cpp; here the entry alone, event by event.
#include "pipeline/entry.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "pipeline/entry_harness.hpp"

namespace teetee::pipeline::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ErrorCode refusal(World& world, Submission submission) {
    const auto accepted = world.submit(std::move(submission));
    EXPECT_FALSE(accepted);
    return accepted ? ErrorCode{} : accepted.error().code;
}

TEST(entry, refuses_what_it_cannot_serve) {
    World world({.positions_max = 1024});
    const Submission good = example_request(1, 10, 10);
    Submission bad = good;
    bad.prompt.clear();
    EXPECT_EQ(refusal(world, bad), ErrorCode::invalid_argument);
    bad = good;
    bad.max_tokens = 0;
    EXPECT_EQ(refusal(world, bad), ErrorCode::invalid_argument);
    bad = good;
    bad.stop_tokens.resize(stop_tokens_max + 1);
    EXPECT_EQ(refusal(world, bad), ErrorCode::invalid_argument);
    bad = good;
    bad.sampling.top_p = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(refusal(world, bad), ErrorCode::invalid_argument);
    bad = good;
    bad.sampling.logit_bias = {{1, 1}, {1000, 1}};
    EXPECT_EQ(refusal(world, bad), ErrorCode::token_out_of_range);
    bad = good;
    bad.prompt[3] = 1000;
    EXPECT_EQ(refusal(world, bad), ErrorCode::token_out_of_range);
    bad = good;
    bad.max_tokens = 4087;
    EXPECT_EQ(refusal(world, bad), ErrorCode::context_exceeded);
    bad.max_tokens = UINT32_MAX;
    EXPECT_EQ(refusal(world, bad), ErrorCode::context_exceeded);
    bad.max_tokens = 1015;
    EXPECT_EQ(refusal(world, bad), ErrorCode::kv_cache_full);
    ASSERT_TRUE(world.submit(good));
    EXPECT_EQ(refusal(world, good), ErrorCode::invalid_argument) << "the id is in use";
    world.finish();
    world.expect_idle();
}

TEST(entry, queues_no_more_than_its_limit) {
    World world({.queued_max = 6, .sequences_max = 1});
    ASSERT_TRUE(world.submit(example_request(1, 10, 10)));
    for (uint64_t i = 2; i <= 4; ++i) ASSERT_TRUE(world.submit(example_request(i, 10, 10)));
    EXPECT_EQ(refusal(world, example_request(5, 10, 10)), ErrorCode::overloaded);
    world.finish();
    EXPECT_TRUE(world.submit(example_request(5, 10, 10)));
    world.finish();
    world.expect_idle();
}

TEST(entry, a_flood_of_one_tenant_leaves_places_and_turns_for_others) {
    World world({.queued_max = 40, .sequences_max = 1});
    const auto request_of = [](uint64_t number, uint8_t tenant) {
        Submission out = example_request(number, 10, 10);
        out.tenant = Digest{tenant};
        return out;
    };
    uint64_t accepted = 0;
    while (world.submit(request_of(1 + accepted, 1))) ++accepted;
    EXPECT_EQ(accepted, 21u) << "one active and half of the queue";
    ASSERT_TRUE(world.submit(request_of(100, 2)));
    ASSERT_TRUE(world.submit(request_of(101, 2)));
    world.finish();
    uint64_t before = 0;
    for (uint64_t i = 1; i <= accepted; ++i)
        before += world.outcome(request_id(i)).ended < world.outcome(request_id(101)).ended ? 1 : 0;
    EXPECT_LE(before, 4u);
    world.expect_idle();
}

TEST(entry, a_request_ends_at_its_deadline_wherever_it_is) {
    World world({.stage_count = 3, .sequences_max = 1});
    Submission over = example_request(1, 10, 10);
    over.deadline = world.now();
    EXPECT_EQ(refusal(world, over), ErrorCode::deadline_exceeded);
    Submission running = example_request(2, 10, 3000);
    running.deadline = world.now() + seconds(1);
    Submission queued = example_request(3, 10, 3000);
    queued.deadline = world.now() + milliseconds(500);
    ASSERT_TRUE(world.submit(running));
    ASSERT_TRUE(world.submit(queued));
    ASSERT_TRUE(world.submit(example_request(4, 10, 10)));
    world.finish();
    EXPECT_EQ(world.outcome(request_id(2)).failure, ErrorCode::deadline_exceeded);
    EXPECT_EQ(world.outcome(request_id(3)).failure, ErrorCode::deadline_exceeded);
    EXPECT_EQ(world.outcome(request_id(4)).reason, FinishReason::length);
    const size_t delivered = world.outcome(request_id(2)).tokens.size();
    EXPECT_GT(delivered, 0u);
    EXPECT_EQ(world.outcome(request_id(2)).usage.completion_tokens, delivered);
    EXPECT_EQ(world.outcome(request_id(3)).tokens.size(), 0u);
    EXPECT_LE(world.outcome(request_id(2)).ended, running.deadline.value() + milliseconds(250));
    EXPECT_LE(world.outcome(request_id(3)).ended, queued.deadline.value() + milliseconds(250));
    world.expect_idle();
}

TEST(entry, counts_what_it_computes_and_delivers) {
    World world({});
    ASSERT_TRUE(world.submit(example_request(1, 100, 7)));
    world.finish();
    const Counters& counters = world.entry().counters();
    EXPECT_EQ(counters.prompt_tokens, 100u);
    EXPECT_EQ(counters.completion_tokens, 7u);
    EXPECT_EQ(counters.rows, 106u) << "the last token is not fed back";
    EXPECT_EQ(counters.batches, 7u);
    EXPECT_EQ(counters.rows_dropped + counters.messages_dropped, 0u);
}

TEST_F(LinkedEntry, is_ready_only_when_hops_cover_all_layers_in_order) {
    const std::vector<std::vector<wire::Hop>> broken = {
        {},
        {hop({4, 9})},
        {hop({5, layer_count})},
        {hop({4, layer_count}), hop({4, layer_count})},
        {hop({4, layer_count + 1})},
        {hop({7, layer_count}), hop({4, 7})},
        {hop({4, 7}), hop({7, layer_count})},
    };
    for (const auto& hops : broken) {
        return_probe(hops);
        EXPECT_FALSE(entry_.ready());
        tick(milliseconds(500));
    }
    wire::Hop other = hop({4, layer_count});
    other.node_id = node_id(2);
    return_probe({other});
    EXPECT_FALSE(entry_.ready());
    tick(milliseconds(500));
    return_probe({hop({4, layer_count})});
    EXPECT_TRUE(entry_.ready());
    EXPECT_EQ(route().hops().size(), 2u);
}

TEST_F(LinkedEntry, asks_for_evidence_once_and_again_after_a_link_was_down) {
    wire::Probe probe = take<wire::Probe>();
    EXPECT_TRUE(probe.want_evidence);
    probe.hops.push_back(hop({4, layer_count}));
    probe.hops[1].quote = {5};
    receive(probe);
    tick(milliseconds(500));
    probe = take<wire::Probe>();
    EXPECT_FALSE(probe.want_evidence);
    probe.hops.push_back(hop({4, layer_count}));
    receive(probe);
    EXPECT_EQ(route().hops()[1].quote, Bytes{5});
    entry_.on_link_down(now_, node_id(1), effects_);
    entry_.on_link_up(now_, node_id(1), effects_);
    EXPECT_TRUE(take<wire::Probe>().want_evidence);
}

TEST_F(LinkedEntry, evidence_on_its_way_is_not_the_evidence_that_is_wanted_now) {
    wire::Probe early = take<wire::Probe>();
    EXPECT_TRUE(early.want_evidence);
    early.hops.push_back(hop({4, layer_count}));
    entry_.set_evidence({1}, {2});
    receive(early);
    tick(milliseconds(500));
    wire::Probe next = take<wire::Probe>();
    EXPECT_TRUE(next.want_evidence);
    EXPECT_EQ(next.hops[0].quote, Bytes{2});
    next.hops.push_back(hop({4, layer_count}));
    receive(next);
    tick(milliseconds(500));
    EXPECT_FALSE(take<wire::Probe>().want_evidence);
}

TEST_F(LinkedEntry, fails_requests_when_probes_stay_away) {
    start_request();
    Duration waited{};
    while (effects_.events.empty() && waited < seconds(10)) {
        tick(milliseconds(500));
        waited += milliseconds(500);
    }
    EXPECT_EQ(waited, seconds(3) + milliseconds(500)) << "the first unanswered one left at 500 ms";
    ASSERT_EQ(effects_.events.size(), 1u);
    EXPECT_EQ(std::get<ClientFailed>(effects_.events[0]).error.code, ErrorCode::stage_timeout);
    take<wire::Leave>();
    EXPECT_EQ(effects_.jobs.at(0).closes, std::vector{request_id(1)});
}

TEST_F(LinkedEntry, fails_requests_when_probes_return_but_a_batch_does_not) {
    start_request();
    for (int i = 0; i < 119; ++i) {
        tick(milliseconds(500));
        return_probe({hop({4, layer_count})});
    }
    EXPECT_TRUE(effects_.events.empty());
    tick(milliseconds(500));
    ASSERT_EQ(effects_.events.size(), 1u);
    EXPECT_EQ(std::get<ClientFailed>(effects_.events[0]).error.code, ErrorCode::stage_timeout);
    EXPECT_EQ(entry_.in_flight_count(), 0u);
}

TEST_F(LinkedEntry, a_lost_probe_is_forgiven_when_a_later_one_returns) {
    start_request();
    tick(milliseconds(500));
    take<wire::Probe>();
    for (int i = 0; i < 8; ++i) {
        tick(milliseconds(500));
        return_probe({hop({4, layer_count})});
    }
    EXPECT_TRUE(entry_.ready());
    EXPECT_TRUE(effects_.events.empty());
}

TEST_F(LinkedEntry, ignores_early_and_foreign_timers) {
    const size_t before = effects_.timers.size();
    entry_.on_timer(now_, tick_id, effects_);
    entry_.on_timer(now_ + seconds(1), 77, effects_);
    EXPECT_EQ(effects_.timers.size(), before);
}

TEST_F(LinkedEntry, takes_a_token_only_for_a_row_that_wants_one) {
    start_request();
    const wire::Forward batch = take<wire::Forward>();
    const RequestId id = request_id(1);
    const std::vector<std::vector<wire::TokenRow>> wrong = {
        {{id, 1, 1, 7}},                 // a prompt row
        {{id, 2, 2, 7}},                 // another epoch
        {{id, 1, 2, 7}, {id, 1, 2, 8}},  // twice
        {{request_id(2), 1, 2, 7}},
    };
    for (const auto& rows : wrong) receive(wire::Tokens{batch.batch_id, rows});
    receive(wire::Tokens{batch.batch_id + 1, {{id, 1, 2, 7}}});
    EXPECT_TRUE(effects_.events.empty());
    EXPECT_EQ(entry_.counters().messages_dropped, 5u);
    receive(wire::Tokens{batch.batch_id, {{id, 1, 2, 7}}});
    receive(wire::Tokens{batch.batch_id, {{id, 1, 2, 7}}});
    ASSERT_EQ(effects_.events.size(), 1u);
    EXPECT_EQ(std::get<ClientToken>(effects_.events[0]).token, 7u);
}

class EmbeddingEntry : public LinkedEntry {
  protected:
    /// What becomes of a request with this pooling when the tail gives it this embedding, with a
    /// token that ends answers.
    ClientEvent event_after(Pooling pooling, const std::vector<float>& given) {
        return_probe({hop({4, layer_count})});
        auto submission = example_request(1, 3, 5);
        submission.sampling.pooling = pooling;
        submission.stop_tokens = {7};
        EXPECT_TRUE(entry_.submit(now_, submission, effects_));
        compute();
        receive(wire::Tokens{take<wire::Forward>().batch_id,
                             {{request_id(1), 1, 2, 7, std::nullopt, given}}});
        EXPECT_FALSE(effects_.events.empty());
        return effects_.events.empty() ? ClientEvent{} : effects_.events[0];
    }
    const std::vector<float> embedding_ = {0.6F, 0.8F};
};

TEST_F(EmbeddingEntry, is_handed_out_whatever_token_it_comes_with) {
    EXPECT_EQ(std::get<ClientToken>(event_after(Pooling::mean, embedding_)).embedding, embedding_);
}

TEST_F(EmbeddingEntry, that_was_asked_for_has_to_come) {
    EXPECT_EQ(std::get<ClientFailed>(event_after(Pooling::mean, {})).error.code,
              ErrorCode::stage_failed);
}

TEST_F(EmbeddingEntry, has_as_many_numbers_as_a_row) {
    EXPECT_EQ(std::get<ClientFailed>(event_after(Pooling::last, {1.0F})).error.code,
              ErrorCode::stage_failed);
}

TEST_F(EmbeddingEntry, that_nobody_asked_for_is_none) {
    EXPECT_EQ(std::get<ClientFailed>(event_after(Pooling::none, embedding_)).error.code,
              ErrorCode::stage_failed);
}

TEST_F(LinkedEntry, a_lost_row_ends_the_route) {
    start_request();
    // A stage has left the route and joined it again: what the others hold of it is worth nothing.
    receive(wire::Tokens{take<wire::Forward>().batch_id, {}});
    EXPECT_FALSE(entry_.ready());
    take<wire::Leave>();
    ASSERT_EQ(effects_.events.size(), 1u) << "may not wait for another route";
    EXPECT_EQ(std::get<ClientFailed>(effects_.events[0]).error.code, ErrorCode::stage_failed);
    return_probe({hop({4, layer_count})});
    EXPECT_TRUE(entry_.ready());
}

TEST_F(LinkedEntry, fails_a_request_whose_token_is_none) {
    start_request();
    receive(wire::Tokens{take<wire::Forward>().batch_id, {{request_id(1), 1, 2, 1000}}});
    ASSERT_EQ(effects_.events.size(), 1u);
    EXPECT_EQ(std::get<ClientFailed>(effects_.events[0]).error.code, ErrorCode::token_out_of_range);
}

TEST_F(LinkedEntry, takes_only_the_logprobs_that_were_asked_for) {
    return_probe({hop({4, layer_count})});
    const TokenLogprobs two{-1, {{7, -1}, {8, -2}}};
    const TokenLogprobs unknown{-1, {{1000, -1}}};
    const struct {
        bool asks;
        std::optional<TokenLogprobs> answer;
        std::optional<ErrorCode> failure;
    } cases[] = {{true, TokenLogprobs{-1, {{7, -1}}}, {}},
                 {true, std::nullopt, ErrorCode::stage_failed},
                 {true, two, ErrorCode::stage_failed},
                 {true, unknown, ErrorCode::token_out_of_range},
                 {false, TokenLogprobs{}, ErrorCode::stage_failed}};
    uint64_t number = 0;
    for (const auto& c : cases) {
        Submission submission = example_request(++number, 3, 1);
        submission.sampling.logprobs = c.asks;
        submission.sampling.top_logprobs = c.asks ? 1 : 0;
        ASSERT_TRUE(entry_.submit(now_, submission, effects_));
        while (!effects_.jobs.empty()) compute();
        effects_.events.clear();
        receive(wire::Tokens{take<wire::Forward>().batch_id,
                             {{request_id(number), 1, 2, 7, c.answer}}});
        ASSERT_FALSE(effects_.events.empty());
        const auto* failed = std::get_if<ClientFailed>(&effects_.events[0]);
        EXPECT_EQ(failed != nullptr ? std::optional(failed->error.code) : std::nullopt, c.failure);
        if (!failed) {
            EXPECT_EQ(std::get<ClientToken>(effects_.events[0]).logprobs, c.answer);
        }
        while (!effects_.jobs.empty()) compute();
    }
}

TEST_F(LinkedEntry, a_late_token_of_a_cancelled_request_is_dropped) {
    start_request();
    const wire::Forward batch = take<wire::Forward>();
    ASSERT_TRUE(entry_.cancel(now_, request_id(1), effects_));
    receive(wire::Tokens{batch.batch_id, {{request_id(1), 1, 2, 7}}});
    EXPECT_TRUE(effects_.events.empty());
    EXPECT_EQ(entry_.counters().rows_dropped, 1u);
    EXPECT_EQ(entry_.in_flight_count(), 0u);
}

TEST_F(LinkedEntry, a_politely_refused_open_ends_that_request_only) {
    start_request();
    receive(wire::Failed{request_id(1), 2, ErrorCode::context_exceeded, 4});
    EXPECT_TRUE(effects_.events.empty()) << "another epoch";
    receive(wire::Failed{request_id(1), 1, ErrorCode::context_exceeded, 4});
    ASSERT_EQ(effects_.events.size(), 1u);
    EXPECT_EQ(std::get<ClientFailed>(effects_.events[0]).error.code, ErrorCode::context_exceeded);
    EXPECT_TRUE(entry_.ready());
}

TEST_F(LinkedEntry, knows_about_when_the_next_answer_is_over) {
    start_request();
    EXPECT_EQ(entry_.next_end(), Duration{}) << "nothing is known yet";
    for (Position at = 2; at < 5; ++at) {
        const uint64_t batch = take<wire::Forward>().batch_id;
        now_ += milliseconds(20);
        receive(wire::Tokens{batch, {{request_id(1), 1, at, 7 + at}}});
        const auto left = static_cast<int64_t>(5 - (at - 1));
        EXPECT_EQ(entry_.next_end(), left * milliseconds(20)) << at;
        compute();
    }
    ASSERT_TRUE(entry_.cancel(now_, request_id(1), effects_));
    EXPECT_EQ(entry_.next_end(), Duration{});
}

TEST(entry, a_route_needs_stages_that_take_its_format) {
    Effects effects;
    const std::vector<wire::NodeId> path{node_id(0), node_id(1)};
    Route route({.id = {node_id(0), 1},
                 .path = path,
                 .engine = engine_limits({0, 4}, {}),
                 .format = ActivationFormat::q8,
                 .probe_timeout = std::chrono::seconds(1)});
    const auto hop = [](uint32_t node, LayerRange layers, uint32_t formats) {
        return wire::Hop{.node_id = node_id(node), .layers = layers, .formats = formats};
    };
    for (const uint32_t formats : {0u, 1u, 3u, wire::all_formats}) {
        wire::Probe probe = route.make_probe({}, hop(0, {0, 4}, wire::all_formats), {});
        probe.hops.push_back(hop(1, {4, layer_count}, formats));
        EXPECT_EQ(bool(route.on_probe({}, std::move(probe))), formats == wire::all_formats);
        EXPECT_EQ(route.ready(), formats == wire::all_formats);
    }
}

TEST_F(LinkedEntry, why_a_route_is_not_ready_is_said_once) {
    wire::Hop other = hop({4, layer_count});
    other.layers.end = layer_count + 1;
    for (int i = 0; i < 3; ++i) {
        return_probe({other});
        tick(milliseconds(500));
    }
    ASSERT_EQ(effects_.log.size(), 1u);
    EXPECT_EQ(effects_.log[0].level, LogLevel::warn);
}

TEST_F(LinkedEntry, a_stage_may_claim_any_capacity) {
    wire::Hop boundless = hop({4, layer_count});
    boundless.sequences_free = UINT32_MAX;
    boundless.positions_free = UINT64_MAX;
    return_probe({boundless});
    ASSERT_TRUE(entry_.submit(now_, example_request(1, 3, 5), effects_));
    tick(milliseconds(500));
    return_probe({boundless});
    EXPECT_TRUE(entry_.ready());
    ASSERT_TRUE(entry_.submit(now_, example_request(2, 3, 5), effects_));
}

}  // namespace
}  // namespace teetee::pipeline::testing
