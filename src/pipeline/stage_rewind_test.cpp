// SPDX-License-Identifier: Apache-2.0
// A stage whose entry has guessed tokens.
#include "pipeline/stage_harness.hpp"

namespace teetee::pipeline::testing {
namespace {

TEST_F(StageTest, goes_back_behind_the_prompt_only_and_once_a_batch) {
    const auto begin = [&](const SamplingOptions& sampling) {
        receive(wire::Close{{id_of(1)}});
        receive(wire::Open{id_of(1), 1, sampling, 16, 2});
        receive(forward(5, {row(1, 0), row(1, 1), row(1, 2), row(1, 3)}));
        while (!effects_.jobs.empty()) compute();
        effects_ = {};
    };
    begin({});
    receive(forward(6, {row(1, 2), row(1, 3), row(1, 4)}));
    EXPECT_EQ(effects_.jobs.at(0).rows[0].position, 2u);
    EXPECT_TRUE(sent<wire::Failed>().empty());
    compute();
    const std::vector<std::vector<wire::ForwardRow>> wrong = {
        {row(1, 1)}, {row(1, 5)}, {row(1, 3), row(1, 2)}};
    for (const std::vector<wire::ForwardRow>& rows : wrong) {
        begin({});
        receive(forward(6, rows));
        EXPECT_EQ(sent<wire::Failed>().size(), 1u);
    }
    // A wrong guess cannot be taken back from what the tail has counted.
    receive(wire::Close{{id_of(1)}});
    receive(wire::Open{id_of(1), 1, {.presence_penalty = 1}, 16, 0});
    wire::ForwardRow with = row(1, 0);
    with.token = 3;
    receive(forward(5, {with}));
    while (!effects_.jobs.empty()) compute();
    receive(forward(6, {with}));
    EXPECT_EQ(sent<wire::Failed>().size(), 2u);
}

}  // namespace
}  // namespace teetee::pipeline::testing
