// SPDX-License-Identifier: Apache-2.0
#include "billing/test_settler.hpp"

namespace teetee::billing {
namespace {

using namespace test;

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
    EXPECT_EQ(ledger.settlements[0].record.stage, SettlementStage::whole);
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
    outcome(submits[1]);
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
    // It may not be there at all.
    ASSERT_EQ(submits.size(), 3u);
    EXPECT_EQ(submits[2].data, submits[0].data);
    EXPECT_NE(submits[2].key, submits[0].key);
    one->on_outcome(clock.now(),
                    {submits[2].key, fail(ErrorCode::call_reverted, "AlreadyAnnounced(1, 2)")});
    EXPECT_EQ(state(1), ChargeState::settling);
    pass(200, {2});
    ASSERT_EQ(submits.size(), 4u);
    EXPECT_EQ(submits[3].data, submits[1].data);
    EXPECT_NE(submits[3].key, submits[1].key);
    outcome(submits[3], ErrorCode::call_reverted);
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

}  // namespace
}  // namespace teetee::billing
