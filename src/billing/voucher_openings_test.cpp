// SPDX-License-Identifier: Apache-2.0
#include "billing/voucher_openings.hpp"

#include <set>

#include "billing/test_world.hpp"

namespace teetee::billing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class voucher_openings : public testing::Test {
  protected:
    voucher_openings() { contract.apply(chain::credits_bought(100'000, payer.address())); }

    SignedVoucher ask(uint8_t salt = 1, uint64_t ceiling = 10'000) const {
        SignedVoucher out;
        out.voucher = {.payer = payer.address(),
                       .pool = 1,
                       .session_key = test::session_key().address(),
                       .ceiling = ceiling,
                       .expiry = time + 3600,
                       .salt = {salt}};
        return sign(out);
    }
    SignedVoucher sign(SignedVoucher out) const {
        const auto signature =
            payer.sign_recoverable(chain::voucher_digest(test::deployment, out.voucher));
        out.signature.assign(signature.begin(), signature.end());
        return out;
    }
    Result<void> begin(const SignedVoucher& asked) {
        return openings->begin(now, time, asked, contract.view(), wallet);
    }
    ErrorCode refusal(const SignedVoucher& asked) {
        const auto begun = begin(asked);
        if (begun) openings->drop(openings->id_of(asked));
        return begun ? ErrorCode{} : begun.error().code;
    }
    std::optional<VoucherState> state(const SignedVoucher& asked) {
        return openings->state_of(asked, contract.view(), time).value();
    }
    /// As far as the transaction.
    chain::SendIntent send(const SignedVoucher& asked) {
        EXPECT_TRUE(begin(asked));
        auto intent = openings->send(now, openings->id_of(asked), is_used);
        EXPECT_TRUE(intent);
        used.insert(intent->key);
        return intent.value();
    }
    /// What opens a voucher, a reserve and so many other openings, at 10 wei for a gas.
    static uint64_t gas_cost(uint64_t reserve, uint64_t others = 0) {
        return 2 * 10 * (voucher_gas_max * (others + 1) + reserve);
    }
    /// In the next block, which is not seen yet.
    chain::Inclusion next_block() const { return {.block_number = contract.block + 1}; }
    void end(const chain::SendIntent& intent, Result<chain::Inclusion> result) {
        openings->on_outcome(now, {.key = intent.key, .result = std::move(result)});
    }
    /// The contract's event of it.
    void open(const SignedVoucher& asked) {
        contract.apply(chain::tee_tee::VoucherOpenedEvent{.voucher = openings->id_of(asked),
                                                          .payer = asked.voucher.payer,
                                                          .pool = asked.voucher.pool,
                                                          .session_key = asked.voucher.session_key,
                                                          .ceiling = asked.voucher.ceiling,
                                                          .expiry = asked.voucher.expiry});
    }

    const crypto::SecpKey payer = crypto::SecpKey::from_bytes(Bytes(32, 9)).value();
    test::Contract contract;
    VoucherOpeningOptions options = {.deployment = test::deployment, .pool = 1, .ceiling_min = 100};
    std::optional<VoucherOpenings> openings{options};
    VoucherOpenings::Wallet wallet = {.gas = GasTerms{.gas_price = 1, .wei_per_credit = 1000},
                                      .balance = chain::U256::power_of_two(60)};
    /// What the sender has had.
    std::set<std::string, std::less<>> used;
    const std::function<bool(std::string_view)> is_used = [this](std::string_view key) {
        return used.contains(key);
    };
    Instant now{};
    uint64_t time = chain::test_start;
};

TEST_F(voucher_openings, one_is_opened_by_one_transaction) {
    const SignedVoucher asked = ask();
    EXPECT_EQ(state(asked), std::nullopt);
    ASSERT_TRUE(begin(asked));
    // Whoever asks meanwhile is told how far it is.
    EXPECT_EQ(state(asked), VoucherState::opening);
    const auto intent = openings->send(now, openings->id_of(asked), is_used).value();
    EXPECT_EQ(intent.to, test::deployment.contract);
    const auto call = chain::tee_tee::OpenVoucherCall::decode(intent.data).value();
    EXPECT_EQ(call.voucher, asked.voucher);
    EXPECT_EQ(call.signature_, asked.signature);
    end(intent, next_block());
    EXPECT_EQ(state(asked), VoucherState::opening);
    EXPECT_EQ(openings->under_way(), 0u);
    contract.settle();
    open(asked);
    // Seen, and not settled.
    EXPECT_EQ(state(asked), VoucherState::opening);
    contract.settle();
    EXPECT_EQ(state(asked), VoucherState::open);
    EXPECT_EQ(openings->counts().opened, 1u);
    // A process that knows nothing of it says the same.
    openings.emplace(options);
    EXPECT_EQ(state(asked), VoucherState::open);
    time = asked.voucher.expiry;
    EXPECT_EQ(openings->state_of(asked, contract.view(), time).error().code,
              ErrorCode::voucher_ended);
}

TEST_F(voucher_openings, one_that_failed_is_another_intent_the_next_time) {
    const SignedVoucher asked = ask();
    const auto first = send(asked);
    end({.key = "somebody else's"}, fail(ErrorCode::transaction_failed, ""));
    EXPECT_EQ(state(asked), VoucherState::opening);
    end(first, fail(ErrorCode::transaction_failed, ""));
    EXPECT_EQ(state(asked), std::nullopt);
    const auto second = send(asked);
    EXPECT_NE(first.key, second.key);
    // An outcome that is told again is of the first one.
    end(first, fail(ErrorCode::transaction_failed, ""));
    EXPECT_EQ(state(asked), VoucherState::opening);
    EXPECT_EQ(openings->counts().failed,
              (std::map<ErrorCode, uint64_t>{{ErrorCode::transaction_failed, 2}}));
    // After a restart too: the sender knows what it has had.
    openings.emplace(options);
    const auto third = send(asked);
    EXPECT_TRUE(third.key != first.key && third.key != second.key) << third.key;
    EXPECT_TRUE(third.key.starts_with(VoucherOpenings::key_beginning(openings->id_of(asked))));
}

TEST_F(voucher_openings, one_whose_block_was_taken_away_is_not_on_its_way) {
    const SignedVoucher asked = ask();
    const auto first = send(asked);
    end(first, next_block());
    EXPECT_EQ(state(asked), VoucherState::opening);
    // The block, or another one in its place, is seen: without the voucher.
    contract.apply(chain::credits_bought(1));
    EXPECT_EQ(state(asked), std::nullopt);
    EXPECT_NE(send(asked).key, first.key);
    EXPECT_EQ(state(asked), VoucherState::opening);
}

TEST_F(voucher_openings, one_that_somebody_else_opens_is_being_opened) {
    const SignedVoucher asked = ask();
    contract.settle();
    open(asked);
    EXPECT_EQ(state(asked), VoucherState::opening);
    contract.settle();
    EXPECT_EQ(state(asked), VoucherState::open);
}

TEST_F(voucher_openings, what_would_waste_gas_is_refused) {
    options.per_hour_of_payer_max = 100;
    openings.emplace(options);
    const auto changed = [&](auto change) {
        SignedVoucher asked = ask();
        change(asked.voucher);
        return refusal(sign(asked));
    };
    EXPECT_EQ(refusal(ask()), ErrorCode{});
    EXPECT_EQ(changed([](auto& v) { v.session_key = {}; }), ErrorCode::field_invalid);
    EXPECT_EQ(changed([](auto& v) { v.ceiling = 99; }), ErrorCode::field_invalid);
    EXPECT_EQ(changed([](auto& v) { v.ceiling = chain::U256::power_of_two(64); }),
              ErrorCode::field_invalid);
    EXPECT_EQ(changed([](auto& v) { v.ceiling = 100'001; }), ErrorCode::payment_required);
    EXPECT_EQ(changed([](auto& v) { v.ceiling = 100'000; }), ErrorCode{});
    EXPECT_EQ(changed([&](auto& v) { v.expiry = time + voucher_life_s_min - 1; }),
              ErrorCode::field_invalid);
    EXPECT_EQ(changed([&](auto& v) { v.expiry = time + voucher_life_s_min; }), ErrorCode{});
    EXPECT_EQ(changed([&](auto& v) { v.expiry = time + voucher_life_s_max; }), ErrorCode{});
    EXPECT_EQ(changed([&](auto& v) { v.expiry = time + voucher_life_s_max + 1; }),
              ErrorCode::field_invalid);
    SignedVoucher elsewhere = ask();
    elsewhere.voucher.pool = 2;
    EXPECT_EQ(openings->state_of(elsewhere, contract.view(), time).error().code,
              ErrorCode::field_invalid);
    contract.apply(chain::tee_tee::PoolClosedEvent{.pool = 1});
    EXPECT_EQ(refusal(ask()), ErrorCode::field_invalid);
}

TEST_F(voucher_openings, credits_count_when_they_are_settled) {
    contract.settle();
    contract.apply(chain::credits_bought(100'000, payer.address()));
    EXPECT_EQ(refusal(ask(1, 150'000)), ErrorCode::payment_required);
    contract.settle();
    EXPECT_EQ(refusal(ask(1, 150'000)), ErrorCode{});
    // And no longer as soon as they are seen to be gone.
    open(ask(2, 120'000));
    EXPECT_EQ(refusal(ask(1, 150'000)), ErrorCode::payment_required);
}

TEST_F(voucher_openings, the_ceiling_must_be_worth_the_gas) {
    options.ceiling_min = 0;
    openings.emplace(options);
    wallet.gas = std::nullopt;
    EXPECT_EQ(refusal(ask()), ErrorCode::rpc_unavailable);
    EXPECT_EQ(openings->ceiling_min(wallet.gas), std::nullopt);
    // 100,000 gas at 3 wei are a twentieth of 6,000,000 wei.
    wallet.gas = GasTerms{.gas_price = 3, .wei_per_credit = 1000};
    EXPECT_EQ(openings->ceiling_min(wallet.gas), 6001u);
    EXPECT_EQ(refusal(ask(1, 6000)), ErrorCode::field_invalid);
    EXPECT_EQ(refusal(ask(1, 6001)), ErrorCode{});
    wallet.gas->wei_per_credit = 0;
    EXPECT_EQ(refusal(ask()), ErrorCode::rpc_unavailable);
    wallet.gas->gas_price = chain::U256::max();
    EXPECT_EQ(refusal(ask()), ErrorCode::rpc_unavailable);
}

TEST_F(voucher_openings, gas_for_settlements_is_left_in_the_wallet) {
    wallet.gas = GasTerms{.gas_price = 10, .wei_per_credit = 1'000'000};
    // 80,000 and eight times 25,000 and 22,000.
    for (const uint32_t settlements : {0u, 1u, 10u}) {
        options.settlements_reserved = settlements;
        openings.emplace(options);
        const uint64_t needed = gas_cost(settlements * uint64_t{456'000});
        wallet.balance = chain::U256(needed - 1);
        EXPECT_EQ(refusal(ask()), ErrorCode::fee_too_high) << settlements;
        wallet.balance = chain::U256(needed);
        EXPECT_EQ(refusal(ask()), ErrorCode{}) << settlements;
    }
    wallet.gas->gas_price = chain::U256::max();
    EXPECT_EQ(refusal(ask()), ErrorCode::fee_too_high);
}

TEST_F(voucher_openings, what_a_wallet_may_not_have_paid_yet_is_not_spent_twice) {
    wallet.gas = GasTerms{.gas_price = 10, .wei_per_credit = 1'000'000};
    wallet.balance = chain::U256(gas_cost(10 * uint64_t{456'000}));
    now += seconds(10);
    wallet.balance_at = now;
    now += seconds(1);
    end(send(ask(1)), next_block());
    EXPECT_EQ(refusal(ask(2)), ErrorCode::fee_too_high);
    wallet.balance = chain::U256(gas_cost(10 * uint64_t{456'000}, 1));
    EXPECT_EQ(refusal(ask(2)), ErrorCode{});
    // A balance that was looked up since has that out of it.
    wallet.balance = chain::U256(gas_cost(10 * uint64_t{456'000}));
    EXPECT_EQ(refusal(ask(2)), ErrorCode::fee_too_high);
    wallet.balance_at = now + seconds(1);
    EXPECT_EQ(refusal(ask(2)), ErrorCode{});
}

TEST_F(voucher_openings, a_wallet_that_is_not_known_opens_none) {
    const auto known = wallet;
    wallet.balance = std::nullopt;
    EXPECT_EQ(refusal(ask()), ErrorCode::rpc_unavailable);
    wallet = known;
    wallet.gas = std::nullopt;
    EXPECT_EQ(refusal(ask()), ErrorCode::rpc_unavailable);
}

TEST_F(voucher_openings, a_payer_has_one_opened_at_a_time) {
    const auto first = send(ask(1));
    EXPECT_EQ(refusal(ask(2)), ErrorCode::overloaded);
    end(first, chain::Inclusion{});
    EXPECT_EQ(refusal(ask(2)), ErrorCode{});
}

TEST_F(voucher_openings, so_many_are_opened_in_an_hour) {
    const auto opened = [&](uint8_t salt) {
        const SignedVoucher asked = ask(salt);
        const auto begun = begin(asked);
        if (!begun) {
            EXPECT_EQ(begun.error().code, ErrorCode::overloaded);
            now += seconds(1);
            return false;
        }
        const auto intent = openings->send(now, openings->id_of(asked), is_used);
        if (intent) end(*intent, next_block());
        EXPECT_TRUE(intent || intent.error().code == ErrorCode::overloaded);
        // One that is refused is as if it had not been asked for.
        EXPECT_EQ(state(asked).has_value(), intent.has_value());
        now += seconds(1);
        return intent.has_value();
    };
    // A payer's six: three at once, then one in twenty minutes.
    for (uint8_t salt = 1; salt <= 3; ++salt) EXPECT_TRUE(opened(salt));
    EXPECT_FALSE(opened(4));
    now += minutes(21);
    EXPECT_TRUE(opened(4));
    EXPECT_FALSE(opened(5));
    options.per_hour_max = 2;
    options.per_hour_of_payer_max = 100;
    openings.emplace(options);
    EXPECT_TRUE(opened(6));
    EXPECT_FALSE(opened(7));
}

TEST_F(voucher_openings, only_the_payers_own_key_counts) {
    SignedVoucher asked = ask();
    asked.signature.back() ^= 1;
    EXPECT_EQ(refusal(asked), ErrorCode::signature_invalid);
    asked.signature.assign(200, 7);
    EXPECT_EQ(refusal(asked), ErrorCode::signature_invalid);
    EXPECT_EQ(refusal(ask()), ErrorCode{});
}

TEST_F(voucher_openings, a_payer_beyond_its_own_limit_takes_nothing_from_others) {
    options.simulations = {.burst = 4, .interval = minutes(1)};
    openings.emplace(options);
    for (uint8_t salt = 1; salt <= 3; ++salt) EXPECT_EQ(refusal(ask(salt)), ErrorCode{});
    for (uint8_t salt = 4; salt <= 9; ++salt) EXPECT_EQ(refusal(ask(salt)), ErrorCode::overloaded);
    const crypto::SecpKey other = crypto::SecpKey::from_bytes(Bytes(32, 10)).value();
    contract.apply(chain::credits_bought(100'000, other.address()));
    SignedVoucher asked = ask();
    asked.voucher.payer = other.address();
    const auto signature =
        other.sign_recoverable(chain::voucher_digest(test::deployment, asked.voucher));
    asked.signature.assign(signature.begin(), signature.end());
    EXPECT_EQ(refusal(asked), ErrorCode{});
}

TEST_F(voucher_openings, a_transaction_has_an_upper_bound_of_gas) {
    EXPECT_EQ(send(ask()).gas_limit, voucher_gas_max);
}

TEST_F(voucher_openings, only_so_many_are_under_way) {
    options.under_way_max = 1;
    openings.emplace(options);
    send(ask());
    const crypto::SecpKey other = crypto::SecpKey::from_bytes(Bytes(32, 10)).value();
    contract.apply(chain::credits_bought(100'000, other.address()));
    SignedVoucher asked = ask();
    asked.voucher.payer = other.address();
    EXPECT_EQ(refusal(asked), ErrorCode::overloaded);
    EXPECT_EQ(openings->send(now, {7}, is_used).error().code, ErrorCode::voucher_unknown);
}

}  // namespace
}  // namespace teetee::billing
