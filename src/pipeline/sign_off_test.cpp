// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "pipeline/ring_harness.hpp"
#include "pipeline/sign_off_collector.hpp"
#include "pipeline/stage_harness.hpp"

namespace teetee::pipeline::testing {
namespace {

constexpr auto a_second = std::chrono::seconds(1);

std::vector<uint32_t> first_nodes(uint32_t count) {
    std::vector<uint32_t> nodes;
    for (uint32_t i = 0; i < count; ++i) nodes.push_back(i);
    return nodes;
}

/// What came of one node in an order; nullopt: it has signed what was ordered.
std::optional<ErrorCode> failure_of(const World& world, uint64_t id, uint32_t index) {
    const auto outcome = world.signed_off(id);
    if (!outcome) {
        ADD_FAILURE() << "order " << id << " is under way";
        return ErrorCode::internal;
    }
    const auto& signature = outcome->signatures.at(node_id(index));
    if (!signature) return signature.error().code;
    EXPECT_EQ(crypto::recover_address(World::sign_off_order(id, {}).digest, *signature).value(),
              node_id(index));
    return std::nullopt;
}

TEST(sign_offs, every_node_is_reached_and_its_signature_comes_back) {
    for (const uint32_t stages : {1u, 2u, 5u}) {
        World world({.stage_count = stages});
        // The entry's own part needs no message.
        size_t asks = 0;
        world.tap = [&](uint32_t from, const wire::Message& message) {
            asks += from == 0 && std::holds_alternative<wire::SignOff>(message) ? 1 : 0;
        };
        for (uint64_t id = 1; id <= 2; ++id)
            world.ask_to_sign(World::sign_off_order(id, first_nodes(stages)));
        EXPECT_EQ(world.entry().sign_off_count(), 2u);
        world.run_for(a_second);
        for (uint64_t id = 1; id <= 2; ++id) {
            EXPECT_EQ(world.signed_off(id)->signatures.size(), stages);
            for (uint32_t i = 0; i < stages; ++i) EXPECT_EQ(failure_of(world, id, i), std::nullopt);
        }
        EXPECT_EQ(asks, 2 * (stages - 1));
        EXPECT_EQ(world.entry().sign_off_count(), 0u);
        for (uint32_t i = 1; i < stages; ++i) EXPECT_EQ(world.stage(i).sign_off_count(), 0u);
    }
}

TEST(sign_offs, who_refuses_says_why_and_others_sign) {
    for (const uint32_t refusing : {0u, 1u, 2u}) {
        World world({.stage_count = 3});
        world.owner = [&](uint32_t index, const SignOffJob& job) {
            if (index != refusing) return World::sign_off(index, job);
            return Result<crypto::RecoverableSignature>(
                fail(ErrorCode::settlement_rejected, "too little"));
        };
        world.ask_to_sign(World::sign_off_order(1, first_nodes(3)));
        world.run_for(a_second);
        for (uint32_t i = 0; i < 3; ++i) {
            EXPECT_EQ(failure_of(world, 1, i),
                      i == refusing ? std::optional(ErrorCode::settlement_rejected) : std::nullopt);
        }
    }
}

TEST(sign_offs, of_something_else_or_with_another_key_are_none) {
    for (const bool is_key : {false, true}) {
        World world({.stage_count = 3});
        world.owner = [&](uint32_t index, SignOffJob job) {
            if (index != 1) return World::sign_off(index, job);
            if (!is_key) ++job.body[0];
            if (is_key) job.body[1] = 2;
            return World::sign_off(is_key ? 2 : 1, job);
        };
        world.ask_to_sign(World::sign_off_order(1, first_nodes(3)));
        world.run_for(a_second);
        EXPECT_EQ(failure_of(world, 1, 0), std::nullopt);
        EXPECT_EQ(failure_of(world, 1, 1), ErrorCode::signature_invalid);
        EXPECT_EQ(failure_of(world, 1, 2), std::nullopt);
    }
}

TEST(sign_offs, a_node_on_no_route_cannot_be_reached) {
    World world({.stage_count = 3});
    world.ask_to_sign(World::sign_off_order(1, {1, 8}));
    // Nobody at all, or nobody that can be asked: there is nothing to wait for.
    world.ask_to_sign(World::sign_off_order(2, {8}));
    world.ask_to_sign(World::sign_off_order(3, {}));
    EXPECT_EQ(failure_of(world, 2, 8), ErrorCode::route_unavailable);
    EXPECT_TRUE(world.signed_off(3)->signatures.empty());
    EXPECT_FALSE(world.signed_off(1));
    world.run_for(a_second);
    EXPECT_EQ(failure_of(world, 1, 8), ErrorCode::route_unavailable);
    EXPECT_EQ(failure_of(world, 1, 1), std::nullopt);
}

TEST(sign_offs, a_stage_that_dies_meanwhile_leaves_the_others_theirs) {
    for (const uint32_t stages : {3u, 5u}) {
        World world({.stage_count = stages});
        world.owner =
            [](uint32_t index,
               const SignOffJob& job) -> std::optional<Result<crypto::RecoverableSignature>> {
            if (index == 2) return std::nullopt;
            return World::sign_off(index, job);
        };
        world.ask_to_sign(World::sign_off_order(1, first_nodes(stages)));
        world.run_for(a_second);
        EXPECT_FALSE(world.signed_off(1));
        world.kill(2);
        world.run_for(5 * a_second);
        for (uint32_t i = 0; i < stages; ++i) {
            EXPECT_EQ(failure_of(world, 1, i),
                      i == 2 ? std::optional(ErrorCode::route_unavailable) : std::nullopt);
        }
        world.ask_to_sign(World::sign_off_order(2, {0, 1}));
        world.run_for(a_second);
        EXPECT_EQ(failure_of(world, 2, 0), std::nullopt) << "which needs no route";
        EXPECT_EQ(failure_of(world, 2, 1), ErrorCode::route_unavailable);
    }
}

TEST(sign_offs, who_does_not_answer_in_time_is_not_waited_for) {
    World world({.stage_count = 3});
    std::vector<SignOffJob> hanging;
    world.owner =
        [&](uint32_t index,
            const SignOffJob& job) -> std::optional<Result<crypto::RecoverableSignature>> {
        if (index != 1) return World::sign_off(index, job);
        hanging.push_back(job);
        return std::nullopt;
    };
    world.ask_to_sign(World::sign_off_order(1, first_nodes(3)));
    world.run_for(5 * a_second);
    world.ask_to_sign(World::sign_off_order(2, first_nodes(3)));
    const Duration timeout = SignOffCollector::Options{}.timeout;
    world.run_for(timeout - 5 * a_second);
    EXPECT_EQ(failure_of(world, 1, 1), ErrorCode::stage_timeout);
    EXPECT_EQ(failure_of(world, 1, 0), std::nullopt);
    EXPECT_EQ(failure_of(world, 1, 2), std::nullopt);
    EXPECT_FALSE(world.signed_off(2)) << "has a deadline of its own";
    world.run_for(5 * a_second);
    EXPECT_EQ(failure_of(world, 2, 1), ErrorCode::stage_timeout);
    EXPECT_EQ(world.entry().sign_off_count(), 0u);
    // The stage has both yet to answer, and takes no third one of this entry.
    world.ask_to_sign(World::sign_off_order(3, {1}));
    world.run_for(a_second);
    EXPECT_EQ(failure_of(world, 3, 1), ErrorCode::overloaded);
    EXPECT_EQ(hanging.size(), 2u);
    // What comes now is dropped, and makes room.
    Effects effects;
    world.stage(1).on_signed_off(world.now(), {hanging[0].id, World::sign_off(1, hanging[0])},
                                 effects);
    ASSERT_EQ(effects.sends.size(), 1u);
    const uint64_t dropped = world.entry().counters().messages_dropped;
    world.inject(0, Direction::previous, effects.sends[0].frame.message);
    EXPECT_EQ(world.entry().counters().messages_dropped, dropped + 1);
    EXPECT_EQ(world.stage(1).sign_off_count(), 1u);
}

TEST(sign_offs, an_answer_that_nobody_waits_for_is_dropped) {
    World world({.stage_count = 3});
    world.owner = [](uint32_t index,
                     const SignOffJob& job) -> std::optional<Result<crypto::RecoverableSignature>> {
        if (index == 2) return std::nullopt;
        return World::sign_off(index, job);
    };
    world.ask_to_sign(World::sign_off_order(1, first_nodes(3)));
    world.run_for(a_second);
    const wire::SignedOff good = message_of(1, node_id(2), {0, World::sign_off(2, {0, {1, 2}})});
    wire::SignedOff another_order = good;
    another_order.ask = 2;
    wire::SignedOff another_node = good;
    another_node.node = node_id(7);
    wire::SignedOff has_answered = good;
    has_answered.node = node_id(1);
    wire::SignedOff entrys = good;
    entrys.node = node_id(0);
    uint64_t dropped = world.entry().counters().messages_dropped;
    for (const wire::SignedOff& wrong : {another_order, another_node, has_answered, entrys}) {
        world.inject(0, Direction::previous, wrong);
        EXPECT_EQ(world.entry().counters().messages_dropped, ++dropped);
    }
    // Over another route than it was asked for on.
    Effects effects;
    const uint64_t other =
        world.entry().add_route(world.now(), {node_id(0), node_id(1), node_id(2)}, effects);
    world.entry().on_frame(world.now(), node_id(2), {{node_id(0), other}, good}, effects);
    EXPECT_EQ(world.entry().counters().messages_dropped, ++dropped);
    EXPECT_FALSE(world.signed_off(1));
    world.inject(0, Direction::previous, good);
    EXPECT_EQ(failure_of(world, 1, 2), std::nullopt);
}

TEST(sign_offs, the_entrys_own_answer_does_not_come_over_the_wire) {
    World world({.stage_count = 2});
    world.owner = [](uint32_t, const SignOffJob&) { return std::nullopt; };
    world.ask_to_sign(World::sign_off_order(1, {0}));
    world.inject(0, Direction::previous,
                 message_of(1, node_id(0), {0, fail(ErrorCode::overloaded, "")}));
    EXPECT_FALSE(world.signed_off(1));
}

TEST(sign_offs, of_too_many_settlements_at_once_are_refused) {
    World world({.stage_count = 2});
    world.owner = [](uint32_t, const SignOffJob&) { return std::nullopt; };
    const size_t pending_max = SignOffCollector::Options{}.pending_max;
    for (uint64_t id = 1; id <= pending_max + 1; ++id)
        world.ask_to_sign(World::sign_off_order(id, {0, 1}));
    EXPECT_EQ(failure_of(world, pending_max + 1, 0), ErrorCode::overloaded);
    EXPECT_EQ(failure_of(world, pending_max + 1, 1), ErrorCode::overloaded);
    EXPECT_EQ(world.entry().sign_off_count(), pending_max);
    world.run_for(SignOffCollector::Options{}.timeout);
    EXPECT_EQ(world.entry().sign_off_count(), 0u);
}

class SignOffStage : public StageTest {
  protected:
    static wire::SignOff ask(uint64_t number, const wire::NodeId& node = own) {
        return {number, node, {1}};
    }
};

TEST_F(SignOffStage, passes_on_what_is_for_another_node) {
    receive(ask(5, next));
    EXPECT_EQ(sent<wire::SignOff>(), std::vector{ask(5, next)});
    EXPECT_TRUE(effects_.sign_offs.empty());
    receive(wire::SignedOff{.ask = 5, .node = previous});
    EXPECT_EQ(sent<wire::SignedOff>().size(), 1u);
    // Not from behind.
    receive(ask(6), next);
    EXPECT_TRUE(effects_.sign_offs.empty());
    EXPECT_EQ(stage_.counters().messages_dropped, 1u);
}

TEST_F(SignOffStage, answers_in_its_own_name_over_the_route_that_asked) {
    receive(ask(5));
    ASSERT_EQ(effects_.sign_offs.size(), 1u);
    EXPECT_EQ(effects_.sign_offs[0].body, Bytes{1});
    EXPECT_TRUE(sent<wire::SignOff>().empty());
    const uint64_t id = effects_.sign_offs[0].id;
    stage_.on_signed_off({}, {id + 1, crypto::RecoverableSignature{9}}, effects_);
    EXPECT_TRUE(sent<wire::SignedOff>().empty());
    for (int twice = 0; twice < 2; ++twice)
        stage_.on_signed_off({}, {id, crypto::RecoverableSignature{9}}, effects_);
    EXPECT_EQ(sent<wire::SignedOff>(),
              std::vector{(wire::SignedOff{.ask = 5, .node = own, .signature = {9}})});
}

TEST_F(SignOffStage, of_a_route_that_has_ended_waits_for_nobody) {
    receive(ask(5));
    receive(wire::Leave{});
    stage_.on_signed_off({}, {effects_.sign_offs.at(0).id, crypto::RecoverableSignature{9}},
                         effects_);
    EXPECT_TRUE(sent<wire::SignedOff>().empty());
    EXPECT_EQ(stage_.sign_off_count(), 0u);
}

TEST_F(SignOffStage, takes_a_bounded_number_and_none_from_others) {
    const StageOptions limits;
    const auto overloaded = [&] { return sent<wire::SignedOff>().size(); };
    for (uint64_t i = 0; i < limits.sign_offs_per_entry_max; ++i) receive(ask(i));
    EXPECT_EQ(overloaded(), 0u);
    receive(ask(9));
    ASSERT_EQ(overloaded(), 1u);
    EXPECT_EQ(sent<wire::SignedOff>()[0].failure, ErrorCode::overloaded);
    // Over another route of the same entry it is no better; another entry has its share.
    const auto join_from = [&](const wire::NodeId& entry, uint64_t number) {
        const wire::RouteId id{entry, number};
        stage_.on_link_up({}, entry, effects_);
        wire::Probe first = probe(1, {entry, own, next});
        first.hops = {{.node_id = entry}};
        stage_.on_frame({}, entry, {id, first}, effects_);
        return id;
    };
    stage_.on_frame({}, previous, {join_from(previous, 4), ask(10)}, effects_);
    EXPECT_EQ(overloaded(), 2u);
    uint8_t entry = 20;
    while (stage_.sign_off_count() < limits.sign_offs_max) {
        stage_.on_frame({}, {entry}, {join_from({entry}, 1), ask(1)}, effects_);
        ++entry;
    }
    EXPECT_EQ(overloaded(), 2u);
    stage_.on_frame({}, {entry}, {join_from({entry}, 1), ask(1)}, effects_);
    EXPECT_EQ(overloaded(), 3u) << "of all entries together";
}

}  // namespace
}  // namespace teetee::pipeline::testing
