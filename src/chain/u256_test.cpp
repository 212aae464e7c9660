// SPDX-License-Identifier: Apache-2.0
#include "chain/u256.hpp"

#include <gtest/gtest.h>

#include "base/world.hpp"

namespace teetee::chain {
namespace {

constexpr const char* max_decimal =
    "115792089237316195423570985008687907853269984665640564039457584007913129639935";

U256 decimal(std::string_view text) {
    return U256::from_decimal(text).value();
}

U256 random_number(Rng& rng) {
    Word word;
    rng.fill(word);
    ByteArray<1> length;
    rng.fill(length);
    std::fill(word.begin(), word.begin() + length[0] % 32, uint8_t{0});
    return U256::from_word(word);
}

TEST(u256, reads_and_writes_decimal_numbers) {
    for (const char* text : {"0", "1", "10", "18446744073709551615", "18446744073709551616",
                             "340282366920938463463374607431768211456", max_decimal}) {
        EXPECT_EQ(decimal(text).to_decimal(), text);
    }
    EXPECT_EQ(decimal(max_decimal), U256::max());
}

TEST(u256, rejects_decimals_of_another_form_or_size) {
    for (const char* text : {"", "00", "01", "-1", "+1", "1 ", " 1", "0x1", "1.0", "1e3"}) {
        EXPECT_EQ(U256::from_decimal(text).error().code, ErrorCode::amount_malformed) << text;
    }
    EXPECT_EQ(
        U256::from_decimal("115792089237316195423570985008687907853269984665640564039457584007"
                           "913129639936")
            .error()
            .code,
        ErrorCode::amount_overflow);
    EXPECT_EQ(U256::from_decimal(std::string(1000, '9')).error().code, ErrorCode::amount_overflow);
}

TEST(u256, quantities_have_no_leading_zeros) {
    for (const char* text : {"0x0", "0x1", "0xff", "0x10000000000000000"}) {
        EXPECT_EQ(U256::from_quantity(text).value().to_quantity(), text);
    }
    EXPECT_EQ(U256::from_quantity("0xAb").value(), U256(0xab));
    EXPECT_EQ(U256::from_quantity("0x" + std::string(64, 'f')).value(), U256::max());
    for (const std::string& text :
         {std::string(), std::string("0x"), std::string("0x00"), std::string("0x01"),
          std::string("1"), std::string("0X1"), std::string("0xg"), std::string("0x 1"),
          std::string("-0x1"), "0x1" + std::string(64, '0')}) {
        EXPECT_EQ(U256::from_quantity(text).error().code, ErrorCode::amount_malformed) << text;
    }
}

TEST(u256, bytes_are_big_endian) {
    EXPECT_EQ(U256(0x0102).to_bytes(), (Bytes{1, 2}));
    EXPECT_EQ(U256().to_bytes(), Bytes{});
    EXPECT_EQ(U256::from_bytes(Bytes{0, 1, 2}).value(), U256(0x0102));
    EXPECT_EQ(U256::from_bytes({}).value(), U256());
    EXPECT_EQ(U256::from_bytes(Bytes(33)).error().code, ErrorCode::amount_overflow);
    EXPECT_EQ(U256(1).to_word()[31], 1);
}

TEST(u256, what_does_not_fit_is_an_error) {
    const auto code = [](const auto& result) { return result.error().code; };
    EXPECT_EQ(code(U256::max().plus(1)), ErrorCode::amount_overflow);
    EXPECT_EQ(code(U256(1).minus(2)), ErrorCode::amount_overflow);
    EXPECT_EQ(code(U256::power_of_two(255).times(2)), ErrorCode::amount_overflow);
    EXPECT_EQ(code(U256::power_of_two(128).times(U256::power_of_two(128))),
              ErrorCode::amount_overflow);
    EXPECT_EQ(code(U256::max().times(U256::max())), ErrorCode::amount_overflow);
    EXPECT_EQ(code(U256(1).divided_by(0)), ErrorCode::invalid_argument);
    EXPECT_EQ(U256::max().plus(0).value(), U256::max());
    EXPECT_EQ(U256::power_of_two(254).times(2).value(), U256::power_of_two(255));
    EXPECT_EQ(U256::max().to_u64(), std::nullopt);
    EXPECT_EQ(U256(UINT64_MAX).to_u64(), UINT64_MAX);
}

TEST(u256, arithmetic_obeys_its_laws) {
    SystemRng rng;
    for (int round = 0; round < 20000; ++round) {
        const U256 a = random_number(rng);
        const U256 b = random_number(rng);
        if (const auto sum = a.plus(b)) {
            EXPECT_EQ(sum->minus(b).value(), a);
            EXPECT_EQ(b.plus(a).value(), *sum);
            EXPECT_GE(*sum, a);
        } else {
            EXPECT_GT(b, U256::max().minus(a).value());
        }
        EXPECT_EQ(U256::from_quantity(a.to_quantity()).value(), a);
        EXPECT_EQ(decimal(a.to_decimal()), a);
        EXPECT_EQ(U256::from_bytes(a.to_bytes()).value(), a);
        EXPECT_EQ((a <=> b) == 0, a.to_word() == b.to_word());
        EXPECT_EQ(a < b, a.to_word() < b.to_word());
        if (b.is_zero()) continue;
        const auto parts = a.divided_by(b).value();
        EXPECT_LT(parts.remainder, b);
        EXPECT_EQ(parts.quotient.times(b).value().plus(parts.remainder).value(), a)
            << a.to_decimal() << " / " << b.to_decimal();
        const auto product = a.times(b);
        EXPECT_EQ(product.has_value(), a <= U256::max().divided_by(b)->quotient);
        if (product) {
            EXPECT_EQ(product->divided_by(b)->quotient, a);
        }
    }
}

TEST(u256, negative_numbers_are_written_as_the_evm_does) {
    EXPECT_EQ(U256(1).twos_complement(), U256::max());
    EXPECT_EQ(U256().twos_complement(), U256());
    EXPECT_EQ(U256(0xff).sign_extended(8), U256::max());
    EXPECT_EQ(U256(0x7f).sign_extended(8), U256(0x7f));
    EXPECT_EQ(U256::max().sign_extended(256), U256::max());
}

}  // namespace
}  // namespace teetee::chain
