// SPDX-License-Identifier: Apache-2.0
#include <random>

#include "billing/test_settler.hpp"

namespace teetee::billing {
namespace {

using namespace test;

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
    options.sign_time_max = std::chrono::seconds(30);
    restart();
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
        {.signatures = {{node_key(1).address(), stranger}, {node_key(2).address(), stranger}}},
        effects));
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
    ASSERT_NO_FATAL_FAILURE(send_twice());
    EXPECT_NE(submits[1].key, submits[0].key);
    EXPECT_EQ(submits[1].data, submits[0].data);
    // The second attempt finds the first one in the chain, which is not settled yet: that is no
    // reason to claim it again.
    contract.settle();
    mine(submits[0]);
    outcome(submits[1], ErrorCode::call_reverted);
    tick(1);
    EXPECT_EQ(state(1), ChargeState::settling);
    contract.settle();
    tick(1);
    EXPECT_EQ(state(1), ChargeState::settled);
    EXPECT_EQ(submits.size(), 2u);
}

TEST_F(settler, a_second_attempt_that_is_refused_is_planned_anew) {
    ASSERT_NO_FATAL_FAILURE(send_twice());
    outcome(submits[1], ErrorCode::transaction_failed);
    tick();
    EXPECT_EQ(state(1), ChargeState::unsettled);
    EXPECT_TRUE(one->is_idle());
}

TEST_F(settler, what_an_endpoint_refuses_and_sends_itself_is_not_claimed_again) {
    for (uint8_t i = 1; i <= 4; ++i) charge(i, 10);
    tick();
    sign();
    contract.settle();
    mine(submits[0]);
    outcome(submits[0], ErrorCode::call_reverted);
    tick();
    EXPECT_EQ(state(1), ChargeState::settling) << "what was refused may be there: that settles";
    contract.settle();
    pass(48 * 3600, {});
    EXPECT_EQ(submits.size(), 1u);
    for (uint8_t i = 1; i <= 4; ++i) EXPECT_EQ(state(i), ChargeState::settled);
}

TEST_F(settler, what_comes_into_the_chain_after_it_was_dissolved_has_its_charges) {
    for (uint8_t i = 1; i <= 4; ++i) charge(i, 10);
    tick();
    sign();
    outcome(submits[0], ErrorCode::call_reverted);
    tick();
    EXPECT_EQ(state(1), ChargeState::unsettled);
    tick(60);
    sign();
    ASSERT_EQ(submits.size(), 2u);
    restart();
    // A stranger has kept the first one, and sends it now.
    contract.settle();
    mine(submits[0]);
    outcome(submits[1], ErrorCode::transaction_failed);
    charge(5, 7);
    tick();
    ASSERT_TRUE(submits.size() == 3u && !order) << "the second, again; and nothing is planned";
    contract.settle();
    tick();
    for (uint8_t i = 1; i <= 4; ++i) EXPECT_EQ(state(i), ChargeState::settled);
    pass(3600, {});
    ASSERT_EQ(submits.size(), 4u);
    EXPECT_EQ(batch_of(submits[3]).total, chain::U256(7));
    EXPECT_EQ(batch_of(submits[3]).spends[0].amount, chain::U256(47));
}

/// The contract's own rules for claims.
bool takes(const chain::ContractState& state, const Batch& batch, const crypto::Address& by) {
    if (state.anchor(1, batch.receipts_root) != nullptr) return false;
    Credits added = 0;
    for (const auto& spend : batch.spends) {
        const auto& claims = state.voucher(spend.voucher)->claims;
        const auto before = claims.find(by);
        const Credits claimed =
            before == claims.end() ? 0 : before->second.claimed.to_u64().value();
        const Credits amount = spend.amount.to_u64().value();
        if (amount <= claimed) return false;
        added += amount - claimed;
    }
    return batch.total == chain::U256(added);
}

/// Three vouchers; strangers send whatever they have seen whenever they like, endpoints refuse what
/// is right, blocks are taken back, and the entry is killed.
TEST_F(settler, whoever_sends_whatever_each_charge_is_claimed_once) {
    const Digest vouchers[] = {chain::test_voucher, {0x71}, {0x72}};
    contract.open_voucher(10'000, vouchers[1]);
    contract.open_voucher(10'000, vouchers[2]);
    for (const Digest& id : vouchers) ledger.kept_accounts[id] = {spend(5000, id), 0};
    std::mt19937 random(7);
    const auto draw = [&](uint32_t below) { return static_cast<uint32_t>(random() % below); };
    const auto mine_exactly = [&](const Batch& batch) {
        for (const auto& spend : batch.spends) {
            const auto& claims = contract.state.voucher(spend.voucher)->claims;
            const auto before = claims.find(options.entry);
            const auto claimed = before == claims.end() ? chain::U256(0) : before->second.claimed;
            contract.apply(chain::tee_tee::SpentEvent{.voucher = spend.voucher,
                                                      .entry = options.entry,
                                                      .paid = spend.amount.minus(claimed).value()});
        }
        contract.apply(chain::tee_tee::AnchoredEvent{
            .pool = 1, .entry_node = 1, .receipts_root = batch.receipts_root, .paid = batch.total});
    };
    contract.settle();
    std::map<std::string, chain::SendIntent> sent;
    uint32_t charges = 0;
    const auto turn = [&](bool is_wild) {
        if (is_wild && charges < 120 && draw(3) == 0) {
            charge(++charges, 1 + draw(9), 2, vouchers[draw(3)]);
        }
        tick(1 + draw(90));
        if (order) sign();
        for (auto& intent : submits) sent[intent.key] = std::move(intent);
        submits.clear();
        if (is_wild && draw(20) == 0) restart();
        if (is_wild && draw(6) == 0) {
            // Not what is settled.
            contract.state = *contract.settled;
            contract.block = contract.settled_block;
        }
        for (const auto& [key, intent] : std::map(sent)) {
            const Batch batch = batch_of(intent);
            const bool is_taken = takes(contract.state, batch, options.entry);
            if (is_taken && (!is_wild || draw(4) == 0)) mine_exactly(batch);
            if (draw(3) == 0)
                outcome(intent,
                        draw(2) == 0 ? std::optional<ErrorCode>() : ErrorCode::call_reverted);
        }
        contract.apply(chain::credits_bought(1));
        if (!is_wild || draw(3) == 0) contract.settle();
    };
    for (int i = 0; i < 700; ++i) turn(true);
    for (int i = 0; i < 1200; ++i) turn(false);
    EXPECT_EQ(charges, 120u);
    Credits claimed = 0;
    Credits charged = 0;
    for (const Digest& id : vouchers) {
        const auto& claims = contract.state.voucher(id)->claims;
        const Credits own = claims.at(options.entry).claimed.to_u64().value();
        EXPECT_EQ(own, ledger.kept_accounts[id].charged);
        claimed += own;
        charged += ledger.kept_accounts[id].charged;
    }
    EXPECT_EQ(claimed, charged);
    for (const auto& kept : ledger.charges) EXPECT_EQ(kept.state, ChargeState::settled);
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
    tick(10);
    EXPECT_TRUE(order);
}

TEST_F(settler, nothing_waits_behind_a_node_that_is_away) {
    options.interval = 600;
    restart();
    for (uint32_t i = 1; i <= 3000; ++i) charge(i, 0, 2);
    charge(3001, 30, 3);
    tick();
    ASSERT_TRUE(order);
    sign({2});
    tick(1);
    ASSERT_TRUE(order) << "within seconds, not in an hour";
    EXPECT_EQ(order->batch.total, chain::U256(30));
    sign();
    mine(submits[0]);
    tick(1);
    EXPECT_EQ(state(3001), ChargeState::settled);
    // Nor when what can be settled comes later.
    charge(3002, 40, 3);
    pass(700, {2});
    ASSERT_EQ(submits.size(), 2u);
    EXPECT_EQ(batch_of(submits[1]).total, chain::U256(40));
}

TEST_F(settler, what_is_refused_does_not_wait_for_the_next_settlement) {
    options.interval = 24 * 3600;
    options.worth_min = 30;
    restart();
    for (uint32_t i = 1; i <= 4; ++i) charge(i, 10);
    tick();
    sign();
    const auto refuse = [&] {
        outcome(submits.back(), ErrorCode::call_reverted);
        tick(1);
        tick(60);
    };
    refuse();
    ASSERT_TRUE(order);
    EXPECT_EQ(order->charges.size(), 2u);
    sign();
    refuse();
    sign();
    refuse();
    ASSERT_TRUE(order);
    EXPECT_EQ(order->charges[0].request, request_of(2)) << "the first one is at fault";
    sign();
    mine(submits.back());
    tick(1);
    ASSERT_TRUE(order);
    EXPECT_EQ(order->charges.size(), 2u);
    sign();
    mine(submits.back());
    for (uint32_t hour = 0; hour < 24 * 6; ++hour) {
        tick(3600);
        if (!order) continue;
        sign();
        outcome(submits.back(), ErrorCode::call_reverted);
    }
    EXPECT_EQ(state(1), ChargeState::unsettled);
    EXPECT_EQ(state(2), ChargeState::settled);
    EXPECT_EQ(state(3), ChargeState::settled);
    EXPECT_EQ(state(4), ChargeState::settled);
    EXPECT_LT(submits.size(), 6u + 10u) << "once a day at last";
}

TEST_F(settler, what_was_revoked_and_is_refused_for_an_hour_is_given_up) {
    charge(1, 10);
    contract.apply(chain::tee_tee::MeasurementRevokedEvent{1, chain::test_measurement});
    for (int i = 0; i < 2; ++i) {
        tick(3700);
        sign();
        outcome(submits.back(), ErrorCode::call_reverted);
        tick();
    }
    EXPECT_EQ(state(1), ChargeState::given_up);
}

TEST_F(settler, a_node_that_finds_a_charge_wrong_signs_the_others) {
    options.absent_after = 6 * 3600;
    restart();
    for (uint32_t i = 1; i <= 4; ++i) charge(i, 10);
    rejects = {2};
    rejected = request_of(3);
    for (int i = 0; i < 600; ++i) {
        tick(10);
        if (order) sign();
        if (!submits.empty() && !contract.state.anchor(1, batch_of(submits.back()).receipts_root))
            mine(submits.back());
    }
    for (uint32_t i = 1; i <= 4; ++i)
        EXPECT_EQ(state(i), i == 3 ? ChargeState::unsettled : ChargeState::settled) << i;
    // What it never signs is made without it.
    const size_t before = submits.size();
    pass(7 * 3600, {});
    ASSERT_EQ(submits.size(), before + 1);
    EXPECT_TRUE(chain::tee_tee::AnnounceSettlementCall::decode(submits.back().data));
}

TEST_F(settler, a_receipt_that_cannot_be_read_keeps_nobody_waiting) {
    for (uint32_t i = 1; i <= 3; ++i) charge(i, 10);
    tick();
    SettlerEffects effects;
    ASSERT_TRUE(one->on_signed(clock.now(), clock.time, order->number,
                               {.unreadable = {request_of(2)}}, effects));
    order.reset();
    tick(1);
    ASSERT_TRUE(order);
    EXPECT_EQ(order->batch.total, chain::U256(20));
    sign();
    EXPECT_EQ(submits.size(), 1u);
}

TEST_F(settler, a_settled_chain_that_is_another_is_settled_again) {
    contract.settle();
    const chain::ContractState before = contract.state;
    charge(1, 30);
    tick();
    sign();
    mine(submits[0]);
    contract.settle();
    tick();
    EXPECT_EQ(state(1), ChargeState::settled);
    contract.state = before;
    contract.settle();
    tick();
    EXPECT_EQ(state(1), ChargeState::settled) << "it is not looked at each time";
    ++contract.restarts;
    tick();
    EXPECT_EQ(state(1), ChargeState::settling);
    ASSERT_EQ(submits.size(), 2u);
    EXPECT_EQ(submits[1].data, submits[0].data);
    EXPECT_NE(submits[1].key, submits[0].key);
    mine(submits[1]);
    contract.settle();
    tick();
    EXPECT_EQ(state(1), ChargeState::settled);
    // Nor is it missed when the process was down.
    contract.state = before;
    contract.settle();
    restart();
    tick();
    EXPECT_EQ(state(1), ChargeState::settling);
}

TEST_F(settler, charges_at_old_prices_are_settled_before_they_lapse) {
    options.worth_min = 1000;
    options.age_max = 10 * 24 * 3600;
    restart();
    charge(1, 120);
    contract.apply(chain::prices_announced({2, 5}, 7200));
    contract.apply(chain::prices_announced({2, 4}, clock.time + 3600));
    tick(3600 + 11 * 3600);
    EXPECT_FALSE(order);
    tick(3600);
    EXPECT_TRUE(order);
}

TEST_F(settler, the_ledger_is_read_when_something_may_be_due) {
    options.worth_min = 1000;
    restart();
    charge(1, 30);
    tick();
    const size_t before = ledger.looks;
    for (int i = 0; i < 100; ++i) tick(1);
    EXPECT_LE(ledger.looks - before, 11u);
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
