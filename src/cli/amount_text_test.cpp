// SPDX-License-Identifier: Apache-2.0
#include "cli/amount_text.hpp"

#include <gtest/gtest.h>

namespace teetee::cli {
namespace {

using chain::U256;

TEST(amount_text, shows_eth_to_the_wei) {
    EXPECT_EQ(eth_text(0), "0 ETH");
    EXPECT_EQ(eth_text(1), "0.000000000000000001 ETH");
    EXPECT_EQ(eth_text(10'000'000), "0.00000000001 ETH");
    EXPECT_EQ(eth_text(1'500'000'000'000'000'000), "1.5 ETH");
    EXPECT_EQ(eth_text(U256(1'000'000'000'000'000'000).times(120).value()), "120 ETH");
}

TEST(amount_text, shows_what_credits_are_worth) {
    EXPECT_EQ(credits_text(1, 1'000'000'000'000), "1 credit (0.000001 ETH)");
    EXPECT_EQ(credits_text(12, 1'000'000'000'000), "12 credits (0.000012 ETH)");
    EXPECT_EQ(credits_text(U256::max(), 2), U256::max().to_decimal() + " credits");
}

TEST(amount_text, reads_eth_as_it_shows_it) {
    for (const char* text : {"0", "1", "0.5", "120", "0.000000000000000001", "7.25"})
        EXPECT_EQ(eth_text(parse_eth(text).value()), std::string(text) + " ETH");
    for (const char* text : {"", ".", "1.", ".5", "-1", "+1", "1e3", "0x1", "1,5", "00.1", "1.2.3",
                             "0.0000000000000000001", " 1", "1 "}) {
        EXPECT_EQ(parse_eth(text).error().code, ErrorCode::invalid_argument) << text;
    }
}

TEST(amount_text, reads_whole_credits) {
    EXPECT_EQ(parse_credits("10").value(), U256(10));
    for (const char* text :
         {"", "0", "-1", "1.5", "0x10", "01", "ten", "340282366920938463463374607431768211456"}) {
        EXPECT_EQ(parse_credits(text).error().code, ErrorCode::invalid_argument) << text;
    }
}

TEST(amount_text, shows_times) {
    EXPECT_EQ(time_text(0), "1970-01-01 00:00:00 UTC");
    EXPECT_EQ(time_text(1'772'366'400), "2026-03-01 12:00:00 UTC");
}

}  // namespace
}  // namespace teetee::cli
