// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "pipeline/stage.hpp"

namespace teetee::pipeline::testing {

inline RequestId id_of(uint8_t number) {
    RequestId id;
    id.bytes[0] = number;
    return id;
}

/// A middle stage with both links up. Its jobs are answered by compute(), with the activations as
/// they came.
class StageTest : public ::testing::Test {
  protected:
    static StageOptions options() {
        return {.node_id = {7},
                .engine = {.layers = {4, 8},
                           .layer_count = 12,
                           .width = 1,
                           .vocabulary_size = 10,
                           .rows_max = 8,
                           .sequences_max = 2,
                           .sequence_positions_max = 64,
                           .positions_max = 64,
                           .block_positions = 16},
                .batches_queued_max = 2,
                .bytes_queued_max = 64};
    }

    static constexpr wire::NodeId previous{1};
    static constexpr wire::NodeId own{7};
    static constexpr wire::NodeId next{9};
    static constexpr wire::RouteId route{previous, 3};

    StageTest() {
        stage_.on_link_up({}, previous, effects_);
        stage_.on_link_up({}, next, effects_);
        join(route);
    }

    static wire::Probe probe(uint64_t id = 1,
                             std::vector<wire::NodeId> path = {previous, own, next}) {
        return {.id = id, .path = std::move(path), .hops = {{.node_id = previous}}};
    }
    /// The route's first probe.
    void join(const wire::RouteId& id) {
        stage_.on_frame({}, previous, {id, probe()}, effects_);
        effects_ = {};
    }
    void receive(wire::Message message, const wire::NodeId& from = previous) {
        stage_.on_frame({}, from, {route, std::move(message)}, effects_);
    }
    void open(uint8_t request, Epoch epoch = 1, Position positions_max = 16) {
        receive(wire::Open{id_of(request), epoch, {}, positions_max});
    }
    static wire::Forward forward(uint64_t batch_id, std::vector<wire::ForwardRow> rows) {
        wire::Forward batch{.batch_id = batch_id, .rows = std::move(rows), .width = 1};
        for (size_t i = 0; i < batch.rows.size(); ++i) {
            batch.activations.insert(batch.activations.end(), 4, static_cast<uint8_t>(i));
        }
        return batch;
    }
    static wire::ForwardRow row(uint8_t request, Position position, Epoch epoch = 1) {
        return {id_of(request), epoch, position, false};
    }
    ComputeJob take_job() {
        EXPECT_EQ(effects_.jobs.size(), 1u);
        ComputeJob job = std::move(effects_.jobs.at(0));
        effects_.jobs.clear();
        return job;
    }
    void compute() {
        ComputeJob job = take_job();
        stage_.on_computed(
            {}, {.batch_id = job.batch_id, .activations = std::move(job.activations)}, effects_);
    }
    /// Request 1 computes and retains the pages 9, 10, ..., and has another one for itself.
    void retain_pages(uint32_t count) {
        const Position positions = count * options().engine.block_positions;
        open(1, 1, positions + options().engine.block_positions);
        for (Position at = 0; at < positions; ++at) {
            receive(forward(at, {row(1, at)}));
            compute();
        }
        receive(wire::Retain{id_of(1), 1, {0, 9, 0, count}});
        compute();
        ASSERT_EQ(stage_.retained_page_count(), count);
        effects_ = {};
    }
    template <class Body>
    std::vector<Body> sent(const wire::NodeId& to = next) const {
        std::vector<Body> out;
        for (const Send& send : effects_.sends) {
            const auto* body = std::get_if<Body>(&send.frame.message);
            if (body != nullptr && send.to == to) out.push_back(*body);
        }
        return out;
    }

    Effects effects_;
    Stage stage_{options()};
};

}  // namespace teetee::pipeline::testing
