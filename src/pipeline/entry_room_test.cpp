// SPDX-License-Identifier: Apache-2.0
// Requests that wait for room on the stages, and routes of different size.
#include "pipeline/entry_harness.hpp"

namespace teetee::pipeline::testing {
namespace {

using std::chrono::milliseconds;

TEST_F(LinkedEntry, a_request_waits_where_lost_pages_looked_like_room) {
    const auto free = [](uint64_t positions) {
        wire::Hop other = hop({4, layer_count});
        other.positions_free = positions;
        return std::vector{other};
    };
    return_probe(free(320));
    Submission first = example_request(1, 97, 1);
    first.tenant = Digest{1};
    ASSERT_TRUE(entry_.submit(now_, first, effects_));
    compute();
    receive(wire::Tokens{take<wire::Forward>().batch_id, {{request_id(1), 1, 96, 7}}});
    compute();
    ASSERT_EQ(entry_.retained_page_count(), 6u);
    // The stage has lost them meanwhile: 320 and the 96 thought to be there look like 416.
    tick(milliseconds(500));
    return_probe(free(320));
    for (const auto& [number, tokens] : {std::pair{2u, 150u}, std::pair{3u, 250u}}) {
        ASSERT_TRUE(entry_.submit(now_, example_request(number, 3, tokens), effects_));
        compute();
    }
    tick(milliseconds(500));
    effects_.events.clear();
    receive(wire::Failed{request_id(3), 1, ErrorCode::kv_cache_full, 4});
    compute();
    return_probe(free(160));
    EXPECT_EQ(entry_.counters().messages_dropped, 1u) << "a probe that left before the loss showed";
    tick(milliseconds(500));
    return_probe(free(160));
    EXPECT_TRUE(effects_.events.empty());
    EXPECT_EQ(entry_.queued_count(), 1u);
    EXPECT_EQ(entry_.active_count(), 1u);

    effects_.sends.clear();
    ASSERT_TRUE(entry_.cancel(now_, request_id(2), effects_));
    const wire::Open again = take<wire::Open>();
    EXPECT_EQ(again.request, request_id(3));
    EXPECT_EQ(again.epoch, 2u);
}

// Another entry uses the stage as well, and is always faster.
TEST_F(LinkedEntry, a_request_that_finds_no_room_is_given_up_in_the_end) {
    wire::Hop other = hop({4, layer_count});
    return_probe({other});
    ASSERT_TRUE(entry_.submit(now_, example_request(1, 3, 5), effects_));
    Epoch epoch = 0;
    for (int i = 0; i < 239; ++i) {
        compute();
        const wire::Open open = take<wire::Open>();
        EXPECT_EQ(open.epoch, ++epoch);
        receive(wire::Failed{request_id(1), epoch, ErrorCode::kv_cache_full, 4});
        receive(wire::Tokens{take<wire::Forward>().batch_id, {}});
        while (!effects_.jobs.empty()) compute();
        effects_.sends.clear();
        tick(milliseconds(500));
        return_probe({other});
    }
    EXPECT_TRUE(effects_.events.empty());
    receive(wire::Failed{request_id(1), ++epoch, ErrorCode::kv_cache_full, 4});
    tick(milliseconds(500));
    ASSERT_EQ(effects_.events.size(), 1u);
    EXPECT_EQ(std::get<ClientFailed>(effects_.events[0]).error.code, ErrorCode::overloaded);
}

TEST_F(LinkedEntry, what_others_use_is_worth_waiting_for_and_what_no_stage_has_is_not) {
    wire::Hop full = hop({4, layer_count});
    full.sequences_free = 0;
    full.positions_free = 0;
    full.positions_max = 320;
    return_probe({full});
    EXPECT_EQ(entry_.submit(now_, example_request(1, 3, 400), effects_).error().code,
              ErrorCode::kv_cache_full);
    ASSERT_TRUE(entry_.submit(now_, example_request(2, 3, 300), effects_));
    EXPECT_EQ(entry_.queued_count(), 1u);
    full.sequences_free = 1;
    full.positions_free = 320;
    tick(milliseconds(500));
    return_probe({full});
    EXPECT_EQ(take<wire::Open>().request, request_id(2));
}

class PatientEntry : public LinkedEntry {
  protected:
    PatientEntry() : LinkedEntry(std::chrono::seconds(10)) {}
    wire::NodeId large_ = node_id(2);
    /// With less room than requests of 400 need.
    void add_small_route() {
        wire::Hop small = hop({4, layer_count});
        small.positions_free = small.positions_max = 320;
        return_probe({small});
        entry_.on_link_up(now_, large_, effects_);
    }
    uint64_t add_large_route() {
        const uint64_t number = entry_.add_route(now_, {node_id(0), large_}, effects_);
        probe_large(number);
        return number;
    }
    void probe_large(uint64_t number) {
        for (Send& send : std::exchange(effects_.sends, {})) {
            auto* probe = std::get_if<wire::Probe>(&send.frame.message);
            if (probe == nullptr || send.to != large_) continue;
            probe->hops.push_back(hop({4, layer_count}));
            probe->hops.back().node_id = large_;
            entry_.on_frame(now_, large_, {{node_id(0), number}, *probe}, effects_);
        }
    }
};

TEST_F(PatientEntry, a_request_waits_for_the_route_that_could_hold_it) {
    add_small_route();
    const uint64_t number = add_large_route();
    entry_.on_link_down(now_, large_, effects_);
    ASSERT_TRUE(entry_.submit(now_, example_request(1, 3, 400), effects_)) << "it may be back soon";
    EXPECT_EQ(entry_.queued_count(), 1u);
    tick(std::chrono::seconds(1));
    tick(std::chrono::seconds(8));
    EXPECT_TRUE(effects_.events.empty());
    entry_.on_link_up(now_, large_, effects_);
    probe_large(number);
    EXPECT_TRUE(entry_.is_active(request_id(1)));
}

TEST_F(PatientEntry, a_request_does_not_wait_for_that_route_for_ever) {
    add_small_route();
    add_large_route();
    ASSERT_TRUE(entry_.submit(now_, example_request(1, 3, 400), effects_));
    compute();
    ASSERT_TRUE(entry_.is_active(request_id(1)));
    entry_.on_link_down(now_, large_, effects_);
    EXPECT_EQ(entry_.queued_count(), 1u) << "the other one is too small";
    for (int i = 0; i < 45; ++i) {
        tick(milliseconds(250));
        wire::Hop small = hop({4, layer_count});
        small.positions_free = small.positions_max = 320;
        return_probe({small});
        ASSERT_EQ(effects_.events.empty(), i < 39) << i;
    }
    EXPECT_TRUE(std::holds_alternative<ClientFailed>(effects_.events.at(0)));
    EXPECT_EQ(entry_.queued_count(), 0u);
}

TEST_F(PatientEntry, a_route_that_drains_takes_what_no_other_could_hold) {
    add_small_route();
    add_large_route();
    entry_.use_nodes(now_, {{.node_id = node_id(1), .layers = {4, layer_count}, .linked = true}},
                     effects_);
    ASSERT_TRUE(entry_.submit(now_, example_request(1, 3, 300), effects_));
    compute();
    ASSERT_TRUE(entry_.submit(now_, example_request(2, 3, 400), effects_));
    compute();
    EXPECT_TRUE(entry_.is_active(request_id(1)));
    EXPECT_TRUE(entry_.is_active(request_id(2)));
    EXPECT_TRUE(effects_.events.empty());
}

}  // namespace
}  // namespace teetee::pipeline::testing
