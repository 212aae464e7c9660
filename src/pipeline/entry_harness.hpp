// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "pipeline/entry.hpp"
#include "pipeline/ring_harness.hpp"

namespace teetee::pipeline::testing {

/// An entry of two stages; the other stage is played by the test.
class LinkedEntry : public ::testing::Test {
  protected:
    explicit LinkedEntry(Duration reroute_timeout = {}) : entry_(options(reroute_timeout)) {
        route_.number = entry_.add_route(now_, {node_id(0), node_id(1)}, effects_);
        EXPECT_TRUE(effects_.sends.empty()) << "a route without links is not probed";
        entry_.on_link_up(now_, node_id(1), effects_);
    }
    static EntryOptions options(Duration reroute_timeout) {
        return {.node_id = node_id(0),
                .engine = engine_limits({0, 4}, {}),
                .reroute_timeout = reroute_timeout};
    }
    const Route& route() const { return *entry_.route(route_.number); }

    template <class Body>
    Body take() {
        for (size_t i = 0; i < effects_.sends.size(); ++i) {
            if (!std::holds_alternative<Body>(effects_.sends[i].frame.message)) continue;
            EXPECT_EQ(effects_.sends[i].frame.route, route_);
            Body body = std::get<Body>(std::move(effects_.sends[i].frame.message));
            effects_.sends.erase(effects_.sends.begin() + static_cast<ptrdiff_t>(i));
            return body;
        }
        ADD_FAILURE() << "not sent";
        return {};
    }
    void receive(wire::Message message) {
        entry_.on_frame(now_, node_id(1), {route_, std::move(message)}, effects_);
    }
    void return_probe(std::vector<wire::Hop> others) {
        wire::Probe probe = take<wire::Probe>();
        for (wire::Hop& hop : others) probe.hops.push_back(std::move(hop));
        receive(std::move(probe));
    }
    static wire::Hop hop(LayerRange layers) {
        return {.node_id = node_id(1),
                .layers = layers,
                .sequences_free = 9,
                .positions_free = 9999,
                .sequences_max = 9,
                .positions_max = 9999,
                .formats = wire::all_formats};
    }
    void tick(Duration later) {
        now_ += later;
        entry_.on_timer(now_, tick_id, effects_);
    }
    /// Computes the job that is there.
    void compute() {
        ASSERT_EQ(effects_.jobs.size(), 1u);
        const ComputeJob job = std::move(effects_.jobs[0]);
        effects_.jobs.clear();
        entry_.on_computed(now_, engine_.compute(job), effects_);
    }
    void start_request() {
        return_probe({hop({4, layer_count})});
        ASSERT_TRUE(entry_.submit(now_, example_request(1, 3, 5), effects_));
        compute();
    }

    static constexpr uint64_t tick_id = 1;
    Instant now_{1};
    Effects effects_;
    wire::RouteId route_{node_id(0), 0};
    Entry entry_;
    FakeEngine engine_{engine_limits({0, 4}, {})};
};

}  // namespace teetee::pipeline::testing
