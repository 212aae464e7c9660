// SPDX-License-Identifier: Apache-2.0
// Entry and stages together.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "pipeline/ring_harness.hpp"

namespace teetee::pipeline::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

void expect_reference(World& world, const Submission& submission) {
    const Outcome& outcome = world.outcome(submission.request);
    EXPECT_EQ(outcome.failure, std::nullopt);
    EXPECT_EQ(outcome.reason, FinishReason::length);
    EXPECT_EQ(outcome.tokens, reference_tokens(submission));
    EXPECT_EQ(outcome.usage.prompt_tokens, submission.prompt.size());
}

void expect_serves(World& world, uint64_t number) {
    const Submission submission = example_request(number, 20, 10);
    const auto accepted = world.submit(submission);
    ASSERT_TRUE(accepted) << accepted.error().message();
    world.finish();
    expect_reference(world, submission);
    world.expect_idle();
}

TEST(ring, tokens_do_not_depend_on_stages_chunks_or_neighbours) {
    for (const uint32_t stage_count : {1u, 2u, 3u, 5u}) {
        for (const uint32_t chunk_rows : {1u, 7u, 256u}) {
            World world({.stage_count = stage_count,
                         .seed = 100 * stage_count + chunk_rows,
                         .chunk_rows = chunk_rows,
                         .batch_rows_max = std::max(32u, chunk_rows)});
            std::vector<Submission> submissions;
            for (uint64_t i = 1; i <= 12; ++i) {
                submissions.push_back(
                    example_request(i, 1 + i * i * 4, static_cast<uint32_t>(1 + 3 * i)));
                ASSERT_TRUE(world.submit(submissions.back()));
                world.run_for(milliseconds(i % 4));
            }
            world.finish();
            for (const Submission& submission : submissions) expect_reference(world, submission);
            world.expect_idle();
        }
    }
}

TEST(ring, the_tail_knows_the_tokens_that_an_option_needs) {
    for (const uint32_t stage_count : {1u, 2u, 5u}) {
        World world({.stage_count = stage_count, .chunk_rows = 7});
        size_t rows_with_token = 0;
        world.tap = [&](uint32_t, const wire::Message& message) {
            const auto* forward = std::get_if<wire::Forward>(&message);
            if (forward == nullptr) return;
            for (const wire::ForwardRow& row : forward->rows) {
                EXPECT_EQ(row.token.has_value(), row.request != request_id(1));
                rows_with_token += row.token ? 1 : 0;
            }
        };
        std::vector<Submission> submissions;
        for (uint64_t i = 1; i <= 3; ++i) submissions.push_back(example_request(i, 30, 20));
        submissions[1].sampling.frequency_penalty = 0.5F;
        submissions[2].sampling.constraint = {ConstraintKind::json_object, ""};
        for (const Submission& submission : submissions) ASSERT_TRUE(world.submit(submission));
        world.finish();
        for (const Submission& submission : submissions) expect_reference(world, submission);
        EXPECT_EQ(rows_with_token, size_t{2} * 49 * (stage_count - 1));
        world.expect_idle();
    }
}

TEST(ring, logprobs_come_with_the_tokens_that_asked_for_them) {
    for (const uint32_t stage_count : {1u, 3u}) {
        World world({.stage_count = stage_count});
        std::vector<Submission> submissions;
        for (uint64_t i = 1; i <= 3; ++i) submissions.push_back(example_request(i, 30, 20));
        submissions[1].sampling.logprobs = true;
        submissions[2].sampling.logprobs = true;
        submissions[2].sampling.top_logprobs = 20;
        for (const Submission& submission : submissions) ASSERT_TRUE(world.submit(submission));
        world.finish();
        for (const Submission& submission : submissions) expect_reference(world, submission);
        EXPECT_TRUE(world.outcome(request_id(1)).logprobs.empty());
        EXPECT_EQ(world.outcome(request_id(2)).logprobs.size(), 20u);
        ASSERT_EQ(world.outcome(request_id(3)).logprobs.size(), 20u);
        EXPECT_EQ(world.outcome(request_id(3)).logprobs[7].top.size(), 20u);
    }
}

TEST(ring, the_same_seed_gives_the_same_run) {
    std::vector<std::vector<std::string>> traces(2);
    for (auto& trace : traces) {
        World world({.stage_count = 3, .seed = 5});
        world.tap = [&](uint32_t from, const wire::Message& message) {
            trace.push_back(std::to_string(world.now().count()) + " " + std::to_string(from) + " " +
                            std::to_string(message.index()));
        };
        for (uint64_t i = 1; i <= 5; ++i) ASSERT_TRUE(world.submit(example_request(i, 30, 20)));
        world.finish();
    }
    EXPECT_GT(traces[0].size(), 100u);
    EXPECT_EQ(traces[0], traces[1]);
}

TEST(ring, keeps_all_stages_busy) {
    World world({.stage_count = 4, .drafts_max = 0});
    size_t in_flight_max = 0;
    size_t rows_max = 0;
    bool decoding = false;
    world.tap = [&](uint32_t, const wire::Message& message) {
        const auto* forward = std::get_if<wire::Forward>(&message);
        if (!decoding || forward == nullptr) return;
        in_flight_max = std::max(in_flight_max, world.entry().in_flight_count());
        rows_max = std::max(rows_max, forward->rows.size());
    };
    for (uint64_t i = 1; i <= 16; ++i) ASSERT_TRUE(world.submit(example_request(i, 4, 100)));
    world.run_for(milliseconds(50));
    decoding = true;
    world.finish();
    EXPECT_EQ(in_flight_max, 5u);
    EXPECT_EQ(rows_max, 4u);
}

TEST(ring, a_long_prompt_does_not_starve_decodes) {
    World world({.stage_count = 2, .chunk_rows = 16, .batch_rows_max = 32});
    const Submission chat = example_request(1, 4, 200);
    ASSERT_TRUE(world.submit(chat));
    world.run_for(milliseconds(20));
    const size_t before = world.outcome(chat.request).tokens.size();
    const Submission book = example_request(2, 3000, 1);
    const Submission note = example_request(3, 20, 1);
    ASSERT_TRUE(world.submit(book));
    ASSERT_TRUE(world.submit(note));
    while (!world.outcome(note.request).is_over()) world.run_for(milliseconds(1));
    EXPECT_FALSE(world.outcome(book.request).is_over());
    while (!world.outcome(book.request).is_over()) world.run_for(milliseconds(1));
    EXPECT_GT(world.outcome(chat.request).tokens.size(), before + 30);
    world.finish();
    for (const Submission& submission : {chat, book, note}) expect_reference(world, submission);
}

TEST(ring, stops_at_a_stop_token_and_keeps_it_back) {
    for (const uint32_t stage_count : {1u, 3u}) {
        World world({.stage_count = stage_count});
        Submission submission = example_request(1, 10, 50);
        const std::vector<TokenId> reference = reference_tokens(submission);
        submission.stop_tokens = {reference[20]};
        const auto first = std::ranges::find(reference, reference[20]);
        ASSERT_TRUE(world.submit(submission));
        world.finish();
        const Outcome& outcome = world.outcome(submission.request);
        EXPECT_EQ(outcome.reason, FinishReason::stop);
        EXPECT_EQ(outcome.tokens, std::vector<TokenId>(reference.begin(), first));
        world.expect_idle();
    }
}

TEST(ring, a_full_kv_cache_queues_requests_in_order) {
    World world({.stage_count = 3, .sequences_max = 2});
    std::vector<Submission> submissions;
    for (uint64_t i = 1; i <= 7; ++i) {
        submissions.push_back(example_request(i, 10, 20));
        ASSERT_TRUE(world.submit(submissions.back()));
    }
    world.run_for(milliseconds(20));
    EXPECT_EQ(world.entry().active_count(), 2u);
    world.finish();
    Instant ended{};
    for (const Submission& submission : submissions) {
        expect_reference(world, submission);
        EXPECT_GE(world.outcome(submission.request).ended + milliseconds(50), ended);
        ended = world.outcome(submission.request).ended;
    }
    world.expect_idle();
}

TEST(ring, limits_by_the_tightest_stage_and_its_free_positions) {
    World world({.stage_count = 2, .positions_max = 100});  // 96 in whole blocks
    const auto refused = world.submit(example_request(1, 90, 7));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kv_cache_full);
    ASSERT_TRUE(world.submit(example_request(2, 40, 8)));
    ASSERT_TRUE(world.submit(example_request(3, 41, 8)));
    EXPECT_EQ(world.entry().active_count(), 1u);
    world.run_for(milliseconds(1));
    world.finish();
    expect_reference(world, example_request(3, 41, 8));
    world.expect_idle();
}

TEST(ring, rounded_rows_give_the_same_tokens_whatever_the_batches) {
    for (const auto format : {ActivationFormat::f16, ActivationFormat::q8}) {
        std::vector<std::vector<TokenId>> answers;
        for (const uint32_t chunk_rows : {256u, 5u, 1u}) {
            World world({.stage_count = 3, .chunk_rows = chunk_rows, .activations = format});
            for (uint64_t i = 1; i <= 3; ++i)
                ASSERT_TRUE(world.submit(example_request(i, 10 * i, 8)));
            world.finish();
            for (uint64_t i = 1; i <= 3; ++i)
                answers.push_back(world.outcome(request_id(i)).tokens);
            world.expect_idle();
        }
        for (size_t i = 3; i < answers.size(); ++i) EXPECT_EQ(answers[i], answers[i % 3]);
        EXPECT_NE(answers[0], reference_tokens(example_request(1, 10, 8))) << "rounding shows";
    }
}

TEST(ring, a_probe_tells_route_capacity_and_evidence) {
    World world({.stage_count = 3, .sequences_max = 5});
    for (int i = 0; i < 3; ++i) {
        const Route& way = *world.entry().route(world.route().number);
        const std::vector<wire::Hop>& route = way.hops();
        ASSERT_EQ(route.size(), 3u);
        EXPECT_EQ(route[2].node_id, node_id(2));
        EXPECT_EQ(route[2].layers.end, layer_count);
        EXPECT_EQ(route[2].statement, Bytes{2});
        EXPECT_EQ(route[2].quote, Bytes(3, 2));
        EXPECT_EQ(way.capacity().sequences, 5u);
        EXPECT_GT(way.round_trip(), Duration{0});
        ASSERT_TRUE(world.submit(example_request(static_cast<uint64_t>(i) + 1, 4, 1000)));
        world.run_for(seconds(1));
    }
}

TEST(ring, a_dead_stage_fails_requests_at_once_and_its_successor_serves) {
    for (const uint32_t dead : {1u, 2u, 3u, 4u}) {
        World world({.stage_count = 5, .seed = dead});
        for (uint64_t i = 1; i <= 8; ++i) ASSERT_TRUE(world.submit(example_request(i, 50, 500)));
        world.run_for(milliseconds(60));
        const Instant death = world.now();
        world.kill(dead);
        world.finish();
        for (uint64_t i = 1; i <= 8; ++i) {
            const Outcome& outcome = world.outcome(request_id(i));
            EXPECT_EQ(outcome.failure, ErrorCode::stage_failed);
            EXPECT_LT(outcome.ended - death, milliseconds(20));
            const auto reference = reference_tokens(example_request(i, 50, 500));
            EXPECT_TRUE(
                std::equal(outcome.tokens.begin(), outcome.tokens.end(), reference.begin()));
        }
        const auto refused = world.submit(example_request(9, 5, 5));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::route_unavailable);
        world.expect_idle();

        world.restart(dead);
        world.run_for(seconds(1));
        ASSERT_TRUE(world.entry().ready());
        expect_serves(world, 10);
    }
}

TEST(ring, a_link_that_flaps_fails_requests_and_recovers) {
    for (uint32_t link = 0; link < 4; ++link) {
        World world({.stage_count = 4, .seed = link});
        for (uint64_t i = 1; i <= 6; ++i) ASSERT_TRUE(world.submit(example_request(i, 50, 500)));
        world.run_for(milliseconds(30));
        world.cut_link(link);
        world.join_link(link);
        world.finish();
        for (uint64_t i = 1; i <= 6; ++i) EXPECT_TRUE(world.outcome(request_id(i)).failure);
        world.expect_idle();
        world.run_for(seconds(1));
        expect_serves(world, 7);
    }
}

TEST(ring, a_flap_that_only_hurts_cancelled_requests_is_survived) {
    World world({.stage_count = 4, .chunk_rows = 4, .batch_rows_max = 8});
    world.stall(2);
    for (uint64_t i = 1; i <= 6; ++i) ASSERT_TRUE(world.submit(example_request(i, 50, 500)));
    world.run_for(milliseconds(30));
    for (uint64_t i = 1; i <= 6; ++i) ASSERT_TRUE(world.cancel(request_id(i)));
    EXPECT_EQ(world.entry().in_flight_count(), 5u);
    world.cut_link(1);
    world.resume(2);
    world.join_link(1);
    world.run_for(seconds(4));
    expect_serves(world, 7);
}

TEST(ring, a_new_open_over_a_lost_link_fails_at_once) {
    World world({.stage_count = 4});
    world.cut_link(1);
    ASSERT_TRUE(world.submit(example_request(1, 5, 5)));  // no probe has missed it yet
    const Instant before = world.now();
    world.finish();
    EXPECT_EQ(world.outcome(request_id(1)).failure, ErrorCode::stage_failed);
    EXPECT_LT(world.outcome(request_id(1)).ended - before, milliseconds(20));
    EXPECT_FALSE(world.entry().ready());
    world.expect_idle();
}

TEST(ring, a_stalled_stage_times_out_and_may_come_back) {
    World world({.stage_count = 3});
    for (uint64_t i = 1; i <= 4; ++i) ASSERT_TRUE(world.submit(example_request(i, 50, 1000)));
    world.run_for(milliseconds(60));
    const Instant before = world.now();
    world.stall(1);
    world.finish();
    for (uint64_t i = 1; i <= 4; ++i) {
        EXPECT_EQ(world.outcome(request_id(i)).failure, ErrorCode::stage_timeout);
        EXPECT_LT(world.outcome(request_id(i)).ended - before, seconds(5));
    }
    world.resume(1);
    world.run_for(seconds(1));
    world.expect_idle();
    expect_serves(world, 5);
}

TEST(ring, cancel_frees_the_sequence_everywhere) {
    for (const uint32_t stage_count : {1u, 3u}) {
        World world({.stage_count = stage_count, .sequences_max = 2});
        for (uint64_t i = 1; i <= 3; ++i) ASSERT_TRUE(world.submit(example_request(i, 300, 500)));
        world.run_for(milliseconds(40));
        const auto usage = world.cancel(request_id(1));
        ASSERT_TRUE(usage);
        EXPECT_EQ(usage->completion_tokens, world.outcome(request_id(1)).tokens.size());
        ASSERT_TRUE(world.cancel(request_id(3)));  // still queued or just admitted
        ASSERT_TRUE(world.cancel(request_id(2)));
        EXPECT_FALSE(world.cancel(request_id(2)));
        world.run_for(milliseconds(100));
        world.expect_idle();
        expect_serves(world, 4);
        EXPECT_FALSE(world.outcome(request_id(1)).is_over());
    }
}

TEST(ring, an_engine_failure_ends_one_request_only) {
    for (const uint32_t where : {0u, 1u, 2u}) {
        World world({.stage_count = 3});
        world.engine(where).fail_request = request_id(2);
        for (uint64_t i = 1; i <= 3; ++i) ASSERT_TRUE(world.submit(example_request(i, 20, 20)));
        world.finish();
        EXPECT_EQ(world.outcome(request_id(2)).failure, ErrorCode::context_exceeded);
        expect_reference(world, example_request(1, 20, 20));
        expect_reference(world, example_request(3, 20, 20));
        world.expect_idle();
    }
}

wire::Message hostile_message(Random& random, uint64_t known_requests) {
    const RequestId request = request_id(1 + random.below(known_requests + 3));
    const auto epoch = static_cast<Epoch>(random.below(3));
    const auto position = static_cast<Position>(random.below(60));
    switch (random.below(4)) {
        case 0:
            return wire::Tokens{random.below(200), {{request, epoch, position, 7}}};
        case 1:
            return wire::Tokens{random.below(200), {{request_id(99), 1, position, 7}}};
        case 2:
            return wire::Failed{request_id(99), epoch, ErrorCode::stage_failed, 3};
        default:
            return wire::Probe{.id = 1'000'000 + random.below(9),
                               .path = {node_id(0)},
                               .hops = {{node_id(0), {0, layer_count}, 9, 9, {}, {}}}};
    }
}

TEST(ring, garbage_at_the_entry_changes_nothing) {
    World world({.stage_count = 3});
    for (uint64_t i = 1; i <= 6; ++i) ASSERT_TRUE(world.submit(example_request(i, 40, 40)));
    Random random{42};
    std::vector<wire::Message> seen;
    world.tap = [&](uint32_t from, const wire::Message& message) {
        if (from == 2 && std::holds_alternative<wire::Tokens>(message)) seen.push_back(message);
    };
    for (int i = 0; i < 200; ++i) {
        world.run_for(milliseconds(1));
        auto message = hostile_message(random, 6);
        // A row that is really awaited cannot be told from the tail's: take only those that are
        // not.
        const auto* tokens = std::get_if<wire::Tokens>(&message);
        if (tokens != nullptr && tokens->rows[0].epoch == 1 &&
            tokens->rows[0].request <= request_id(6)) {
            continue;
        }
        world.inject(0, random.below(2) == 0 ? Direction::next : Direction::previous, message);
        if (!seen.empty() && seen.size() > 5) {
            world.inject(0, Direction::previous, seen[random.below(seen.size() - 5)]);
        }
    }
    world.finish();
    for (uint64_t i = 1; i <= 6; ++i) expect_reference(world, example_request(i, 40, 40));
    EXPECT_GT(world.entry().counters().messages_dropped, 100u);
    EXPECT_TRUE(world.entry().ready());
    world.expect_idle();
}

TEST(ring, garbage_at_a_stage_changes_nothing) {
    World world({.stage_count = 3});
    for (uint64_t i = 1; i <= 6; ++i) ASSERT_TRUE(world.submit(example_request(i, 40, 40)));
    Random random{43};
    world.run_for(milliseconds(20));
    for (int i = 0; i < 100; ++i) {
        world.run_for(milliseconds(1));
        ASSERT_FALSE(world.outcome(request_id(1)).is_over());
        const auto index = static_cast<uint32_t>(1 + random.below(2));
        const auto position = static_cast<Position>(random.below(60));
        wire::Forward forward{.batch_id = 1'000'000,
                              .rows = {{request_id(50), 1, position, true},
                                       {request_id(1), 0, position, true},
                                       {request_id(2), 2, position, true}},
                              .width = 2,
                              .activations = Bytes(24)};
        world.inject(index, Direction::previous, forward);
        world.inject(index, Direction::next, forward);
        world.inject(index, Direction::next, wire::Close{{request_id(1)}});
        world.inject(index, Direction::previous, wire::Close{{request_id(50)}});
        world.inject(index, Direction::previous, wire::Open{request_id(1), 1, {}, 9});
        world.inject(index, Direction::previous, hostile_message(random, 6));
    }
    world.finish();
    for (uint64_t i = 1; i <= 6; ++i) expect_reference(world, example_request(i, 40, 40));
    world.expect_idle();
}

/// One fault or cancel, drawn from the seed.
void disturb(World& world, Random& random, uint32_t stage_count, uint64_t requests) {
    const auto stage = static_cast<uint32_t>(1 + random.below(stage_count - 1));
    switch (random.below(6)) {
        case 0:
            world.kill(stage);
            break;
        case 1:
            world.cut_link(stage);
            break;
        case 2:
            world.stall(stage);
            break;
        case 3:
            world.resume(stage);
            break;
        case 4:
            world.join_link(stage);
            break;
        default:
            static_cast<void>(world.cancel(request_id(1 + random.below(requests))));
    }
}

TEST(ring, survives_any_faults_and_serves_when_healed) {
    for (uint64_t seed = 1; seed <= 150; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Random random{seed};
        const auto stage_count = static_cast<uint32_t>(2 + random.below(4));
        World world({.stage_count = stage_count,
                     .seed = seed,
                     .chunk_rows = static_cast<uint32_t>(1 + random.below(40)),
                     .batch_rows_max = static_cast<uint32_t>(8 + random.below(64)),
                     .sequences_max = static_cast<uint32_t>(1 + random.below(6))});
        uint64_t requests = 0;
        for (int step = 0; step < 40; ++step) {
            const auto submission = example_request(++requests, 1 + random.below(60), 30);
            static_cast<void>(world.submit(submission));
            world.run_for(milliseconds(random.below(60)));
            if (random.below(5) == 0) disturb(world, random, stage_count, requests);
            if (random.below(20) == 0) {
                for (uint32_t i = 1; i < stage_count; ++i) world.revive(i);
                world.run_for(milliseconds(600));
            }
        }
        for (uint32_t i = 1; i < stage_count; ++i) world.revive(i);
        world.finish();
        world.run_for(seconds(5));
        world.expect_idle();
        for (uint64_t i = 1; i <= requests; ++i) {
            const auto& tokens = world.outcome(request_id(i)).tokens;
            if (tokens.empty()) continue;
            const auto reference = reference_tokens(world.submission(request_id(i)));
            ASSERT_LE(tokens.size(), reference.size());
            EXPECT_TRUE(std::equal(tokens.begin(), tokens.end(), reference.begin()));
        }
        expect_serves(world, requests + 1);
    }
}

}  // namespace
}  // namespace teetee::pipeline::testing
