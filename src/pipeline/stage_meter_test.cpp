// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stage_meter.hpp"

#include "pipeline/entry_harness.hpp"
#include "pipeline/stage_harness.hpp"

namespace teetee::pipeline::testing {
namespace {

using std::chrono::milliseconds;

TEST_F(StageTest, batches_wait_from_their_arrival_and_are_computed_until_the_engine_says_so) {
    open(1);
    const auto arrives = [&](Duration at, uint64_t batch, std::vector<wire::ForwardRow> rows) {
        stage_.on_frame(at, previous, {route, forward(batch, std::move(rows))}, effects_);
    };
    const auto computed = [&](Duration at) {
        ComputeJob job = take_job();
        stage_.on_computed(
            at, {.batch_id = job.batch_id, .activations = std::move(job.activations)}, effects_);
    };
    arrives(milliseconds(100), 5, {row(1, 0)});
    arrives(milliseconds(150), 6, {row(1, 1), row(1, 2)});
    EXPECT_EQ(stage_.queued_count(), 1u);
    EXPECT_EQ(stage_.queued_bytes(), 8u);
    computed(milliseconds(400));
    EXPECT_EQ(stage_.queued_count(), 0u);
    computed(milliseconds(600));
    EXPECT_EQ(stage_.meter().wait.count(), 2u);
    EXPECT_DOUBLE_EQ(stage_.meter().wait.sum(), 0.25);
    EXPECT_EQ(stage_.meter().compute.count(), 2u);
    EXPECT_DOUBLE_EQ(stage_.meter().compute.sum(), 0.5);
    EXPECT_DOUBLE_EQ(stage_.meter().rows.sum(), 3);
    EXPECT_EQ(stage_.meter().rows.count(), stage_.counters().batches);
}

TEST_F(StageTest, a_job_that_only_closes_is_no_batch) {
    open(1);
    receive(forward(5, {row(1, 0)}));
    compute();
    receive(wire::Close{{id_of(1)}});
    compute();
    EXPECT_EQ(stage_.meter().compute.count(), 1u);
    EXPECT_EQ(stage_.meter().rows.count(), 1u);
}

TEST_F(LinkedEntry, meters_the_queue_its_engine_and_the_way_through_all_stages) {
    return_probe({hop({4, layer_count})});
    const Instant began = now_;
    ASSERT_TRUE(entry_.submit(now_, example_request(1, 3, 5), effects_));
    now_ = began + milliseconds(20);
    compute();
    const auto batch = take<wire::Forward>();
    now_ = began + milliseconds(70);
    receive(wire::Tokens{.batch_id = batch.batch_id,
                         .rows = {{batch.rows.back().request, batch.rows.back().epoch, 2, 7}}});
    EXPECT_EQ(entry_.entry_meter().queue.count(), 1u);
    EXPECT_DOUBLE_EQ(entry_.entry_meter().queue.sum(), 0);
    EXPECT_DOUBLE_EQ(entry_.meter().compute.sum(), 0.02);
    EXPECT_DOUBLE_EQ(entry_.meter().rows.sum(), 3 + 1);
    EXPECT_DOUBLE_EQ(entry_.entry_meter().pass.sum(), 0.07);
    EXPECT_EQ(entry_.counters().completion_tokens, 1u);
}

}  // namespace
}  // namespace teetee::pipeline::testing
