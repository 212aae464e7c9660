// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "pipeline/ring_harness.hpp"

namespace teetee::pipeline::testing {
namespace {

constexpr Digest model_root = {9};

Submission request(uint64_t number, size_t prompt_tokens, uint32_t max_tokens) {
    Submission submission = example_request(number, prompt_tokens, max_tokens);
    submission.salt = {static_cast<uint8_t>(number), 7};
    return submission;
}

/// The records of one answer fit together, and its tokens are those of the traces.
void expect_whole(World& world, const Submission& submission, uint32_t stage_count) {
    const Outcome& outcome = world.outcome(submission.request);
    ASSERT_EQ(outcome.records.size(), 1u);
    const ClientRecords& records = outcome.records[0];
    ASSERT_FALSE(records.failure) << records.failure->message();
    ASSERT_EQ(records.stages.size(), stage_count);
    std::vector<TokenId> tokens = submission.prompt;
    tokens.insert(tokens.end(), outcome.tokens.begin(), outcome.tokens.end());
    for (size_t i = 0; i < records.input.leaves.size(); ++i) {
        const Position at = records.input.begin + static_cast<Position>(i);
        EXPECT_EQ(records.input.leaves[i], attest::token_leaf(submission.salt, at, tokens.at(at)));
    }
    EXPECT_EQ(digest_of(records.input, records.input.end()), records.stages[0].record.input);
    for (uint32_t i = 0; i < stage_count; ++i) {
        const SignedRecord& stage = records.stages[i];
        EXPECT_EQ(stage.record.request, submission.request);
        EXPECT_EQ(stage.record.model_root, model_root);
        EXPECT_EQ(stage.record.shard_root[0], i + 1);
        EXPECT_EQ(digest_of(stage.output, stage.output.end()), stage.record.output);
        EXPECT_TRUE(attest::verify_record(attest::receipt_domain(0, {}), stage.record,
                                          stage.signature, node_id(i)));
        if (i == 0) continue;
        EXPECT_EQ(records.stages[i - 1].record.output, stage.record.input);
    }
    const attest::Trace& answer = records.stages.back().output;
    EXPECT_EQ(answer.begin, submission.prompt.size());
    for (Position at = answer.begin; at < std::min<size_t>(answer.end(), tokens.size()); ++at) {
        EXPECT_EQ(answer.leaves[at - answer.begin],
                  attest::token_leaf(submission.salt, at, tokens[at]));
    }
}

TEST(records, every_stage_signs_what_it_computed) {
    for (const uint32_t stages : {1u, 2u, 5u}) {
        World world({.stage_count = stages, .seed = stages, .chunk_rows = 7, .has_records = true});
        for (uint64_t i = 1; i <= 12; ++i)
            ASSERT_TRUE(world.submit(request(i, 3 * i, static_cast<uint32_t>(i))));
        world.finish();
        for (uint64_t i = 1; i <= 12; ++i)
            expect_whole(world, world.submission(request_id(i)), stages);
        world.expect_idle();
    }
}

TEST(records, a_cancelled_answer_is_signed_as_far_as_it_came) {
    World world({.stage_count = 3, .has_records = true});
    ASSERT_TRUE(world.submit(request(1, 10, 1000)));
    while (world.outcome(request_id(1)).tokens.size() < 9) world.run_for(Duration(1));
    ASSERT_TRUE(world.cancel(request_id(1)));
    ASSERT_TRUE(world.submit(request(2, 100, 1000)));
    ASSERT_TRUE(world.cancel(request_id(2)));
    world.finish();
    expect_whole(world, world.submission(request_id(1)), 3);
    // Nothing was computed for sure, so nobody signs.
    EXPECT_TRUE(world.outcome(request_id(2)).records.empty());
}

TEST(records, an_answer_that_runs_out_of_time_is_signed_as_far_as_it_came) {
    for (const uint32_t stages : {1u, 3u}) {
        World world({.stage_count = stages, .has_records = true});
        Submission submission = request(1, 10, 1000);
        submission.deadline = world.now() + std::chrono::milliseconds(200);
        ASSERT_TRUE(world.submit(submission));
        world.finish();
        const Outcome& outcome = world.outcome(request_id(1));
        EXPECT_EQ(outcome.failure, ErrorCode::deadline_exceeded);
        EXPECT_GT(outcome.tokens.size(), 2u);
        expect_whole(world, submission, stages);
        EXPECT_EQ(outcome.records[0].input.end(), 9 + outcome.tokens.size());
        world.expect_idle();
    }
}

TEST(records, an_answer_that_cannot_keep_its_form_is_signed_as_far_as_it_came) {
    for (const uint32_t stages : {1u, 3u}) {
        World world({.stage_count = stages, .has_records = true});
        ASSERT_TRUE(world.submit(request(1, 10, 1000)));
        ASSERT_TRUE(world.submit(request(2, 10, 50)));
        while (world.outcome(request_id(1)).tokens.size() < 9) world.run_for(Duration(1));
        FakeEngine& tail = world.engine(stages - 1);
        tail.fail_code = ErrorCode::grammar_stuck;
        tail.fail_request = request_id(1);
        world.finish();
        EXPECT_EQ(world.outcome(request_id(1)).failure, ErrorCode::grammar_stuck);
        expect_whole(world, world.submission(request_id(1)), stages);
        expect_whole(world, world.submission(request_id(2)), stages);
        world.expect_idle();
    }
}

TEST(records, a_prefix_from_the_cache_is_not_signed_for) {
    World world({.stage_count = 2, .has_records = true});
    Submission first = request(1, 64, 4);
    first.tenant = Digest{1};
    ASSERT_TRUE(world.submit(first));
    world.finish();
    Submission second = first;
    second.request = request_id(2);
    second.salt = {5};
    ASSERT_TRUE(world.submit(second));
    world.finish();
    expect_whole(world, second, 2);
    const ClientRecords& records = world.outcome(second.request).records[0];
    EXPECT_EQ(records.input.begin, world.outcome(second.request).usage.cached_tokens);
    EXPECT_GT(records.input.begin, 0u);
}

/// Runs one request on three stages and lets `change` tamper with the record of stage 1, which the
/// entry then has twice: as it was made up first, and in its own form too late.
std::optional<ErrorCode> failure_with(std::function<void(wire::Record&)> change) {
    World world({.stage_count = 3, .has_records = true});
    std::optional<wire::Record> seen;
    world.tap = [&](uint32_t from, const wire::Message& message) {
        const auto* record = std::get_if<wire::Record>(&message);
        if (from == 1 && record != nullptr && !seen) seen = *record;
    };
    EXPECT_TRUE(world.submit(request(1, 5, 5)));
    while (!seen) world.run_for(Duration(1));
    change(*seen);
    world.inject(0, Direction::previous, *seen);
    world.finish();
    const auto& records = world.outcome(request_id(1)).records;
    EXPECT_EQ(records.size(), 1u);
    if (records.empty() || !records[0].failure) return std::nullopt;
    EXPECT_TRUE(records[0].stages.empty());
    return records[0].failure->code;
}

TEST(records, a_record_that_does_not_fit_makes_no_receipt) {
    EXPECT_EQ(failure_with([](wire::Record&) {}), std::nullopt);
    const std::function<void(wire::Record&)> changes[] = {
        [](wire::Record& r) { r.output[2][5] ^= 1; }, [](wire::Record& r) { r.output.pop_back(); },
        [](wire::Record& r) { r.input[0] ^= 1; },     [](wire::Record& r) { r.input_end -= 1; },
        [](wire::Record& r) { r.epoch += 1; },        [](wire::Record& r) { r.sampling[0] ^= 1; },
        [](wire::Record& r) { r.signature[0] ^= 1; }, [](wire::Record& r) { r.signature[64] = 99; },
        [](wire::Record& r) { r.layers = {0, 3}; },   [](wire::Record& r) { r.layers = {3, 4}; },
        [](wire::Record& r) { r.layers = {6, 10}; },
    };
    for (size_t i = 0; i < std::size(changes); ++i)
        EXPECT_EQ(failure_with(changes[i]), ErrorCode::stage_failed) << i;
}

TEST(records, a_stage_that_took_in_other_rows_makes_no_receipt) {
    World world({.stage_count = 3, .has_records = true});
    std::optional<wire::Record> seen;
    world.tap = [&](uint32_t from, const wire::Message& message) {
        const auto* record = std::get_if<wire::Record>(&message);
        if (from == 1 && record != nullptr && !seen) seen = *record;
    };
    ASSERT_TRUE(world.submit(request(1, 5, 5)));
    while (!seen) world.run_for(Duration(1));
    // Signed by the stage itself, but not what the entry has sent.
    SignedRecord record = record_of(*seen);
    record.record.input.digest[0] ^= 1;
    record.record.model_root = model_root;
    record.record.shard_root = {2};
    seen->input = record.record.input.digest;
    seen->signature = receipt_key(1).sign_recoverable(
        attest::record_digest(attest::receipt_domain(0, {}), record.record));
    world.inject(0, Direction::previous, *seen);
    world.finish();
    ASSERT_EQ(world.outcome(request_id(1)).records.size(), 1u);
    ASSERT_TRUE(world.outcome(request_id(1)).records[0].failure);
    EXPECT_NE(world.outcome(request_id(1)).records[0].failure->detail.find("other rows"),
              std::string::npos);
}

TEST(records, records_that_do_not_come_end_as_a_failure) {
    World world({.stage_count = 3, .has_records = true});
    ASSERT_TRUE(world.submit(request(1, 5, 5)));
    while (!world.outcome(request_id(1)).is_over()) world.run_for(Duration(1));
    world.cut_link(1);
    world.run_for(std::chrono::seconds(10));
    ASSERT_EQ(world.outcome(request_id(1)).records.size(), 1u);
    EXPECT_TRUE(world.outcome(request_id(1)).records[0].failure);
    // Whom nobody answers is not waited for without end either.
    RecordCollector::Options options{.shard_roots = {{{0, 5}, {}}, {{5, 10}, {}}}};
    RecordCollector collector(options);
    Effects effects;
    SignedRecord own;
    own.record.layers = {0, 5};
    collector.begin({}, own, {}, effects);
    collector.expire(Instant{}, effects);
    EXPECT_EQ(collector.pending_count(), 1u);
    collector.expire(Instant{} + options.timeout, effects);
    EXPECT_EQ(collector.pending_count(), 0u);
    ASSERT_EQ(effects.events.size(), 1u);
    EXPECT_EQ(std::get<ClientRecords>(effects.events[0]).failure->code, ErrorCode::stage_timeout);
}

}  // namespace
}  // namespace teetee::pipeline::testing
