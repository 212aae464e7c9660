// SPDX-License-Identifier: Apache-2.0
// That the contract says the same is tested where there is one (node/chain_client_test.cpp).
#include "chain/typed_data.hpp"

#include <set>

#include <gtest/gtest.h>

namespace teetee::chain {
namespace {

const Deployment deployment = {84532, {0xc0}};

tee_tee::Voucher voucher() {
    return {.payer = {1}, .pool = 2, .session_key = {3}, .ceiling = 4, .expiry = 5, .salt = {6}};
}

TEST(typed_data, each_field_counts) {
    std::set<Digest> seen;
    const auto add = [&](const Digest& digest) { EXPECT_TRUE(seen.insert(digest).second); };
    add(voucher_digest(deployment, voucher()));
    add(voucher_digest({84533, deployment.contract}, voucher()));
    add(voucher_digest({84532, {0xc1}}, voucher()));
    const auto changed = [&](auto change) {
        tee_tee::Voucher other = voucher();
        change(other);
        add(voucher_digest(deployment, other));
    };
    changed([](auto& v) { v.payer = {2}; });
    changed([](auto& v) { v.pool = 3; });
    changed([](auto& v) { v.session_key = {4}; });
    changed([](auto& v) { v.ceiling = U256::power_of_two(127); });
    changed([](auto& v) { v.expiry = 6; });
    changed([](auto& v) { v.salt = {7}; });
    add(spend_digest(deployment, {{1}, {2}, 3}));
    add(spend_digest(deployment, {{1}, {3}, 3}));
    add(spend_digest(deployment, {{1}, {2}, 4}));
    add(registration_digest(deployment, {{1}, 2, 3, {4}, "https://a.example"}));
    add(registration_digest(deployment, {{1}, 2, 3, {4}, "https://b.example"}));
    add(registration_digest(deployment, {{1}, 2, 4, {4}, "https://a.example"}));
}

TEST(typed_data, signatures_are_no_part_of_a_settlement) {
    tee_tee::Batch batch = {.pool = 1,
                            .entry_node = 2,
                            .prompt_tokens = 3,
                            .completion_tokens = 4,
                            .total = 5,
                            .receipts_root = {6},
                            .spends = {{.voucher = {7}, .amount = 8, .signed_ = 9}},
                            .queries = {{.query = 10, .amount = 11}},
                            .work = {{.node = 2, .tokens = 7}}};
    const Digest digest = settlement_digest(deployment, batch);
    batch.spends[0].r = {1};
    batch.spends[0].signed_ = 100;
    batch.work[0].vs = {1};
    EXPECT_EQ(settlement_digest(deployment, batch), digest);
    batch.work[0].tokens = 8;
    EXPECT_NE(settlement_digest(deployment, batch), digest);
}

TEST(typed_data, compact_signatures_say_the_same) {
    std::set<uint8_t> parities;
    for (uint8_t i = 1; i < 20; ++i) {
        const auto key = crypto::SecpKey::from_bytes(Bytes(32, i)).value();
        const auto signature = key.sign_recoverable({i});
        parities.insert(signature[64]);
        EXPECT_EQ(from_compact(to_compact(signature)), signature);
    }
    EXPECT_EQ(parities.size(), 2u);
}

// The digest that wallets sign, of ethers' documentation of hashMessage("Hello World").
TEST(personal_digest, is_that_of_wallets) {
    EXPECT_EQ(to_hex(personal_digest("Hello World")),
              "a1de988600a42c4b4ab089b619297c17d53cffae5d5120d82d8a92d0bb3b78f2");
}

}  // namespace
}  // namespace teetee::chain
