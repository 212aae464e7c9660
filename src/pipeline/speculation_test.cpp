// SPDX-License-Identifier: Apache-2.0
// Guesses of the entry, over one node and over several.
#include <gtest/gtest.h>

#include "pipeline/ring_harness.hpp"

namespace teetee::pipeline::testing {
namespace {

using std::chrono::milliseconds;

/// One whose answer has `kinds` different tokens: guesses are right every now and then.
Submission repetitive_request(uint64_t number, uint32_t kinds, uint32_t max_tokens) {
    Submission submission = example_request(number, 20, max_tokens);
    submission.sampling.top_k = kinds;
    for (TokenId& token : submission.prompt) token %= kinds;
    return submission;
}

void expect_reference(World& world, const Submission& submission) {
    const Outcome& outcome = world.outcome(submission.request);
    EXPECT_EQ(outcome.failure, std::nullopt);
    EXPECT_EQ(outcome.tokens, reference_tokens(submission));
    EXPECT_EQ(outcome.usage.completion_tokens, submission.max_tokens);
}

TEST(speculation, tokens_are_those_without_it) {
    for (const uint32_t stage_count : {1u, 2u, 3u, 5u}) {
        for (const uint32_t kinds : {1u, 2u, 5u}) {
            World world({.stage_count = stage_count, .seed = 10 * stage_count + kinds});
            std::vector<Submission> submissions;
            for (uint64_t i = 1; i <= 8; ++i) {
                submissions.push_back(
                    repetitive_request(i, kinds, static_cast<uint32_t>(1 + 12 * i)));
                if (i % 2 == 0) submissions.back().tenant = Digest{1};
                ASSERT_TRUE(world.submit(submissions.back()));
                world.run_for(milliseconds(i % 4));
            }
            world.finish();
            for (const Submission& submission : submissions) expect_reference(world, submission);
            const Counters& counters = world.entry().counters();
            EXPECT_GT(counters.drafts_right, 0u);
            EXPECT_LE(counters.drafts_right, counters.tokens_drafted);
            EXPECT_EQ(counters.drafts_right<counters.tokens_drafted, kinds> 1) << kinds;
        }
    }
}

TEST(speculation, takes_fewer_passes) {
    std::vector<uint64_t> batches;
    for (const uint32_t drafts_max : {0u, 16u}) {
        World world({.stage_count = 3, .drafts_max = drafts_max});
        const Submission submission = repetitive_request(1, 1, 200);
        ASSERT_TRUE(world.submit(submission));
        world.finish();
        expect_reference(world, submission);
        batches.push_back(world.entry().counters().batches);
        EXPECT_EQ(world.entry().counters().tokens_drafted > 0, drafts_max > 0);
    }
    EXPECT_GT(batches[0], 4 * batches[1]);
}

TEST(speculation, records_are_of_the_tokens_that_a_client_had_when_it_cancelled) {
    for (const uint32_t stage_count : {1u, 3u}) {
        for (const uint32_t delivered : {0u, 1u, 5u, 9u}) {
            World world({.stage_count = stage_count, .has_records = true});
            const Submission submission = repetitive_request(1, 1, 60);
            ASSERT_TRUE(world.submit(submission));
            const Outcome& outcome = world.outcome(submission.request);
            while (outcome.tokens.size() < 10) world.run_for(milliseconds(1));
            const auto usage = world.cancel(submission.request, delivered);
            ASSERT_TRUE(usage);
            EXPECT_EQ(usage->completion_tokens, delivered);
            world.finish();
            ASSERT_EQ(outcome.records.size(), delivered == 0 ? 0u : 1u);
            if (delivered == 0) continue;
            ASSERT_EQ(outcome.records[0].failure, std::nullopt);
            EXPECT_EQ(outcome.records[0].input.end(), 19 + delivered);
            EXPECT_EQ(outcome.records[0].stages.back().output.leaves.size(), delivered);
        }
    }
}

TEST(speculation, records_are_of_the_tokens_that_came) {
    for (const uint32_t stage_count : {1u, 3u}) {
        for (const uint32_t drafts_max : {0u, 16u}) {
            World world(
                {.stage_count = stage_count, .has_records = true, .drafts_max = drafts_max});
            const Submission submission = repetitive_request(1, 3, 60);
            ASSERT_TRUE(world.submit(submission));
            world.finish();
            expect_reference(world, submission);
            const Outcome& outcome = world.outcome(submission.request);
            ASSERT_EQ(outcome.records.size(), 1u);
            ASSERT_EQ(outcome.records[0].failure, std::nullopt);
            // The last token was picked, but not computed on.
            EXPECT_EQ(outcome.records[0].input.end(), 79u);
            for (const SignedRecord& stage : outcome.records[0].stages)
                EXPECT_EQ(stage.record.input.end, 79u);
        }
    }
}

TEST(speculation, a_cancelled_request_leaves_nothing_behind) {
    World world({.stage_count = 3});
    for (uint64_t i = 1; i <= 4; ++i) ASSERT_TRUE(world.submit(repetitive_request(i, 2, 100)));
    world.run_for(milliseconds(60));
    for (uint64_t i = 1; i <= 2; ++i) EXPECT_TRUE(world.cancel(request_id(i)));
    world.finish();
    world.expect_idle();
    for (uint64_t i = 3; i <= 4; ++i) expect_reference(world, world.submission(request_id(i)));
}

// What they pick depends on the tokens so far, and those of a wrong guess cannot be taken back.
TEST(speculation, none_where_sampling_needs_the_tokens) {
    World world({.stage_count = 2});
    Submission submission = repetitive_request(1, 1, 50);
    submission.sampling.frequency_penalty = 0.5F;
    ASSERT_TRUE(world.submit(submission));
    world.finish();
    expect_reference(world, submission);
    EXPECT_EQ(world.entry().counters().tokens_drafted, 0u);
}

}  // namespace
}  // namespace teetee::pipeline::testing
