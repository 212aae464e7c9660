// SPDX-License-Identifier: Apache-2.0
// Built with an entry that gives the client again what it recomputes on another route
// (TEETEE_PLANTED_BUG): a simulator that does not find this is broken.
#include <cstdio>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "sim/run.hpp"

namespace teetee::sim {
namespace {

TEST(planted_bug, is_found_within_200_seeds) {
    std::ifstream file(std::string(TEETEE_SOURCE_DIR) + "/tests/scenarios/everything.scenario");
    std::stringstream text;
    text << file.rdbuf();
    const auto scenario = parse_scenario(text.str());
    ASSERT_TRUE(scenario) << scenario.error().message();
    uint64_t seed = 1;
    while (seed <= 200 && !run(*scenario, seed).violation) ++seed;
    EXPECT_LE(seed, 200u);
    RecordProperty("seed", std::to_string(seed));
    const Outcome again = run(*scenario, seed);
    ASSERT_TRUE(again.violation) << "a seed replays";
    std::printf("seed %s: %s: %s\n", std::to_string(seed).c_str(), again.violation->rule.c_str(),
                again.violation->detail.c_str());
}

}  // namespace
}  // namespace teetee::sim
