// SPDX-License-Identifier: Apache-2.0
#include "billing/settlement_plan.hpp"

#include "billing/test_world.hpp"
#include "crypto/merkle.hpp"

namespace teetee::billing {
namespace {

using namespace test;

class settlement_plan : public testing::Test {
  protected:
    Charge charge(uint8_t number, Credits amount, const Digest& voucher = chain::test_voucher) {
        return {.request = {{number}},
                .voucher = voucher,
                .amount = amount,
                .prompt_tokens = 10,
                .completion_tokens = 20,
                .receipt = {number, 0xab},
                .nodes = {entry, tail}};
    }
    PlanResult plan(const std::vector<Charge>& charges) {
        const PlanInput input = {
            .deployment = deployment, .pool = 1, .entry = entry, .now = now, .without = without};
        return plan_settlement(input, contract.view(), charges, accounts);
    }
    ErrorCode left_out(const Charge& one) {
        const PlanResult result = plan({one});
        EXPECT_FALSE(result.plan);
        return result.left_out.empty() ? ErrorCode{} : result.left_out[0].why.code;
    }

    Contract contract;
    uint64_t now = chain::test_start;
    std::set<crypto::Address> without;
    std::vector<SpendAccount> accounts = {{spend(300), 200}};
};

TEST_F(settlement_plan, joins_charges_into_claims_and_work) {
    contract.open_voucher(1000);
    contract.open_voucher(1000, {0x71});
    accounts.push_back({spend(90, {0x71}), 90});
    const PlanResult result = plan({charge(1, 30), charge(2, 40), charge(3, 90, {0x71})});
    ASSERT_TRUE(result.plan);
    EXPECT_TRUE(result.left_out.empty());
    const auto& batch = result.plan->batch;
    EXPECT_EQ(batch.pool, 1u);
    EXPECT_EQ(batch.entry_node, 1u);
    EXPECT_EQ(batch.prompt_tokens, 30u);
    EXPECT_EQ(batch.completion_tokens, 60u);
    EXPECT_EQ(batch.total, chain::U256(160));
    ASSERT_EQ(batch.spends.size(), 2u);
    EXPECT_EQ(batch.spends[0].amount, chain::U256(70));
    EXPECT_EQ(batch.spends[0].signed_, chain::U256(300));
    ASSERT_EQ(batch.work.size(), 2u);
    EXPECT_EQ(batch.work[0].tokens, 90u);
    EXPECT_EQ(batch.work[1].tokens, 90u);
    EXPECT_EQ(result.plan->signers, (std::vector<crypto::Address>{entry, tail}));
    const std::vector<Digest> leaves = {receipt_leaf({1, 0xab}), receipt_leaf({2, 0xab}),
                                        receipt_leaf({3, 0xab})};
    EXPECT_EQ(batch.receipts_root, crypto::merkle_root(leaves));
}

TEST_F(settlement_plan, claims_go_on_from_what_was_claimed) {
    contract.open_voucher(1000);
    contract.apply(
        chain::tee_tee::SpentEvent{.voucher = chain::test_voucher, .entry = entry, .paid = 130});
    const PlanResult result = plan({charge(1, 70)});
    ASSERT_TRUE(result.plan);
    EXPECT_EQ(result.plan->batch.spends[0].amount, chain::U256(200));
    EXPECT_EQ(result.plan->batch.total, chain::U256(70));
}

TEST_F(settlement_plan, never_claims_more_than_is_signed_or_there) {
    contract.open_voucher(100);
    const PlanResult result = plan({charge(1, 60), charge(2, 60), charge(3, 40)});
    ASSERT_TRUE(result.plan);
    EXPECT_EQ(result.plan->charges.size(), 2u);
    EXPECT_EQ(result.plan->batch.total, chain::U256(100));
    ASSERT_EQ(result.left_out.size(), 1u);
    EXPECT_EQ(result.left_out[0].request, (RequestId{{2}}));
    EXPECT_EQ(result.left_out[0].why.code, ErrorCode::not_ready);
    accounts = {{spend(50), 60}};
    EXPECT_EQ(left_out(charge(1, 60)), ErrorCode::not_ready);
}

TEST_F(settlement_plan, never_claims_more_than_was_charged) {
    contract.open_voucher(1000);
    accounts = {{spend(300), 100}};
    const PlanResult result = plan({charge(1, 60), charge(2, 60), charge(3, 40)});
    ASSERT_TRUE(result.plan);
    EXPECT_EQ(result.plan->batch.total, chain::U256(100));
    EXPECT_EQ(result.plan->batch.spends[0].amount, chain::U256(100));
    contract.apply(
        chain::tee_tee::SpentEvent{.voucher = chain::test_voucher, .entry = entry, .paid = 70});
    EXPECT_EQ(left_out(charge(1, 60)), ErrorCode::not_ready);
    EXPECT_TRUE(plan({charge(1, 30)}).plan);
}

TEST_F(settlement_plan, what_moves_on_the_chain_is_not_claimed_from) {
    contract.open_voucher(1000);
    contract.apply(chain::query_paid(1, 120));
    Charge query = charge(2, 100, {});
    query.query = 1;
    contract.settle();
    contract.apply(
        chain::tee_tee::SpentEvent{.voucher = chain::test_voucher, .entry = entry, .paid = 30});
    contract.apply(chain::tee_tee::QueryServedEvent{.query = 1, .paid = 100, .returned = 20});
    EXPECT_EQ(left_out(charge(1, 30)), ErrorCode::not_ready);
    EXPECT_EQ(left_out(query), ErrorCode::not_ready);
    contract.settle();
    EXPECT_TRUE(plan({charge(1, 30)}).plan);
    EXPECT_EQ(left_out(query), ErrorCode::settlement_rejected);
}

TEST_F(settlement_plan, waits_for_nodes_and_gives_up_what_is_over) {
    EXPECT_EQ(left_out(charge(1, 30)), ErrorCode::not_ready);
    contract.open_voucher(1000);
    Charge other = charge(1, 30);
    other.nodes[1] = {0x4e, 3};
    EXPECT_EQ(left_out(other), ErrorCode::not_ready);
    other.nodes = {tail, entry};
    EXPECT_EQ(left_out(other), ErrorCode::not_ready);
    other.nodes = {entry};
    EXPECT_EQ(left_out(other), ErrorCode::settlement_rejected);
    without = {tail};
    EXPECT_EQ(left_out(charge(1, 30)), ErrorCode::not_ready);
    without = {};
    // 10 x 2 + 20 x 5 is the most for these tokens.
    EXPECT_EQ(left_out(charge(1, 121)), ErrorCode::settlement_rejected);
    now += 3600 + chain::settle_grace_s - 1;
    EXPECT_TRUE(plan({charge(1, 30)}).plan);
    now += 2;
    // No later block mends that.
    EXPECT_EQ(left_out(charge(1, 30)), ErrorCode::settlement_rejected);
}

TEST_F(settlement_plan, settles_queries) {
    contract.apply(chain::query_paid(1, 120));
    Charge served = charge(1, 100, {});
    served.query = 1;
    const PlanResult result = plan({served});
    ASSERT_TRUE(result.plan);
    ASSERT_EQ(result.plan->batch.queries.size(), 1u);
    EXPECT_EQ(result.plan->batch.queries[0].amount, chain::U256(100));
    served.query = 2;
    EXPECT_EQ(left_out(served), ErrorCode::not_ready);
    served.query = 1;
    now += 600 + chain::query_grace_s;
    EXPECT_EQ(left_out(served), ErrorCode::settlement_rejected);
}

TEST_F(settlement_plan, keeps_the_contract_s_limits) {
    std::vector<Charge> charges;
    accounts.clear();
    for (size_t i = 0; i < settlement_claims_max + 10; ++i) {
        const Digest id = {0x01, static_cast<uint8_t>(i), static_cast<uint8_t>(i >> 8)};
        contract.open_voucher(100, id);
        accounts.push_back({spend(100, id), 30});
        Charge one = charge(1, 30, id);
        one.request.bytes = {static_cast<uint8_t>(i), static_cast<uint8_t>(i >> 8)};
        charges.push_back(one);
    }
    const PlanResult result = plan(charges);
    ASSERT_TRUE(result.plan);
    EXPECT_EQ(result.plan->batch.spends.size(), settlement_claims_max);
    ASSERT_EQ(result.left_out.size(), 10u);
    EXPECT_EQ(result.left_out[0].why.code, ErrorCode::limit_exceeded);
}

}  // namespace
}  // namespace teetee::billing
