// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "chain/u256.hpp"

namespace teetee::cli {

/// Exact and without trailing zeros: "0.00001 ETH".
std::string eth_text(const chain::U256& wei);

/// "12 credits (0.000012 ETH)"; what they are worth is left out where it fits no number.
std::string credits_text(const chain::U256& credits, const chain::U256& wei_per_credit);

/// A whole number above 0 that the contract can hold (uint128). Error: invalid_argument.
Result<chain::U256> parse_credits(std::string_view text);

/// "0.01", "3": ETH with up to 18 digits behind the point, as wei. Error: invalid_argument.
Result<chain::U256> parse_eth(std::string_view text);

/// "2026-03-01 12:00:00 UTC" of Unix seconds.
std::string time_text(uint64_t unix_seconds);

}  // namespace teetee::cli
