// SPDX-License-Identifier: Apache-2.0
#include "billing/settlement_worth.hpp"

#include "billing/test_world.hpp"

namespace teetee::billing {
namespace {

using namespace test;

Charge charge_of(Credits amount, uint8_t voucher, uint64_t query = 0) {
    return {.request = {{voucher}},
            .voucher = query == 0 ? Digest{voucher} : Digest{},
            .query = query,
            .amount = amount,
            .completion_tokens = amount,
            .nodes = {entry, tail},
            .charged_at = chain::test_start};
}

TEST(settlement_worth, gas_is_by_payers_and_nodes) {
    // Above what npm run gas says of a batch of 1 and of 50 returning payers over three nodes, by
    // a tenth at the most.
    for (const auto& [claims, measured] :
         {std::pair(size_t{1}, 175'349u), std::pair(size_t{50}, 1'172'201u)}) {
        EXPECT_GE(settlement_gas(claims, 3), measured);
        EXPECT_LE(settlement_gas(claims, 3), measured * 11 / 10);
    }
    const std::vector<Charge> charges = {charge_of(5, 1), charge_of(7, 1), charge_of(7, 2),
                                         charge_of(9, 0, 3)};
    EXPECT_EQ(settlement_gas(charges), settlement_gas(3, 2));
}

TEST(settlement_worth, gas_is_to_be_a_small_part) {
    // One payer, two nodes: 152,000 gas.
    const GasTerms terms = {.gas_price = 1'000'000, .wei_per_credit = 1'000'000'000};
    const auto is_worth = [&](Credits amount, uint64_t percent) {
        const std::vector<Charge> charges = {charge_of(amount, 1)};
        return is_worth_gas(charges, terms, percent);
    };
    EXPECT_FALSE(is_worth(3'039, 5));
    EXPECT_TRUE(is_worth(3'040, 5));
    EXPECT_FALSE(is_worth(151, 100));
    EXPECT_TRUE(is_worth(152, 100));
}

TEST(settlement_worth, what_cannot_be_counted_is_not_worth_it) {
    const std::vector<Charge> charges = {charge_of(UINT64_MAX, 1), charge_of(UINT64_MAX, 2)};
    const auto huge = chain::U256::from_bytes(Bytes(32, 0xff)).value();
    EXPECT_TRUE(is_worth_gas(charges, {1, 1}, 1));
    EXPECT_FALSE(is_worth_gas(charges, {huge, 1}, 1));
    EXPECT_FALSE(is_worth_gas(charges, {1, huge}, 1));
    EXPECT_FALSE(is_worth_gas(charges, {1, 0}, 100));
    EXPECT_FALSE(is_worth_gas(charges, {0, 0}, 100));
}

TEST(settlement_worth, tells_until_when_the_contract_takes_a_charge) {
    Contract contract;
    const uint64_t now = chain::test_start;
    const Charge of_voucher = charge_of(5, 0x70);
    EXPECT_EQ(settle_by({.voucher = chain::test_voucher}, contract.view(), now), UINT64_MAX);
    contract.open_voucher(1000);
    contract.apply(chain::credits_bought(100));
    contract.apply(chain::query_paid(1, 30));
    EXPECT_EQ(settle_by(charge_of(5, 0, 1), contract.view(), now),
              now + 600 + chain::query_grace_s);
    // Its nodes are registered for as long as the voucher.
    EXPECT_EQ(settle_by(of_voucher, contract.view(), now), now + 3600 + chain::settle_grace_s);
    contract.apply(chain::tee_tee::VoucherEndedEvent{chain::test_voucher, now + 60});
    EXPECT_EQ(settle_by(of_voucher, contract.view(), now), now + 60 + chain::settle_grace_s);
    const Charge dear = {.voucher = chain::test_voucher,
                         .amount = 120,
                         .prompt_tokens = 10,
                         .completion_tokens = 20,
                         .nodes = of_voucher.nodes};
    contract.apply(chain::prices_announced({2, 4}, now + 3700));
    EXPECT_EQ(settle_by(dear, contract.view(), now), now + 3700 + chain::price_grace_s);
    contract.apply(chain::tee_tee::MeasurementRevokedEvent{1, chain::test_measurement});
    EXPECT_EQ(settle_by(of_voucher, contract.view(), now), 0u);
}

}  // namespace
}  // namespace teetee::billing
