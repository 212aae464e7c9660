// SPDX-License-Identifier: Apache-2.0
#include "billing/settler.hpp"

#include "billing/test_world.hpp"

namespace teetee::billing {
namespace {

using namespace test;
using chain::tee_tee::Batch;

crypto::SecpKey node_key(uint8_t seed) {
    return crypto::SecpKey::from_bytes(Bytes(32, seed)).value();
}

/// A settler with a contract whose nodes have keys, and whose events the test makes.
class settler : public testing::Test {
  protected:
    settler() {
        contract.apply(chain::pool_created());
        contract.apply(chain::prices_announced({2, 5}, 0));
        contract.apply(chain::measurement_accepted());
        for (uint8_t node = 1; node <= 3; ++node) {
            auto registered = chain::node_registered(node, node == 1 ? 0 : 1);
            registered.receipt_key = node_key(node).address();
            contract.apply(registered);
        }
        contract.open_voucher(1000);
        options.entry = node_key(1).address();
        ledger.kept_accounts[chain::test_voucher] = {spend(1000), 0};
        restart();
    }

    void restart() {
        one.emplace(options, ledger);
        SettlerEffects effects;
        ASSERT_TRUE(one->start(effects));
        take(std::move(effects));
    }

    void charge(uint8_t number, Credits amount, uint8_t tail_node = 2) {
        const Charge made = {.request = {{number}},
                             .voucher = chain::test_voucher,
                             .amount = amount,
                             .prompt_tokens = 10,
                             .completion_tokens = 20,
                             .receipt = {number},
                             .nodes = {node_key(1).address(), node_key(tail_node).address()},
                             .charged_at = chain::test_start};
        SpendAccount account = ledger.kept_accounts[chain::test_voucher];
        account.charged += amount;
        ASSERT_TRUE(ledger.keep(made, &account, {}));
    }

    void tick(uint64_t seconds = 61) {
        clock.time += seconds;
        SettlerEffects effects;
        const auto done = one->on_time(clock.now(), clock.time, view(), effects);
        ASSERT_TRUE(done) << done.error().message();
        take(std::move(effects));
    }

    /// All sign but those.
    void sign(const std::set<uint8_t>& but = {}) {
        ASSERT_TRUE(order);
        const Digest digest = chain::settlement_digest(deployment, order->batch);
        std::vector<NodeSignature> signatures;
        for (uint8_t node = 1; node <= 3; ++node) {
            if (but.contains(node)) continue;
            signatures.push_back(
                {node_key(node).address(), node_key(node).sign_recoverable(digest)});
        }
        const uint64_t number = order->number;
        order.reset();
        SettlerEffects effects;
        ASSERT_TRUE(one->on_signed(clock.now(), clock.time, number, signatures, effects));
        take(std::move(effects));
    }

    void take(SettlerEffects effects) {
        if (effects.order) order = effects.order;
        for (auto& intent : effects.submits) submits.push_back(std::move(intent));
    }

    Batch batch_of(const chain::SendIntent& intent) {
        return chain::tee_tee::SettleCall::decode(intent.data).value().batch;
    }

    /// What the contract does.
    void mine(const chain::SendIntent& intent) {
        const Batch batch = batch_of(intent);
        for (const auto& claim : batch.spends) {
            contract.apply(chain::tee_tee::SpentEvent{
                .voucher = claim.voucher, .entry = options.entry, .paid = batch.total});
        }
        contract.apply(chain::tee_tee::AnchoredEvent{.pool = 1,
                                                     .entry_node = 1,
                                                     .receipts_root = batch.receipts_root,
                                                     .prompt_tokens = batch.prompt_tokens,
                                                     .completion_tokens = batch.completion_tokens,
                                                     .paid = batch.total});
    }

    void outcome(const chain::SendIntent& intent, std::optional<ErrorCode> error = {}) {
        chain::SendOutcome told = {intent.key, chain::Inclusion{.block_number = contract.block}};
        if (error) told.result = fail(*error, "no");
        one->on_outcome(clock.now(), told);
    }

    /// So long, whoever is asked signs but those.
    void pass(uint64_t seconds, const std::set<uint8_t>& absent) {
        for (const uint64_t end = clock.time + seconds; clock.time < end;) {
            tick(std::min<uint64_t>(60, end - clock.time));
            if (order) sign(absent);
        }
    }

    /// An announcement is in the chain.
    void mine_notice(const chain::SendIntent& intent) {
        const auto call = chain::tee_tee::AnnounceSettlementCall::decode(intent.data);
        ASSERT_TRUE(call);
        contract.apply(chain::tee_tee::SettlementAnnouncedEvent{.digest = call->digest});
    }

    /// A charge of 30 with a node 2 that does not sign, announced.
    void announce() {
        options.absent_after = 3600;
        restart();
        charge(1, 30);
        pass(3500, {2});
        EXPECT_TRUE(submits.empty());
        pass(300, {2});
        ASSERT_EQ(submits.size(), 1u);
        mine_notice(submits[0]);
        ASSERT_EQ(ledger.settlements.size(), 1u);
        EXPECT_EQ(ledger.settlements[0].stage, SettlementStage::announced);
        EXPECT_EQ(state(1), ChargeState::settling);
    }

    ChargeState state(uint8_t number) { return ledger.find({{number}})->state; }
    chain::MoneyView view() const {
        return {contract.state, contract.state, contract.block, contract.block};
    }

    Contract contract = Contract(Contract::Empty{});
    MemoryLedger ledger;
    TestClock clock;
    SettlerOptions options = {.deployment = deployment, .pool = 1};
    std::optional<Settler> one;
    std::optional<SignOrder> order;
    std::vector<chain::SendIntent> submits;
};

TEST_F(settler, brings_charges_to_the_contract) {
    charge(1, 30);
    charge(2, 40);
    tick();
    ASSERT_TRUE(order);
    EXPECT_EQ(order->batch.total, chain::U256(70));
    EXPECT_TRUE(ledger.settlements.empty());
    sign();
    ASSERT_EQ(submits.size(), 1u);
    EXPECT_EQ(submits[0].to, deployment.contract);
    ASSERT_EQ(ledger.settlements.size(), 1u);
    const Batch batch = batch_of(submits[0]);
    const Digest digest = chain::settlement_digest(deployment, batch);
    for (const auto& work : batch.work) {
        EXPECT_EQ(crypto::recover_address(digest, chain::from_compact({work.r, work.vs})).value(),
                  node_key(static_cast<uint8_t>(work.node)).address());
    }
    outcome(submits[0]);
    tick();
    EXPECT_EQ(state(1), ChargeState::settling);
    mine(submits[0]);
    tick();
    EXPECT_EQ(state(1), ChargeState::settled);
    EXPECT_EQ(state(2), ChargeState::settled);
    EXPECT_TRUE(one->is_idle());
    EXPECT_EQ(one->settlements(), 1u);
}

TEST_F(settler, goes_on_after_a_restart_with_the_same_intent) {
    charge(1, 30);
    tick();
    // Not signed: forgotten, and planned anew.
    restart();
    EXPECT_TRUE(submits.empty());
    tick();
    sign();
    ASSERT_EQ(submits.size(), 1u);
    restart();
    ASSERT_EQ(submits.size(), 2u);
    EXPECT_EQ(submits[0], submits[1]);
    tick();
    EXPECT_EQ(submits.size(), 2u);
    mine(submits[0]);
    tick();
    EXPECT_TRUE(one->is_idle());
}

TEST_F(settler, leaves_out_a_node_that_does_not_sign) {
    charge(1, 30, 2);
    charge(2, 40, 3);
    tick();
    sign({3});
    EXPECT_TRUE(submits.empty());
    tick(1);
    ASSERT_TRUE(order);
    EXPECT_EQ(order->charges.size(), 1u);
    EXPECT_EQ(order->batch.total, chain::U256(30));
    sign({3});
    ASSERT_EQ(submits.size(), 1u);
    mine(submits[0]);
    tick(601);
    tick(601);
    ASSERT_TRUE(order);
    EXPECT_EQ(order->batch.total, chain::U256(40));
    EXPECT_EQ(order->batch.spends[0].amount, chain::U256(70));
}

TEST_F(settler, a_node_that_comes_back_is_asked_again_soon) {
    charge(1, 30);
    tick();
    // As after a start, when no route is up yet.
    sign({2});
    order.reset();
    tick(1);
    EXPECT_FALSE(order);
    tick(61);
    ASSERT_TRUE(order);
    sign();
    EXPECT_EQ(submits.size(), 1u);
}

TEST_F(settler, nodes_that_do_not_answer_are_not_waited_for) {
    charge(1, 30);
    tick();
    order.reset();
    tick(10);
    EXPECT_FALSE(one->is_idle());
    tick(20);
    EXPECT_TRUE(one->is_idle());
}

TEST_F(settler, a_signature_of_somebody_else_is_none) {
    charge(1, 30);
    tick();
    const auto stranger = node_key(9).sign_recoverable({1});
    SettlerEffects effects;
    ASSERT_TRUE(one->on_signed(
        clock.now(), clock.time, order->number,
        {{node_key(1).address(), stranger}, {node_key(2).address(), stranger}}, effects));
    EXPECT_TRUE(effects.submits.empty());
    EXPECT_TRUE(ledger.settlements.empty());
}

TEST_F(settler, takes_apart_what_the_contract_refuses) {
    for (uint8_t i = 1; i <= 4; ++i) charge(i, 10);
    tick();
    sign();
    outcome(submits.back(), ErrorCode::call_reverted);
    tick();
    EXPECT_EQ(state(1), ChargeState::unsettled);
    tick(60);
    EXPECT_EQ(order->charges.size(), 2u);
    sign();
    outcome(submits.back(), ErrorCode::call_reverted);
    tick();
    tick(60);
    EXPECT_EQ(order->charges.size(), 1u);
    sign();
    outcome(submits.back(), ErrorCode::call_reverted);
    tick();
    // The first one is at fault and is left alone for an hour.
    tick(60);
    ASSERT_EQ(order->charges.size(), 1u);
    EXPECT_EQ(order->charges[0].request, (RequestId{{2}}));
    EXPECT_EQ(order->batch.spends[0].amount, chain::U256(10));
}

TEST_F(settler, what_was_refused_and_is_planned_anew_is_another_intent) {
    charge(1, 10);
    tick();
    sign();
    outcome(submits[0], ErrorCode::call_reverted);
    tick();
    charge(2, 20);
    tick(61);
    sign();
    mine(submits[1]);
    tick();
    tick(3601);
    sign();
    ASSERT_EQ(submits.size(), 3u);
    EXPECT_EQ(batch_of(submits[2]).receipts_root, batch_of(submits[0]).receipts_root);
    EXPECT_NE(submits[2].data, submits[0].data) << "the sums are others";
    EXPECT_NE(submits[2].key, submits[0].key);
}

TEST_F(settler, is_sent_again_when_its_block_was_another_one) {
    charge(1, 30);
    tick();
    sign();
    outcome(submits[0]);
    contract.apply(chain::credits_bought(1));
    tick();
    ASSERT_EQ(submits.size(), 2u);
    EXPECT_NE(submits[1].key, submits[0].key);
    EXPECT_EQ(submits[1].data, submits[0].data);
    // The second attempt finds the first one in the chain: that is no reason to claim it again.
    outcome(submits[1], ErrorCode::call_reverted);
    tick(1);
    EXPECT_EQ(state(1), ChargeState::settling);
    mine(submits[0]);
    tick();
    EXPECT_EQ(state(1), ChargeState::settled);
}

TEST_F(settler, waits_until_gas_is_a_small_part) {
    options.gas_percent = 5;
    restart();
    charge(1, 60);
    tick();
    EXPECT_FALSE(order) << "nobody knows the price";
    // 152,000 gas are 4 credits, and then 3.
    one->set_gas(GasTerms{.gas_price = 4, .wei_per_credit = 152'000});
    tick();
    EXPECT_FALSE(order);
    one->set_gas(GasTerms{.gas_price = 3, .wei_per_credit = 152'000});
    tick();
    EXPECT_TRUE(order);
}

TEST_F(settler, a_day_is_long_enough_whatever_the_gas) {
    options.gas_percent = 5;
    options.worth_min = 1000;
    restart();
    charge(1, 60);
    tick(24 * 3600 - 100);
    EXPECT_FALSE(order);
    tick(100);
    EXPECT_TRUE(order);
}

TEST_F(settler, what_the_contract_takes_not_much_longer_waits_for_nothing) {
    options.gas_percent = 5;
    options.interval = 24 * 3600;
    restart();
    charge(1, 60);
    tick();
    EXPECT_FALSE(order);
    contract.apply(chain::tee_tee::MeasurementRevokedEvent{1, chain::test_measurement});
    tick(1);
    EXPECT_TRUE(order);
}

TEST_F(settler, does_without_a_node_that_stays_away) {
    announce();
    pass(24 * 3600, {2});
    EXPECT_EQ(submits.size(), 1u);
    pass(900, {2});
    ASSERT_EQ(submits.size(), 2u);
    const Batch batch = batch_of(submits[1]);
    EXPECT_EQ(batch.work[1].r, Digest{});
    const Digest digest = chain::settlement_digest(deployment, batch);
    EXPECT_EQ(
        crypto::recover_address(digest, chain::from_compact({batch.work[0].r, batch.work[0].vs}))
            .value(),
        node_key(1).address());
    EXPECT_EQ(chain::tee_tee::AnnounceSettlementCall::decode(submits[0].data)->digest, digest);
    mine(submits[1]);
    tick();
    EXPECT_EQ(state(1), ChargeState::settled);
    pass(48 * 3600, {});
    EXPECT_EQ(submits.size(), 2u) << "once";
}

TEST_F(settler, one_that_comes_back_signs_what_was_announced) {
    announce();
    pass(700, {});
    ASSERT_EQ(submits.size(), 2u);
    const Batch batch = batch_of(submits[1]);
    EXPECT_NE(batch.work[1].r, Digest{});
    EXPECT_EQ(chain::settlement_digest(deployment, batch),
              chain::tee_tee::AnnounceSettlementCall::decode(submits[0].data)->digest);
    EXPECT_EQ(ledger.settlements[0].stage, SettlementStage::whole);
    mine(submits[1]);
    pass(48 * 3600, {});
    EXPECT_EQ(state(1), ChargeState::settled);
    EXPECT_EQ(submits.size(), 2u) << "once";
}

TEST_F(settler, vouchers_of_what_was_announced_wait_for_it) {
    announce();
    charge(2, 40, 3);
    pass(3600, {2});
    EXPECT_EQ(submits.size(), 1u);
    EXPECT_EQ(state(2), ChargeState::unsettled);
    pass(24 * 3600, {2});
    ASSERT_EQ(submits.size(), 2u);
    EXPECT_EQ(batch_of(submits[1]).total, chain::U256(30));
    mine(submits[1]);
    pass(1300, {2});
    ASSERT_EQ(submits.size(), 3u);
    const Batch next = batch_of(submits[2]);
    EXPECT_EQ(next.total, chain::U256(40));
    EXPECT_EQ(next.spends[0].amount, chain::U256(70));
}

TEST_F(settler, what_was_announced_outlives_a_restart) {
    announce();
    restart();
    ASSERT_EQ(submits.size(), 2u);
    EXPECT_EQ(submits[1], submits[0]) << "the sender knows it";
    EXPECT_EQ(one->announced(), 1u);
    pass(25 * 3600, {2});
    ASSERT_EQ(submits.size(), 3u);
    restart();
    ASSERT_EQ(submits.size(), 4u);
    EXPECT_EQ(submits[3], submits[2]);
    mine(submits[3]);
    tick();
    EXPECT_EQ(state(1), ChargeState::settled);
}

TEST_F(settler, what_came_too_soon_waits_on_and_what_is_refused_is_planned_anew) {
    announce();
    pass(25 * 3600, {2});
    ASSERT_EQ(submits.size(), 2u);
    one->on_outcome(clock.now(),
                    {submits[1].key, fail(ErrorCode::call_reverted, "AbsentTooSoon(1, 2, 3)")});
    pass(3500, {2});
    EXPECT_EQ(submits.size(), 2u);
    EXPECT_EQ(state(1), ChargeState::settling);
    pass(200, {2});
    ASSERT_EQ(submits.size(), 3u);
    EXPECT_EQ(submits[2].data, submits[1].data);
    EXPECT_NE(submits[2].key, submits[1].key);
    outcome(submits[2], ErrorCode::call_reverted);
    tick();
    EXPECT_EQ(state(1), ChargeState::unsettled);
}

TEST_F(settler, an_announcement_that_fails_is_made_again) {
    options.absent_after = 0;
    restart();
    charge(1, 30);
    pass(120, {2});
    ASSERT_EQ(submits.size(), 1u);
    outcome(submits[0], ErrorCode::transaction_failed);
    pass(120, {2});
    ASSERT_EQ(submits.size(), 2u);
    EXPECT_EQ(submits[1].data, submits[0].data);
    EXPECT_NE(submits[1].key, submits[0].key);
    // Without it nothing is sent, however late it is.
    pass(26 * 3600, {2});
    EXPECT_EQ(submits.size(), 2u);
}

TEST_F(settler, nothing_is_announced_that_the_entry_has_not_signed) {
    options.absent_after = 0;
    restart();
    charge(1, 30);
    pass(3600, {1, 2});
    EXPECT_TRUE(submits.empty());
    EXPECT_EQ(state(1), ChargeState::unsettled);
}

TEST_F(settler, waits_until_it_is_worth_it) {
    options.worth_min = 100;
    restart();
    charge(1, 60);
    tick();
    EXPECT_FALSE(order);
    charge(2, 60);
    tick();
    EXPECT_TRUE(order);
    restart();
    order.reset();
    options.worth_min = 1000;
    restart();
    tick(23 * 3600);
    EXPECT_FALSE(order);
    one->hurry();
    tick(1);
    EXPECT_TRUE(order);
}

}  // namespace
}  // namespace teetee::billing
