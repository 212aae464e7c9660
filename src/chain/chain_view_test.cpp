// SPDX-License-Identifier: Apache-2.0
#include "chain/chain_view.hpp"

#include <gtest/gtest.h>

#include "chain/test_chain.hpp"
#include "chain/test_events.hpp"

namespace teetee::chain {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// A pool, credits and a node, some blocks apart.
TestChain small_chain() {
    TestChain chain;
    chain.emit(pool_created()).emit(prices_announced({2, 5}, test_start)).mine(3);
    chain.emit(measurement_accepted()).emit(credits_bought(100)).mine(5);
    chain.emit(node_registered(1)).mine(4);
    return chain;
}

std::vector<TestEndpoint> endpoints_of(const TestChain& chain, size_t count = 1) {
    return std::vector<TestEndpoint>(count, TestEndpoint{.chain = &chain});
}

void expect_at(const TestWorld& world, const TestChain& chain) {
    const auto status = world.view.status();
    EXPECT_FALSE(status.problem) << status.problem->message();
    EXPECT_EQ(status.state, ChainViewState::following);
    EXPECT_EQ(status.latest, chain.ref(chain.head()));
    EXPECT_EQ(world.view.latest(), chain.state());
}

ErrorCode money_error(const TestWorld& world) {
    const auto money = world.view.money(world.now);
    return money ? ErrorCode{} : money.error().code;
}

TEST(chain_view, comes_up_to_the_head_and_follows_it) {
    TestChain chain = small_chain();
    TestWorld world(endpoints_of(chain), {});
    EXPECT_EQ(money_error(world), ErrorCode::not_ready);
    world.start();
    expect_at(world, chain);
    EXPECT_EQ(world.view.status().settled, chain.ref(chain.head() - 4));
    EXPECT_EQ(money_error(world), ErrorCode{});
    EXPECT_TRUE(world.view.status().is_single_endpoint);
    chain.emit(credits_bought(11)).mine(2);
    world.poll();
    expect_at(world, chain);
    EXPECT_EQ(world.view.status().latest_timestamp, chain.header(chain.head()).timestamp);
    EXPECT_EQ(world.view.latest().account(test_payer).balance, U256(111));
    EXPECT_EQ(world.view.money(world.now)->balance(test_payer), U256(100));
    chain.mine(4);
    world.poll();
    EXPECT_EQ(world.view.money(world.now)->balance(test_payer), U256(111));
}

TEST(chain_view, settles_by_depth_by_tag_or_by_both) {
    const TestChain chain = small_chain();
    struct Case {
        bool use_finalized;
        uint64_t depth;
        uint64_t settled_below_head;
    };
    for (const Case& c : {Case{false, 0, 0}, Case{false, 6, 6}, Case{true, 0, 4}, Case{true, 2, 4},
                          Case{true, 7, 7}}) {
        TestWorld world(endpoints_of(chain),
                        {.panel = {.use_finalized = c.use_finalized}, .finality_depth = c.depth});
        world.start();
        expect_at(world, chain);
        EXPECT_EQ(world.view.status().settled, chain.ref(chain.head() - c.settled_below_head));
    }
    TestWorld deep(endpoints_of(chain), {.finality_depth = 100});
    deep.start();
    expect_at(deep, chain);
    EXPECT_EQ(deep.view.status().settled, std::nullopt);
}

TEST(chain_view, reads_history_in_ranges_that_halve_when_they_are_refused) {
    TestChain chain;
    chain.emit(pool_created());
    for (size_t i = 0; i < 300; ++i) chain.emit(credits_bought(1)).mine();
    std::vector<TestEndpoint> endpoints = endpoints_of(chain);
    endpoints[0].range_max = 7;
    TestWorld world(endpoints, {.range_blocks_max = 1000});
    std::vector<uint64_t> spans;
    world.on_ask = [&](const RpcAsk& ask) {
        if (ask.call.method != "eth_getLogs") return;
        const auto& filter = ask.call.parameters[0].as_object();
        if (!filter.contains("fromBlock")) return;
        spans.push_back(number_in(filter.at("toBlock")) - number_in(filter.at("fromBlock")) + 1);
    };
    world.start();
    expect_at(world, chain);
    ASSERT_GT(spans.size(), 10u);
    EXPECT_EQ(spans[0], 297u);
    EXPECT_EQ(spans[1], 148u);
    EXPECT_LT(std::ranges::count_if(spans, [](uint64_t span) { return span > 7; }), 30);
}

TEST(chain_view, a_single_block_that_is_refused_is_a_visible_failure) {
    const TestChain chain = small_chain();
    std::vector<TestEndpoint> endpoints = endpoints_of(chain);
    endpoints[0].range_max = 0;
    TestWorld world(endpoints, {});
    world.start();
    EXPECT_EQ(world.view.status().state, ChainViewState::failed);
    EXPECT_EQ(world.view.status().problem->code, ErrorCode::rpc_refused);
    EXPECT_EQ(money_error(world), ErrorCode::rpc_refused);
}

TEST(chain_view, takes_back_what_a_reorganisation_took_back) {
    for (const size_t depth : {1, 2, 3, 4}) {
        TestChain chain = small_chain();
        TestWorld world(endpoints_of(chain), {});
        world.start();
        // Four blocks on top of what is settled, each with credits.
        for (size_t i = 0; i < 4; ++i) chain.emit(credits_bought(1)).mine();
        world.poll();
        expect_at(world, chain);
        chain.drop(depth).emit(credits_bought(1000)).mine(depth + 1);
        world.poll(2);
        expect_at(world, chain);
        EXPECT_EQ(world.view.status().reorganisations, 1u);
        EXPECT_EQ(world.restarts, 0u);
    }
}

TEST(chain_view, sees_a_reorganisation_to_a_shorter_chain_and_one_of_equal_length) {
    for (const size_t mined : {1, 3}) {
        TestChain chain = small_chain();
        TestWorld world(endpoints_of(chain), {});
        world.start();
        chain.emit(credits_bought(5)).mine(3);
        world.poll();
        chain.drop(3).mine(mined);
        world.poll(2);
        expect_at(world, chain);
        EXPECT_EQ(world.view.latest().account(test_payer).balance, U256(100));
    }
}

TEST(chain_view, a_reorganisation_of_settled_blocks_begins_anew_and_fails_closed_until_then) {
    TestChain chain = small_chain();
    TestWorld world(endpoints_of(chain), {});
    world.start();
    chain.drop(6).emit(credits_bought(7)).mine(8);
    world.poll();
    EXPECT_EQ(world.restarts, 1u);
    EXPECT_EQ(money_error(world), ErrorCode::chain_reorganised);
    EXPECT_EQ(world.view.latest(), ContractState{});
    world.poll();
    expect_at(world, chain);
    EXPECT_EQ(world.view.status().restarts, 1u);
    EXPECT_EQ(money_error(world), ErrorCode{});
}

TEST(chain_view, a_chain_that_began_anew_and_is_still_short_is_seen) {
    TestChain chain = small_chain();
    TestWorld world(endpoints_of(chain), {});
    world.start();
    // Nothing that the view knows is on it.
    chain = TestChain(99);
    chain.mine(2);
    world.poll();
    EXPECT_EQ(world.view.status().state, ChainViewState::behind);
    chain.emit(pool_created()).mine(30);
    world.poll(2);
    expect_at(world, chain);
    EXPECT_EQ(world.restarts, 1u);
}

TEST(chain_view, an_endpoint_that_lags_is_waited_for) {
    TestChain chain = small_chain();
    TestWorld world(endpoints_of(chain), {});
    world.start();
    chain.mine(2);
    world.poll();
    const auto before = world.view.status().latest;
    world.endpoints[0].lag = 3;
    world.poll();
    EXPECT_EQ(world.view.status().latest, before);
    EXPECT_EQ(world.view.status().reorganisations, 0u);
    world.endpoints[0].lag = 8;
    world.poll();
    EXPECT_EQ(world.view.status().state, ChainViewState::behind);
    world.pass(minutes(2));
    EXPECT_EQ(money_error(world), ErrorCode::rpc_unavailable);
    world.endpoints[0].lag = 0;
    world.poll();
    expect_at(world, chain);
    EXPECT_EQ(money_error(world), ErrorCode{});
}

TEST(chain_view, goes_on_from_a_journal) {
    TestChain chain = small_chain();
    TestWorld first(endpoints_of(chain), {});
    first.start();
    chain.mine(6);
    first.poll();
    ASSERT_GE(first.journal.size(), 2u);
    chain.emit(credits_bought(3)).mine(2);

    TestWorld second(endpoints_of(chain), {});
    for (const SettledBatch& batch : first.journal) ASSERT_TRUE(second.view.restore(batch));
    uint64_t lowest = UINT64_MAX;
    second.on_ask = [&](const RpcAsk& ask) {
        if (ask.call.method == "eth_getBlockByNumber" &&
            ask.call.parameters[0].as_string().starts_with("0x"))
            lowest = std::min(lowest, number_in(ask.call.parameters[0]));
    };
    second.start();
    expect_at(second, chain);
    EXPECT_EQ(lowest, first.journal.back().end.number);
    EXPECT_EQ(second.restarts, 0u);
}

TEST(chain_view, a_journal_of_another_history_is_not_gone_on_from) {
    TestChain chain = small_chain();
    TestWorld first(endpoints_of(chain), {});
    first.start();
    const TestChain other = TestChain(chain).drop(8).mine(20);
    TestWorld second(endpoints_of(other), {});
    for (const SettledBatch& batch : first.journal) ASSERT_TRUE(second.view.restore(batch));
    second.start();
    second.poll();
    EXPECT_EQ(second.restarts, 1u);
    expect_at(second, other);
    // Batches out of order are refused.
    TestWorld third(endpoints_of(chain), {});
    ASSERT_TRUE(third.view.restore(first.journal[0]));
    EXPECT_FALSE(third.view.restore(first.journal[0]));
}

TEST(chain_view, events_that_cannot_be_are_a_visible_failure) {
    TestChain chain = small_chain();
    TestWorld world(endpoints_of(chain), {});
    world.start();
    chain.emit(voucher_opened(101)).mine();
    world.poll();
    EXPECT_EQ(world.view.status().problem->code, ErrorCode::events_inconsistent);
    EXPECT_EQ(money_error(world), ErrorCode::events_inconsistent);
    // It is not read again and again.
    const size_t calls = world.endpoints[0].calls;
    world.poll(5);
    EXPECT_EQ(world.endpoints[0].calls, calls);
    chain.drop(1).mine();
    world.pass(minutes(3));
    expect_at(world, chain);
}

TEST(chain_view, a_poll_that_is_asked_for_does_not_wait) {
    TestChain chain = small_chain();
    TestWorld world(endpoints_of(chain), {});
    world.start();
    chain.mine();
    ChainViewEffects effects;
    world.view.poll_soon(world.now, effects);
    EXPECT_EQ(effects.asks.size(), 1u);
    ChainViewEffects again;
    world.view.poll_soon(world.now, again);
    EXPECT_TRUE(again.asks.empty());
}

}  // namespace
}  // namespace teetee::chain
