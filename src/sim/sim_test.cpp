// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "sim/run.hpp"

namespace teetee::sim {
namespace {

Scenario scenario(const std::string& name) {
    std::ifstream file(std::string(TEETEE_SOURCE_DIR) + "/tests/scenarios/" + name + ".scenario");
    std::stringstream text;
    text << file.rdbuf();
    auto parsed = parse_scenario(text.str());
    EXPECT_FALSE(text.str().empty()) << name;
    EXPECT_TRUE(parsed) << parsed.error().message();
    return std::move(parsed).value_or({});
}

void expect_none_broken(const std::string& name, uint64_t seeds) {
    const Scenario world = scenario(name);
    uint64_t done = 0;
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
        const Outcome outcome = run(world, seed);
        done += outcome.answers.done;
        if (!outcome.violation) continue;
        ADD_FAILURE() << name << " seed " << seed << " at "
                      << outcome.violation->time.count() / 1'000'000
                      << " ms: " << outcome.violation->rule << ": " << outcome.violation->detail;
        return;
    }
    // A third of all requests at the least: else the faults hide the network.
    EXPECT_GT(done, seeds * world.requests / 3);
}

TEST(Scenario, KeepsDefaultsAndReadsNumbers) {
    const auto parsed = parse_scenario("# a comment\n\nslots 4 # more\n\tkill\t7\r\n");
    ASSERT_TRUE(parsed) << parsed.error().message();
    EXPECT_EQ(parsed->slots, 4u);
    EXPECT_EQ(parsed->weights.kill, 7u);
    EXPECT_EQ(parsed->replicas, Scenario{}.replicas);
}

TEST(Scenario, RefusesWhatItDoesNotKnow) {
    const std::pair<const char*, const char*> bad[] = {
        {"slots 4\nslotz 4", "line 2: have the key 'slotz'"},
        {"kill 1\nkill 1", "line 2: kill: given twice"},
        {"slots", "line 1: slots: have '', need a number from 2 to 8"},
        {"slots 9", "have '9'"},
        {"slots 1", "have '1'"},
        {"slots 3 4", "have '3 4'"},
        {"slots -3", "have '-3'"},
        {"slots 3x", "have '3x'"},
        {"kill 4294967297", "have '4294967297'"},
    };
    for (const auto& [text, message] : bad) {
        const auto parsed = parse_scenario(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().code, ErrorCode::config_invalid);
        EXPECT_NE(parsed.error().detail.find(message), std::string::npos) << parsed.error().detail;
    }
    EXPECT_EQ(parse_scenario(std::string(70'000, '#')).error().code, ErrorCode::limit_exceeded);
}

TEST(ToyEngine, NoticesBrokenPromises) {
    const pipeline::EngineLimits limits{.layers = {0, 2},
                                        .layer_count = 2,
                                        .width = 2,
                                        .vocabulary_size = 10,
                                        .rows_max = 4,
                                        .sequences_max = 2,
                                        .sequence_positions_max = 8,
                                        .positions_max = 16};
    const RequestId id{{1}};
    const pipeline::SequenceOpen open{.request = id, .epoch = 1, .positions_max = 8};
    const auto fault_of = [&](std::vector<pipeline::SequenceOpen> opens,
                              std::vector<Position> positions) {
        ToyEngine engine(limits);
        pipeline::ComputeJob job{.opens = std::move(opens)};
        for (const Position position : positions) {
            job.rows.push_back({.request = id, .position = position});
            job.tokens.push_back(1);
        }
        engine.compute(job);
        return engine.fault().has_value();
    };
    EXPECT_FALSE(fault_of({open}, {0, 1, 2}));
    EXPECT_TRUE(fault_of({open}, {0, 2}));
    EXPECT_TRUE(fault_of({open}, {0, 0}));
    EXPECT_TRUE(fault_of({}, {0}));
    EXPECT_TRUE(fault_of({open, open}, {}));
    EXPECT_TRUE(fault_of({open}, {0, 1, 2, 3, 4}));
}

std::vector<TokenId> tokens_of(const pipeline::Submission& submission,
                               const pipeline::EngineLimits& limits) {
    std::vector<TokenId> out;
    for (const auto& token : reference_answer(submission, limits)) out.push_back(token.token);
    return out;
}

TEST(ToyEngine, TokensDependOnEveryTokenAndTheSeed) {
    const pipeline::EngineLimits limits = World(Scenario{}, 1).limits(0);
    const pipeline::Submission one{.prompt = {1, 2, 3}, .max_tokens = 8};
    pipeline::Submission other = one;
    EXPECT_EQ(tokens_of(one, limits), tokens_of(other, limits));
    other.prompt[0] = 9;
    EXPECT_NE(tokens_of(one, limits), tokens_of(other, limits));
    other = one;
    other.sampling.seed = 1;
    EXPECT_NE(tokens_of(one, limits), tokens_of(other, limits));
}

TEST(Run, IsTheSameForTheSameSeedOnly) {
    const Scenario world = scenario("everything");
    EXPECT_EQ(run(world, 7).digest, run(world, 7).digest);
    EXPECT_NE(run(world, 7).digest, run(world, 8).digest);
}

TEST(Run, CalmWorldAnswersEverything) {
    const Outcome outcome = run(scenario("calm"), 1);
    EXPECT_FALSE(outcome.violation) << outcome.violation->rule << outcome.violation->detail;
    EXPECT_EQ(outcome.answers.done, scenario("calm").requests);
    EXPECT_EQ(outcome.answers.failed, 0u);
}

TEST(Run, BreaksNoRuleUnderKills) {
    expect_none_broken("kills", 10);
}
TEST(Run, BreaksNoRuleUnderPartitions) {
    expect_none_broken("partitions", 12);
}
TEST(Run, BreaksNoRuleBetweenTwoShards) {
    expect_none_broken("pairs", 12);
}
TEST(Run, BreaksNoRuleWithSlowNodes) {
    expect_none_broken("slow", 12);
}
TEST(Run, BreaksNoRuleWhereEvidenceExpires) {
    expect_none_broken("evidence", 12);
}
TEST(Run, BreaksNoRuleWhereStagesLie) {
    expect_none_broken("lies", 12);
}
TEST(Run, BreaksNoRuleWhereFramesAreFalse) {
    expect_none_broken("frames", 12);
}
TEST(Run, BreaksNoRuleUnderReplayedFrames) {
    expect_none_broken("replays", 12);
}
TEST(Run, BreaksNoRuleWhereRoomIsScarce) {
    expect_none_broken("room", 12);
}
TEST(Run, BreaksNoRuleWhereNodesAreOfDifferentSize) {
    expect_none_broken("uneven", 12);
}
TEST(Run, GoesOnWithWhatNodesHave) {
    const Scenario world = scenario("resume");
    uint64_t resumes = 0;
    uint64_t replays = 0;
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        const Outcome outcome = run(world, seed);
        EXPECT_FALSE(outcome.violation) << seed << outcome.violation->rule;
        resumes += outcome.traffic.resumes;
        replays += outcome.traffic.replays;
    }
    EXPECT_GT(resumes, 10u);
    EXPECT_GT(replays, 10u);
}
TEST(Run, BreaksNoRuleWhereTenantsShare) {
    expect_none_broken("fair", 12);
    const Outcome outcome = run(scenario("fair"), 1);
    EXPECT_GT(outcome.contended_steps, 100u) << "else nobody had to share";
    EXPECT_GT(outcome.answers.overdue, 0u);
}
TEST(Run, BreaksNoRuleUnderEverything) {
    expect_none_broken("everything", 80);
}

}  // namespace
}  // namespace teetee::sim
