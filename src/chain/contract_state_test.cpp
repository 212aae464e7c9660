// SPDX-License-Identifier: Apache-2.0
#include "chain/contract_state.hpp"

#include <fstream>
#include <regex>

#include <gtest/gtest.h>

#include "chain/money_view.hpp"
#include "chain/test_events.hpp"

namespace teetee::chain {
namespace {

using namespace tee_tee;
// Not the binding of the same name.
using chain::Prices;

class contract_state : public testing::Test {
  protected:
    template <class... Events>
    void apply(const Events&... events) {
        const auto one = [&](const ContractEvent& event) {
            const auto applied = state.apply(event, ++block);
            ASSERT_TRUE(applied) << applied.error().message();
        };
        (one(events), ...);
    }

    ErrorCode refusal(const ContractEvent& event) const {
        ContractState copy = state;
        const auto applied = copy.apply(event, block + 1);
        return applied ? ErrorCode{} : applied.error().code;
    }

    void open_pool() {
        apply(pool_created(), prices_announced({2, 5}, test_start),
              PolicyAnnouncedEvent{
                  .pool = 1, .policy_hash = {1}, .policy_uri = "a", .from = test_start},
              measurement_accepted());
    }

    ContractState state;
    uint64_t block = 0;
};

constexpr ErrorCode inconsistent = ErrorCode::events_inconsistent;

TEST_F(contract_state, delays_are_those_of_the_contract) {
    std::ifstream file(std::string(TEETEE_SOURCE_DIR) + "/contracts/src/Limits.sol");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const auto seconds_of = [&](const std::string& name) -> uint64_t {
        std::smatch match;
        const std::regex line(" " + name + " = (\\d+) (hours|days);");
        EXPECT_TRUE(std::regex_search(text, match, line)) << name;
        return std::stoull(match[1]) * (match[2] == "hours" ? 3600 : 24 * 3600);
    };
    EXPECT_EQ(seconds_of("PRICE_DELAY"), price_delay_s);
    EXPECT_EQ(seconds_of("PRICE_GRACE"), price_grace_s);
    EXPECT_EQ(seconds_of("POLICY_DELAY"), policy_delay_s);
    EXPECT_EQ(seconds_of("SETTLE_GRACE"), settle_grace_s);
    EXPECT_EQ(seconds_of("QUERY_GRACE"), query_grace_s);
}

TEST_F(contract_state, pools_have_what_they_were_created_with) {
    open_pool();
    const PoolRecord& pool = *state.pool(1);
    EXPECT_EQ(pool.creator, test_creator);
    EXPECT_EQ(pool.slot_layers, (std::vector<uint64_t>{2, 3}));
    EXPECT_EQ(pool.fee_bps, 500u);
    EXPECT_EQ(pool.prices.at(0), (Prices{2, 5}));
    EXPECT_EQ(pool.policy.at(test_start).uri, "a");
    EXPECT_FALSE(pool.accepts(test_measurement, test_start - 1));
    EXPECT_TRUE(pool.accepts(test_measurement, test_start));
    EXPECT_EQ(state.pool(2), nullptr);
    EXPECT_EQ(refusal(pool_created(3)), inconsistent);
    EXPECT_EQ(refusal(measurement_accepted()), inconsistent);
    EXPECT_EQ(refusal(MeasurementRevokedEvent{.pool = 1, .measurement = {9}}), inconsistent);
}

TEST_F(contract_state, prices_come_into_force_when_they_were_announced_for) {
    open_pool();
    const uint64_t day = 24 * 3600;
    const uint64_t first = test_start + 2 * day;
    apply(prices_announced({1, 9}, first));
    const PoolRecord& pool = *state.pool(1);
    EXPECT_EQ(pool.prices.at(first - 1), (Prices{2, 5}));
    EXPECT_EQ(pool.prices.at(first), (Prices{1, 9}));
    EXPECT_EQ(pool.highest_prices(first), (Prices{2, 9}));
    EXPECT_EQ(pool.highest_prices(first + price_grace_s), (Prices{1, 9}));
    // Announced before the first came into force: takes its place.
    apply(prices_announced({3, 3}, first + 60));
    EXPECT_EQ(pool.prices.at(first + 59), (Prices{2, 5}));
    EXPECT_EQ(pool.prices.at(first + 60), (Prices{3, 3}));
    // Announced afterwards: comes behind it.
    apply(prices_announced({4, 4}, first + 60 + day + price_delay_s));
    EXPECT_EQ(pool.prices.at(first + 60 + day), (Prices{3, 3}));
    EXPECT_EQ(refusal(prices_announced({1, 1}, 5)), inconsistent);
}

TEST_F(contract_state, creators_change_when_the_next_one_takes_the_pool) {
    open_pool();
    apply(CreatorOfferedEvent{.pool = 1, .next_creator = {7}});
    EXPECT_EQ(state.pool(1)->creator, test_creator);
    EXPECT_EQ(state.pool(1)->next_creator, Address{7});
    apply(CreatorChangedEvent{.pool = 1, .creator = {7}}, PoolClosedEvent{.pool = 1});
    EXPECT_EQ(state.pool(1)->creator, Address{7});
    EXPECT_EQ(state.pool(1)->next_creator, Address{});
    EXPECT_TRUE(state.pool(1)->closed);
}

TEST_F(contract_state, nodes_are_live_until_they_leave_expire_or_are_revoked) {
    open_pool();
    apply(node_registered(1), node_registered(2, 1));
    EXPECT_TRUE(state.is_live(1, test_start));
    EXPECT_FALSE(state.is_live(1, test_start + 3600));
    EXPECT_FALSE(state.is_live(3, test_start));
    EXPECT_EQ(state.node_of_key({0x4e, 2})->slot, 1u);
    EXPECT_EQ(state.nodes_of_host(1, test_host), (std::vector<uint64_t>{1, 2}));
    apply(NodeRenewedEvent{.pool = 1,
                           .node = 1,
                           .statement_hash = {2},
                           .evidence_hash = {3},
                           .expiry = test_start + 7200,
                           .endpoint = "https://other.example:1"});
    EXPECT_TRUE(state.is_live(1, test_start + 3600));
    EXPECT_EQ(state.node(1)->endpoint, "https://other.example:1");
    apply(NodeLeftEvent{.pool = 1, .node = 1});
    EXPECT_FALSE(state.is_live(1, test_start));
    EXPECT_EQ(refusal(NodeRenewedEvent{.pool = 1, .node = 1}), inconsistent);
    apply(MeasurementRevokedEvent{.pool = 1, .measurement = test_measurement});
    EXPECT_FALSE(state.is_live(2, test_start));
    EXPECT_EQ(refusal(node_registered(5)), inconsistent);
    EXPECT_EQ(refusal(node_registered(3, 2)), inconsistent);
    auto taken = node_registered(3);
    taken.receipt_key = {0x4e, 1};
    EXPECT_EQ(refusal(taken), inconsistent);
}

TEST_F(contract_state, refunds_leave_the_balance_when_they_are_requested) {
    apply(credits_bought(100), RefundRequestedEvent{test_payer, 30, 77});
    EXPECT_EQ(state.account(test_payer).balance, U256(70));
    // The event tells the sum of both requests.
    apply(RefundRequestedEvent{test_payer, 50, 99});
    EXPECT_EQ(state.account(test_payer).balance, U256(50));
    EXPECT_EQ(state.account(test_payer).refund_ready_at, 99u);
    EXPECT_EQ(refusal(RefundRequestedEvent{test_payer, 101, 99}), inconsistent);
    EXPECT_EQ(refusal(RefundRequestedEvent{test_payer, 49, 99}), inconsistent);
    ContractState paid = state;
    ASSERT_TRUE(paid.apply(RefundPaidEvent{test_payer, test_payer, 50}, 9));
    EXPECT_EQ(paid.account(test_payer), (AccountRecord{.balance = 50}));
    apply(RefundCancelledEvent{test_payer, 50});
    EXPECT_EQ(state.account(test_payer), (AccountRecord{.balance = 100}));
}

TEST_F(contract_state, vouchers_count_what_is_claimed_by_each_entry) {
    open_pool();
    apply(credits_bought(100), voucher_opened(60));
    EXPECT_EQ(state.account(test_payer).balance, U256(40));
    EXPECT_EQ(refusal(voucher_opened(41, {9})), inconsistent);
    EXPECT_EQ(refusal(voucher_opened(1)), inconsistent);
    apply(SpentEvent{test_voucher, {1}, 40}, SpentEvent{test_voucher, {2}, 20},
          SpentInVainEvent{test_voucher, {2}, 5});
    const VoucherRecord& voucher = *state.voucher(test_voucher);
    EXPECT_TRUE(voucher.remaining.is_zero());
    EXPECT_EQ(voucher.claims.at({1}), (ClaimRecord{.claimed = 40, .paid = 40}));
    EXPECT_EQ(voucher.claims.at({2}), (ClaimRecord{.claimed = 25, .paid = 20}));
    EXPECT_EQ(refusal(SpentEvent{test_voucher, {1}, 1}), inconsistent);
    EXPECT_EQ(refusal(SpentEvent{{9}, {1}, 0}), inconsistent);
}

TEST_F(contract_state, vouchers_that_ended_return_the_rest) {
    apply(credits_bought(100), voucher_opened(60), VoucherEndedEvent{test_voucher, test_start},
          SpentEvent{test_voucher, {1}, 10}, VoucherReclaimedEvent{test_voucher, test_payer, 50});
    EXPECT_EQ(state.voucher(test_voucher)->expiry, test_start);
    EXPECT_TRUE(state.voucher(test_voucher)->reclaimed);
    EXPECT_EQ(state.account(test_payer).balance, U256(90));
}

TEST_F(contract_state, queries_are_there_until_served_or_reclaimed) {
    apply(query_paid(1, 30), query_paid(2, 30));
    EXPECT_EQ(refusal(query_paid(2, 30)), inconsistent);
    EXPECT_EQ(state.query(1)->locked, U256(30));
    apply(QueryServedEvent{1, test_payer, 20, 10}, QueryReclaimedEvent{2, test_payer, 30});
    EXPECT_EQ(state.query(1), nullptr);
    EXPECT_EQ(state.account(test_payer).balance, U256(40));
    EXPECT_EQ(refusal(QueryServedEvent{1, test_payer, 20, 10}), inconsistent);
}

TEST_F(contract_state, settlements_anchor_receipts_and_earn) {
    open_pool();
    apply(node_registered(1), SettlementAnnouncedEvent{{5}, {1}},
          AnchoredEvent{1, 1, {8}, 10, 20, 100}, FeeEarnedEvent{1, test_creator, 5},
          EarnedEvent{1, 1, test_host, 95});
    EXPECT_EQ(state.anchor(1, {8})->completion_tokens, 20u);
    EXPECT_EQ(state.anchor(2, {8}), nullptr);
    EXPECT_EQ(state.account(test_host).earnings, U256(95));
    EXPECT_EQ(refusal(AnchoredEvent{1, 1, {8}, 1, 1, 1}), inconsistent);
    EXPECT_EQ(refusal(EarnedEvent{1, 1, test_payer, 1}), inconsistent);
    apply(EarningsWithdrawnEvent{test_host, test_host, 95});
    EXPECT_TRUE(state.account(test_host).earnings.is_zero());
    EXPECT_EQ(refusal(EarningsWithdrawnEvent{test_creator, test_creator, 6}), inconsistent);
}

TEST_F(contract_state, events_of_unknown_pools_nodes_and_vouchers_are_refused) {
    EXPECT_EQ(refusal(prices_announced({1, 1}, 5000)), inconsistent);
    EXPECT_EQ(refusal(PolicyAnnouncedEvent{.pool = 1}), inconsistent);
    EXPECT_EQ(refusal(measurement_accepted()), inconsistent);
    EXPECT_EQ(refusal(CreatorOfferedEvent{.pool = 1}), inconsistent);
    EXPECT_EQ(refusal(CreatorChangedEvent{.pool = 1}), inconsistent);
    EXPECT_EQ(refusal(PoolClosedEvent{.pool = 1}), inconsistent);
    EXPECT_EQ(refusal(node_registered(1)), inconsistent);
    EXPECT_EQ(refusal(NodeLeftEvent{.pool = 1, .node = 1}), inconsistent);
    EXPECT_EQ(refusal(VoucherEndedEvent{}), inconsistent);
    EXPECT_EQ(refusal(VoucherReclaimedEvent{}), inconsistent);
    EXPECT_EQ(refusal(EarnedEvent{.node = 1}), inconsistent);
    const std::vector<Digest> unknown = {Digest{1}};
    EXPECT_EQ(decode_contract_event({.topics = unknown, .data = {}}).error().code, inconsistent);
    EXPECT_EQ(decode_contract_event({}).error().code, inconsistent);
}

TEST_F(contract_state, money_says_why_a_node_may_have_no_work) {
    open_pool();
    apply(node_registered(1), node_registered(2, 1), node_registered(3));
    const ContractState settled = state;
    const MoneyView money(settled, state);
    const auto why = [&](uint8_t node, LayerRange layers, uint64_t time = test_start) {
        const auto until = money.live_until(1, {0x4e, node}, layers, time);
        EXPECT_TRUE(until || until.error().code == ErrorCode::not_ready);
        if (!until) return until.error().detail.substr(47);
        EXPECT_EQ(*until, test_start + 3600);
        return std::string();
    };
    EXPECT_EQ(why(1, {0, 2}), "");
    EXPECT_EQ(why(2, {2, 5}), "");
    EXPECT_EQ(why(2, {0, 2}), " is registered in pool 1 for other layers");
    EXPECT_EQ(why(1, {0, 2}, test_start + 3600), " is registered in pool 1 no longer: it expired");
    EXPECT_EQ(why(9, {0, 2}), " is not registered in pool 1");
    EXPECT_EQ(money.live_until(2, {0x4e, 1}, {0, 2}, test_start).error().code,
              ErrorCode::not_ready);
    apply(node_registered(4), NodeLeftEvent{.node = 3});
    EXPECT_EQ(why(4, {0, 2}), " is registered in pool 1, which is not settled yet");
    EXPECT_EQ(why(3, {0, 2}), " has left pool 1");
    apply(MeasurementRevokedEvent{1, test_measurement});
    EXPECT_EQ(why(1, {0, 2}), " runs code that pool 1 does not accept");
}

// Good news counts when it is settled, bad news at once.
TEST_F(contract_state, money_counts_bad_news_at_once) {
    open_pool();
    apply(node_registered(1), credits_bought(100), voucher_opened(60), query_paid(1, 30));
    const ContractState settled = state;
    const MoneyView money(settled, state);
    EXPECT_TRUE(money.is_live(1, test_start));
    EXPECT_TRUE(money.is_host(1, test_host, test_start));
    EXPECT_FALSE(money.is_host(1, test_payer, test_start));
    EXPECT_NE(money.open_pool(1), nullptr);
    EXPECT_EQ(money.prices(1, test_start), (Prices{2, 5}));
    EXPECT_NE(money.query(1, test_start), nullptr);
    EXPECT_EQ(money.query(1, test_start + 600), nullptr);
    EXPECT_EQ(money.voucher(test_voucher, test_start)->remaining, U256(60));
    EXPECT_EQ(money.voucher(test_voucher, test_start + 3600), std::nullopt);

    // Not settled, so not there yet.
    apply(credits_bought(1000), node_registered(2), query_paid(2, 30), voucher_opened(10, {8}),
          AnchoredEvent{1, 1, {8}, 10, 20, 100});
    EXPECT_EQ(money.balance(test_payer), U256(40));
    EXPECT_FALSE(money.is_live(2, test_start));
    EXPECT_EQ(money.query(2, test_start), nullptr);
    EXPECT_EQ(money.voucher({8}, test_start), std::nullopt);
    EXPECT_EQ(money.anchor(1, {8}), nullptr);
    EXPECT_TRUE(money.earnings(test_host).is_zero());

    apply(voucher_opened(1025, {9}), SpentEvent{test_voucher, {1}, 25},
          QueryServedEvent{1, test_payer, 30, 0});
    EXPECT_EQ(money.balance(test_payer), U256(5));
    EXPECT_EQ(money.voucher(test_voucher, test_start)->remaining, U256(35));
    EXPECT_EQ(money.query(1, test_start), nullptr);
    apply(VoucherEndedEvent{test_voucher, test_start}, PoolClosedEvent{1},
          MeasurementRevokedEvent{1, test_measurement});
    EXPECT_EQ(money.voucher(test_voucher, test_start), std::nullopt);
    EXPECT_EQ(money.open_pool(1), nullptr);
    EXPECT_FALSE(money.is_live(1, test_start));
    EXPECT_FALSE(money.is_host(1, test_host, test_start));
}

}  // namespace
}  // namespace teetee::chain
