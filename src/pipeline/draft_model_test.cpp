// SPDX-License-Identifier: Apache-2.0
// What a draft model says changes when tokens come, never which.
#include <gtest/gtest.h>

#include "pipeline/ring_harness.hpp"

namespace teetee::pipeline::testing {
namespace {

using std::chrono::milliseconds;

/// What comes in truth at the places that a job asks for.
std::vector<TokenId> truth(World& world, const DraftJob& job) {
    const Submission& submission = world.submission(job.request);
    const std::vector<TokenId> answer = reference_tokens(submission);
    const size_t begin = std::min(answer.size(), job.text.size() - submission.prompt.size());
    const size_t end = std::min(answer.size(), begin + job.count);
    return {answer.begin() + static_cast<ptrdiff_t>(begin),
            answer.begin() + static_cast<ptrdiff_t>(end)};
}

World::Drafted drafted(const DraftJob& job, std::vector<TokenId> tokens) {
    return {.result = {.request = job.request,
                       .place = job.text.size(),
                       .is_ready = true,
                       .tokens = std::move(tokens)}};
}

using Model = std::function<std::optional<World::Drafted>(World&, const DraftJob&)>;

/// Some requests with answers that do not repeat themselves, over three stages.
void expect_same_answers(World& world, const Model& model) {
    world.draft_model = [&](const DraftJob& job) { return model(world, job); };
    std::vector<Submission> submissions;
    for (uint64_t i = 1; i <= 4; ++i) {
        submissions.push_back(example_request(i, 20, static_cast<uint32_t>(20 * i)));
        ASSERT_TRUE(world.submit(submissions.back()));
    }
    world.finish();
    for (const Submission& submission : submissions) {
        EXPECT_EQ(world.outcome(submission.request).failure, std::nullopt);
        EXPECT_EQ(world.outcome(submission.request).tokens, reference_tokens(submission));
    }
    world.expect_idle();
}

TEST(draft_model, that_is_right_saves_passes) {
    std::vector<uint64_t> batches;
    for (const bool has_draft_model : {false, true}) {
        World world({.stage_count = 3, .has_draft_model = has_draft_model});
        expect_same_answers(
            world, [](World& w, const DraftJob& job) { return drafted(job, truth(w, job)); });
        const Counters& counters = world.entry().counters();
        batches.push_back(counters.batches);
        EXPECT_EQ(counters.model_tokens_drafted > 0, has_draft_model);
        EXPECT_EQ(counters.model_drafts_right, counters.model_tokens_drafted);
        EXPECT_EQ(counters.messages_dropped, 0u);
    }
    EXPECT_GT(batches[0], 2 * batches[1]);
}

TEST(draft_model, that_is_wrong_changes_nothing_and_is_asked_less) {
    World world({.stage_count = 3, .has_draft_model = true});
    world.draft_model = [&](const DraftJob& job) {
        std::vector<TokenId> tokens = truth(world, job);
        for (TokenId& token : tokens) token = (token + 1) % 1000;
        World::Drafted out = drafted(job, std::move(tokens));
        out.takes = milliseconds(1);
        return out;
    };
    const Submission submission = example_request(1, 20, 600);
    ASSERT_TRUE(world.submit(submission));
    const Counters& counters = world.entry().counters();
    while (counters.completion_tokens < 300) world.run_for(milliseconds(1));
    const uint64_t early = counters.model_tokens_drafted;
    world.finish();
    EXPECT_EQ(world.outcome(submission.request).tokens, reference_tokens(submission));
    EXPECT_GT(early, 0u);
    EXPECT_LT(counters.model_tokens_drafted - early, early / 2);
    EXPECT_EQ(counters.model_drafts_right, 0u);
}

TEST(draft_model, may_be_right_up_to_any_place) {
    for (uint64_t seed = 1; seed <= 8; ++seed) {
        World world({.stage_count = 3, .seed = seed, .has_records = true, .has_draft_model = true});
        Random random{seed};
        expect_same_answers(world, [&](World& w, const DraftJob& job) {
            std::vector<TokenId> tokens = truth(w, job);
            if (!tokens.empty()) tokens[random.below(tokens.size())] = 7;
            World::Drafted out = drafted(job, std::move(tokens));
            out.takes = milliseconds(random.below(4));
            return out;
        });
        EXPECT_GT(world.entry().counters().model_drafts_right, 0u);
    }
}

TEST(draft_model, may_say_too_much_or_name_tokens_that_there_are_not) {
    for (const TokenId outside : {1000u, 0xffffffffu}) {
        World world({.stage_count = 3, .has_draft_model = true});
        expect_same_answers(world, [&](World& w, const DraftJob& job) {
            std::vector<TokenId> tokens = truth(w, job);
            if (job.text.size() % 2 == 0) tokens.insert(tokens.end(), 500, TokenId{3});
            if (job.text.size() % 3 == 0 && !tokens.empty()) tokens.back() = outside;
            return drafted(job, std::move(tokens));
        });
        EXPECT_GT(world.entry().counters().model_drafts_right, 0u);
    }
}

TEST(draft_model, that_falls_silent_is_not_waited_for) {
    World world({.stage_count = 3, .has_draft_model = true});
    size_t jobs = 0;
    expect_same_answers(world, [&](World& w, const DraftJob& job) {
        const bool is_silent = ++jobs > 6;
        return is_silent ? std::nullopt : std::optional(drafted(job, truth(w, job)));
    });
    // Two have no answer, and nobody asks any more.
    EXPECT_EQ(jobs, 8u);
    EXPECT_EQ(world.entry().counters().drafts_late, 2u);
}

TEST(draft_model, is_asked_no_more_than_it_can_do_however_short_answers_are) {
    World world({.stage_count = 3, .has_draft_model = true});
    size_t jobs = 0;
    world.draft_model = [&](const DraftJob& job) {
        ++jobs;
        World::Drafted out = drafted(job, truth(world, job));
        out.takes = milliseconds(300);
        return out;
    };
    for (uint64_t i = 1; i <= 40; ++i) {
        ASSERT_TRUE(world.submit(example_request(i, 20, 4)));
        world.run_for(milliseconds(30));
    }
    world.finish();
    EXPECT_GT(jobs, 0u);
    EXPECT_LT(jobs, 10u) << "it takes a second for three";
    world.expect_idle();
}

TEST(draft_model, that_has_no_room_for_a_text_is_left_alone_with_it) {
    World world({.stage_count = 3, .has_draft_model = true});
    size_t jobs = 0;
    world.draft_model = [&](const DraftJob& job) {
        ++jobs;
        World::Drafted out = drafted(job, {});
        out.result.is_ready = false;
        out.result.is_refused = true;
        return out;
    };
    const Submission submission = example_request(1, 20, 300);
    ASSERT_TRUE(world.submit(submission));
    world.finish();
    EXPECT_EQ(world.outcome(submission.request).tokens, reference_tokens(submission));
    EXPECT_GT(jobs, 1u);
    EXPECT_LE(jobs, 5u);
}

TEST(draft_model, that_comes_too_late_is_not_waited_for) {
    World world({.stage_count = 3, .has_draft_model = true});
    size_t jobs = 0;
    expect_same_answers(world, [&](World& w, const DraftJob& job) {
        World::Drafted out = drafted(job, truth(w, job));
        if (job.count > 0 && ++jobs == 3) out.takes = milliseconds(1500);
        return out;
    });
    EXPECT_GT(world.entry().counters().drafts_late, 0u);
}

TEST(draft_model, says_nothing_to_what_was_not_asked) {
    World world({.stage_count = 3, .has_draft_model = true});
    expect_same_answers(world, [](World& w, const DraftJob& job) {
        World::Drafted out = drafted(job, truth(w, job));
        if (job.text.size() % 2 == 0) ++out.result.place;
        if (job.text.size() % 3 == 0) out.result.request = request_id(99);
        return out;
    });
    EXPECT_GT(world.entry().counters().messages_dropped, 0u);
}

TEST(draft_model, is_waited_for_only_once_it_has_the_text) {
    World world({.stage_count = 3, .has_draft_model = true});
    size_t jobs = 0;
    expect_same_answers(world, [&](World& w, const DraftJob& job) {
        World::Drafted out = drafted(job, truth(w, job));
        out.result.is_ready = ++jobs > 5;
        EXPECT_TRUE(job.count == 0 || jobs > 5);
        return out;
    });
    EXPECT_GT(world.entry().counters().model_drafts_right, 0u);
}

TEST(draft_model, is_not_asked_where_sampling_needs_the_tokens) {
    World world({.stage_count = 2, .has_draft_model = true});
    Submission submission = example_request(1, 20, 50);
    submission.sampling.frequency_penalty = 0.5F;
    world.draft_model = [](const DraftJob&) -> std::optional<World::Drafted> {
        ADD_FAILURE();
        return std::nullopt;
    };
    ASSERT_TRUE(world.submit(submission));
    world.finish();
    EXPECT_EQ(world.outcome(submission.request).tokens, reference_tokens(submission));
}

TEST(draft_model, hears_of_cancelled_requests) {
    World world({.stage_count = 3, .has_draft_model = true});
    world.draft_model = [&](const DraftJob& job) { return drafted(job, truth(world, job)); };
    for (uint64_t i = 1; i <= 3; ++i) ASSERT_TRUE(world.submit(example_request(i, 20, 200)));
    world.run_for(milliseconds(60));
    for (uint64_t i = 1; i <= 3; ++i) EXPECT_TRUE(world.cancel(request_id(i)));
    world.finish();
    world.expect_idle();
}

// What is replayed to a node in the lost one's place was decided before.
TEST(draft_model, answers_outlive_a_route) {
    World world(
        {.stage_count = 3, .reroute_timeout = std::chrono::seconds(10), .has_draft_model = true});
    world.draft_model = [&](const DraftJob& job) { return drafted(job, truth(world, job)); };
    const Submission submission = example_request(1, 20, 300);
    ASSERT_TRUE(world.submit(submission));
    for (int i = 0; i < 3; ++i) {
        world.run_for(milliseconds(25));
        world.kill(1);
        world.run_for(milliseconds(25));
        world.revive(1);
        world.run_for(milliseconds(500));
    }
    world.finish();
    EXPECT_EQ(world.outcome(submission.request).failure, std::nullopt);
    EXPECT_EQ(world.outcome(submission.request).tokens, reference_tokens(submission));
    EXPECT_GT(world.entry().counters().reroutes, 0u);
    world.expect_idle();
}

}  // namespace
}  // namespace teetee::pipeline::testing
