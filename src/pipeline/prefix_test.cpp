// SPDX-License-Identifier: Apache-2.0
// The prefix cache of a whole ring: what it spares, and that nobody can see it in an answer.
#include <algorithm>

#include <gtest/gtest.h>

#include "pipeline/ring_harness.hpp"

namespace teetee::pipeline::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A prompt of `shared` tokens that all requests of a topic have, then some of its own.
Submission request_about(uint64_t topic, uint64_t number, size_t shared, size_t own,
                         std::optional<Digest> tenant = Digest{1}) {
    Submission submission = example_request(number, own, 8);
    const std::vector<TokenId> common = example_request(1'000'000 + topic, shared, 1).prompt;
    submission.prompt.insert(submission.prompt.begin(), common.begin(), common.end());
    submission.tenant = tenant;
    return submission;
}

/// Its usage, once the answer is there and is that of an engine without a cache.
Usage answer(World& world, const Submission& submission) {
    const auto accepted = world.submit(submission);
    EXPECT_TRUE(accepted) << accepted.error().message();
    world.finish();
    const Outcome& outcome = world.outcome(submission.request);
    EXPECT_EQ(outcome.failure, std::nullopt);
    EXPECT_EQ(outcome.tokens, reference_tokens(submission));
    EXPECT_EQ(outcome.usage.prompt_tokens, submission.prompt.size());
    return outcome.usage;
}

TEST(prefix, a_tenant_computes_a_prompt_once) {
    for (const uint32_t stage_count : {1u, 2u, 4u}) {
        World world({.stage_count = stage_count, .chunk_rows = 7});
        EXPECT_EQ(answer(world, request_about(1, 1, 100, 5)).cached_tokens, 0u);
        EXPECT_EQ(answer(world, request_about(1, 2, 100, 5)).cached_tokens, 96u);
        EXPECT_EQ(answer(world, request_about(1, 3, 70, 5)).cached_tokens, 64u);
        EXPECT_EQ(answer(world, request_about(2, 4, 100, 5)).cached_tokens, 0u);
        EXPECT_EQ(world.entry().counters().cached_tokens, 160u);
        EXPECT_EQ(world.entry().counters().prompt_tokens, 105u + 9 + 11 + 105);
        world.expect_idle();
    }
}

TEST(prefix, the_last_token_of_a_prompt_is_always_computed) {
    World world({.stage_count = 2});
    EXPECT_EQ(answer(world, request_about(1, 1, 64, 0)).cached_tokens, 0u);
    EXPECT_EQ(answer(world, request_about(1, 2, 64, 0)).cached_tokens, 48u);
    EXPECT_EQ(answer(world, request_about(1, 3, 65, 0)).cached_tokens, 64u);
    world.expect_idle();
}

TEST(prefix, an_answer_is_a_prefix_of_the_next_turn) {
    World world({.stage_count = 3});
    Submission first = request_about(1, 1, 50, 0);
    first.max_tokens = 40;
    answer(world, first);
    Submission second = request_about(1, 2, 50, 0);
    const std::vector<TokenId>& said = world.outcome(first.request).tokens;
    second.prompt.insert(second.prompt.end(), said.begin(), said.end());
    second.prompt.push_back(7);
    EXPECT_EQ(answer(world, second).cached_tokens, 80u) << "89 positions were computed";

    Submission third = request_about(1, 3, 50, 0);
    third.max_tokens = 2000;
    ASSERT_TRUE(world.submit(third));
    world.run_for(milliseconds(200));
    ASSERT_TRUE(world.cancel(third.request));
    Submission fourth = request_about(1, 4, 50, 0);
    const std::vector<TokenId> cut_short = world.outcome(third.request).tokens;
    ASSERT_GT(cut_short.size(), 20u);
    fourth.prompt.insert(fourth.prompt.end(), cut_short.begin(), cut_short.end());
    EXPECT_EQ(answer(world, fourth).cached_tokens, (49 + cut_short.size()) / 16 * 16);
    world.expect_idle();
}

TEST(prefix, tenants_share_nothing) {
    World world({.stage_count = 2});
    answer(world, request_about(1, 1, 100, 5, Digest{1}));
    EXPECT_EQ(answer(world, request_about(1, 2, 100, 5, Digest{2})).cached_tokens, 0u);
    EXPECT_EQ(answer(world, request_about(1, 3, 100, 5, std::nullopt)).cached_tokens, 0u);
    const size_t retained = world.entry().retained_page_count();
    answer(world, request_about(3, 4, 100, 5, std::nullopt));
    EXPECT_EQ(world.entry().retained_page_count(), retained) << "nobody's pages are not kept";
    EXPECT_EQ(answer(world, request_about(3, 5, 100, 5, Digest{1})).cached_tokens, 0u);
}

TEST(prefix, options_that_need_all_tokens_get_them) {
    World world({.stage_count = 2});
    answer(world, request_about(1, 1, 100, 5));
    Submission with_history = request_about(1, 2, 100, 5);
    with_history.sampling.repetition_penalty = 1.2F;
    EXPECT_EQ(answer(world, with_history).cached_tokens, 0u);
    Submission with_logprobs = request_about(1, 3, 100, 5);
    with_logprobs.sampling.logprobs = true;
    EXPECT_EQ(answer(world, with_logprobs).cached_tokens, 96u);
    EXPECT_EQ(world.outcome(with_logprobs.request).logprobs.size(), 8u);
}

TEST(prefix, requests_that_run_together_share_what_is_computed) {
    World world({.stage_count = 3, .positions_max = 25 * 16});
    Submission first = request_about(1, 1, 160, 5);
    first.max_tokens = 100;
    ASSERT_TRUE(world.submit(first));
    while (world.outcome(first.request).tokens.empty()) world.run_for(milliseconds(1));
    // Each alone would need 12 of the 8 pages that are left.
    for (uint64_t i = 2; i <= 4; ++i) ASSERT_TRUE(world.submit(request_about(1, i, 160, 5)));
    world.run_for(milliseconds(10));
    EXPECT_EQ(world.entry().active_count(), 4u);
    world.finish();
    for (uint64_t i = 2; i <= 4; ++i) {
        EXPECT_EQ(world.outcome(request_id(i)).usage.cached_tokens, 160u);
        EXPECT_EQ(world.outcome(request_id(i)).tokens,
                  reference_tokens(request_about(1, i, 160, 5)));
    }
    world.expect_idle();
}

TEST(prefix, gives_up_the_oldest_pages_for_a_new_request) {
    World world({.stage_count = 2, .positions_max = 20 * 16});
    answer(world, request_about(1, 1, 100, 5));
    answer(world, request_about(2, 2, 100, 5));
    answer(world, request_about(1, 3, 100, 5));
    answer(world, request_about(3, 4, 150, 5));
    EXPECT_GT(world.entry().counters().prefix_pages_evicted, 0u);
    EXPECT_EQ(answer(world, request_about(1, 5, 100, 5)).cached_tokens, 96u);
    EXPECT_LT(answer(world, request_about(2, 6, 100, 5)).cached_tokens, 96u);
    // All of the cache, if need be.
    Submission huge = request_about(4, 7, 300, 5);
    answer(world, huge);
    world.expect_idle();
}

TEST(prefix, a_stage_that_lost_its_pages_makes_the_request_start_over) {
    for (const uint32_t loser : {0u, 1u, 2u, 3u}) {
        World world({.stage_count = 4});
        answer(world, request_about(1, 1, 100, 5));
        world.engine(loser).lose_prefixes();
        EXPECT_EQ(answer(world, request_about(1, 2, 100, 5)).cached_tokens, 0u);
        EXPECT_EQ(world.entry().counters().prefixes_unknown, 1u);
        EXPECT_EQ(answer(world, request_about(1, 3, 100, 5)).cached_tokens, 96u);
        world.expect_idle();
    }
}

TEST(prefix, a_request_that_starts_over_is_counted_once) {
    World world({.stage_count = 4});
    const Counters& counters = world.entry().counters();
    answer(world, request_about(1, 1, 100, 5));
    answer(world, request_about(1, 2, 100, 5));
    world.engine(2).lose_prefixes();
    Counters before = counters;
    world.tap = [&](uint32_t, const wire::Message&) {
        EXPECT_GE(counters.cached_tokens, before.cached_tokens);
        EXPECT_GE(counters.prompt_tokens, before.prompt_tokens);
        before = counters;
    };
    answer(world, request_about(1, 3, 100, 5));
    EXPECT_EQ(counters.prefixes_unknown, 1u);
    EXPECT_EQ(counters.cached_tokens, 96u);
    EXPECT_EQ(counters.prompt_tokens, 105u + 9 + 105);
}

TEST(prefix, a_flap_between_stages_costs_the_pages_and_a_moment) {
    for (const uint32_t link : {1u, 2u}) {
        World world({.stage_count = 4});
        answer(world, request_about(1, 1, 100, 5));
        world.cut_link(link);
        world.join_link(link);
        world.run_for(std::chrono::milliseconds(30));
        EXPECT_EQ(answer(world, request_about(1, 2, 100, 5)).cached_tokens, 0u);
        EXPECT_EQ(world.entry().counters().prefixes_unknown, 0u);
        world.expect_idle();
    }
}

void disturb(World& world, Random& random, uint32_t stage_count, uint64_t requests) {
    const auto stage = static_cast<uint32_t>(1 + random.below(stage_count - 1));
    switch (random.below(6)) {
        case 0:
            world.kill(stage);
            break;
        case 1:
            world.cut_link(stage);
            world.join_link(stage);
            break;
        case 2:
            world.stall(stage);
            break;
        case 3:
            world.engine(0).lose_prefixes();
            break;
        default:
            static_cast<void>(world.cancel(request_id(1 + random.below(requests))));
    }
}

TEST(prefix, nobody_can_see_it_in_an_answer) {
    uint64_t cached = 0;
    uint64_t evicted = 0;
    uint64_t started_over = 0;
    for (uint64_t seed = 1; seed <= 150; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Random random{seed};
        const bool is_calm = seed % 3 == 0;
        const auto stage_count = static_cast<uint32_t>(2 + random.below(4));
        World world({.stage_count = stage_count,
                     .seed = seed,
                     .chunk_rows = static_cast<uint32_t>(1 + random.below(40)),
                     .batch_rows_max = static_cast<uint32_t>(8 + random.below(64)),
                     .sequences_max = static_cast<uint32_t>(1 + random.below(6)),
                     .positions_max = 16 * (12 + random.below(40))});
        uint64_t requests = 0;
        for (int step = 0; step < 40; ++step) {
            Submission submission =
                request_about(random.below(3), ++requests, random.below(100), 1 + random.below(40));
            if (random.below(5) == 0)
                submission.tenant.reset();
            else
                submission.tenant = Digest{static_cast<uint8_t>(random.below(2))};
            if (random.below(6) == 0) submission.sampling.presence_penalty = 0.5F;
            static_cast<void>(world.submit(std::move(submission)));
            world.run_for(milliseconds(random.below(80)));
            if (!is_calm && random.below(6) == 0) disturb(world, random, stage_count, requests);
            if (random.below(10) == 0) {
                for (uint32_t i = 1; i < stage_count; ++i) world.revive(i);
                world.run_for(milliseconds(600));
            }
        }
        for (uint32_t i = 1; i < stage_count; ++i) world.revive(i);
        world.finish();
        world.run_for(seconds(5));
        for (uint64_t i = 1; i <= requests; ++i) {
            const Outcome& outcome = world.outcome(request_id(i));
            if (is_calm) {
                EXPECT_EQ(outcome.failure, std::nullopt);
            }
            if (outcome.tokens.empty()) continue;
            const auto reference = reference_tokens(world.submission(request_id(i)));
            ASSERT_LE(outcome.tokens.size(), reference.size());
            EXPECT_TRUE(
                std::equal(outcome.tokens.begin(), outcome.tokens.end(), reference.begin()));
        }
        if (is_calm) world.expect_idle();
        cached += world.entry().counters().cached_tokens;
        evicted += world.entry().counters().prefix_pages_evicted;
        started_over += world.entry().counters().prefixes_unknown;
    }
    // It was there to be seen.
    EXPECT_GT(cached, 10'000u);
    EXPECT_GT(evicted, 1'000u);
    EXPECT_GT(started_over, 10u);
}

}  // namespace
}  // namespace teetee::pipeline::testing
