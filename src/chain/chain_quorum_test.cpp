// SPDX-License-Identifier: Apache-2.0
// Endpoints that lag, lie, fail, or are of another chain.
#include <gtest/gtest.h>

#include "chain/chain_view.hpp"
#include "chain/test_chain.hpp"
#include "chain/test_events.hpp"

namespace teetee::chain {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TestChain busy_chain() {
    TestChain chain;
    chain.emit(pool_created());
    for (size_t i = 0; i < 12; ++i) chain.emit(credits_bought(1)).mine();
    return chain;
}

class chain_quorum : public testing::Test {
  protected:
    void build(size_t count, ChainViewOptions options = {}) {
        world.emplace(std::vector<TestEndpoint>(count, TestEndpoint{.chain = &chain}), options);
    }
    TestEndpoint& endpoint(size_t index) { return world->endpoints[index]; }
    ErrorCode problem() const {
        const auto status = world->view.status();
        return status.problem ? status.problem->code : ErrorCode{};
    }
    ErrorCode money_error() const {
        const auto money = world->view.money(world->now);
        return money ? ErrorCode{} : money.error().code;
    }
    EndpointState state(size_t index) const { return world->view.endpoints()[index].state; }
    void expect_following() {
        EXPECT_EQ(problem(), ErrorCode{});
        EXPECT_EQ(world->view.latest(), chain.state());
        EXPECT_EQ(money_error(), ErrorCode{});
    }

    TestChain chain = busy_chain();
    std::optional<TestWorld> world;
};

TEST_F(chain_quorum, two_of_three_go_on_without_the_third) {
    build(3);
    endpoint(1).is_dead = true;
    world->start();
    expect_following();
    EXPECT_EQ(state(1), EndpointState::failing);
    EXPECT_FALSE(world->view.status().is_single_endpoint);
    endpoint(1).is_dead = false;
    world->poll(2);
    EXPECT_EQ(state(1), EndpointState::usable);
}

TEST_F(chain_quorum, one_of_three_is_not_enough) {
    build(3);
    endpoint(1).is_dead = endpoint(2).is_dead = true;
    world->start();
    EXPECT_EQ(problem(), ErrorCode::rpc_unavailable);
    EXPECT_EQ(money_error(), ErrorCode::rpc_unavailable);
    endpoint(1).is_dead = false;
    world->poll(2);
    expect_following();
}

TEST_F(chain_quorum, an_endpoint_that_does_not_answer_is_not_waited_for_each_time) {
    build(3);
    endpoint(2).is_silent = true;
    world->start();
    expect_following();
    EXPECT_EQ(state(2), EndpointState::failing);
    const Instant before = world->now;
    world->poll(10);
    // Ten polls of two seconds, and some waits of five.
    EXPECT_LT(world->now - before, seconds(20 + 6 * 5));
}

TEST_F(chain_quorum, an_endpoint_that_hides_logs_is_outvoted_and_seen) {
    build(3);
    for (const size_t liar : {0, 2}) {
        for (size_t i = 0; i < 3; ++i) endpoint(i).hides_logs = i == liar;
        chain.emit(credits_bought(1)).mine();
        liar == 0 ? world->start() : world->poll();
        expect_following();
        EXPECT_EQ(state(liar), EndpointState::disagreeing);
        EXPECT_EQ(state(1), EndpointState::usable);
    }
}

TEST_F(chain_quorum, two_endpoints_that_disagree_fail_closed) {
    build(2);
    endpoint(1).hides_logs = true;
    world->start();
    EXPECT_EQ(problem(), ErrorCode::rpc_disagreement);
    EXPECT_EQ(money_error(), ErrorCode::rpc_disagreement);
    EXPECT_EQ(world->view.latest(), ContractState{});
    endpoint(1).hides_logs = false;
    world->poll();
    expect_following();
}

TEST_F(chain_quorum, endpoints_may_differ_on_the_newest_blocks_for_a_moment) {
    build(2);
    world->start();
    const auto before = world->view.status().latest;
    TestChain other = chain;
    chain.mine(2);
    other.emit(credits_bought(9)).mine(2);
    endpoint(1).chain = &other;
    world->poll();
    EXPECT_EQ(problem(), ErrorCode{});
    EXPECT_EQ(world->view.status().latest, before);
    world->pass(seconds(20));
    EXPECT_EQ(problem(), ErrorCode::rpc_disagreement);
    EXPECT_EQ(money_error(), ErrorCode::rpc_disagreement);
    other = chain;
    world->poll();
    expect_following();
}

TEST_F(chain_quorum, a_fork_of_settled_blocks_that_one_endpoint_tells_of_fails_closed) {
    build(2);
    world->start();
    const TestChain other = TestChain(chain).drop(8).mine(9);
    endpoint(1).chain = &other;
    world->pass(seconds(20));
    EXPECT_EQ(problem(), ErrorCode::rpc_disagreement);
    EXPECT_EQ(world->restarts, 0u);
}

TEST_F(chain_quorum, a_lagging_endpoint_holds_back_no_more_than_it_must) {
    build(3);
    endpoint(0).lag = 5;
    world->start();
    expect_following();
    endpoint(1).lag = 2;
    chain.mine(2);
    world->poll();
    EXPECT_EQ(world->view.status().latest, chain.ref(chain.head() - 2));
    EXPECT_EQ(world->view.status().head, chain.head() - 2);
}

TEST_F(chain_quorum, another_chain_is_told_as_such) {
    build(2);
    endpoint(1).chain_id = 8453;
    world->start();
    EXPECT_EQ(problem(), ErrorCode::chain_mismatch);
    EXPECT_EQ(money_error(), ErrorCode::chain_mismatch);
    EXPECT_EQ(state(1), EndpointState::wrong_chain);
    endpoint(1).chain_id = test_chain_id;
    world->pass(minutes(2));
    expect_following();
}

TEST_F(chain_quorum, among_three_another_chain_is_left_out) {
    build(3);
    endpoint(0).chain_id = 1;
    world->start();
    expect_following();
    EXPECT_EQ(state(0), EndpointState::wrong_chain);
    // It may change while the program runs.
    endpoint(1).chain_id = 5;
    world->pass(minutes(6));
    EXPECT_EQ(problem(), ErrorCode::chain_mismatch);
}

TEST_F(chain_quorum, endpoints_with_other_limits_than_the_others_decide_the_range) {
    build(2);
    chain.mine(100);
    endpoint(1).range_max = 10;
    world->start();
    expect_following();
}

TEST_F(chain_quorum, a_quorum_of_one_may_be_asked_for) {
    build(3, {.panel = {.quorum = 1}});
    endpoint(0).is_dead = endpoint(2).is_dead = true;
    world->start();
    expect_following();
}

}  // namespace
}  // namespace teetee::chain
