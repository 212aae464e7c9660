// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "chain/rpc_results.hpp"

namespace teetee::chain {

/// What a transaction offers (EIP-1559), in wei per gas.
struct Fees {
    U256 max_fee{};
    /// Of it, for the block's builder.
    U256 max_tip{};
    bool operator==(const Fees&) const = default;
};

struct FeeOptions {
    /// No transaction offers more.
    U256 ceiling = 500'000'000'000;
    U256 tip_min = 1'000'000;
    U256 tip_max = 5'000'000'000;
    /// What eth_feeHistory is asked for.
    uint64_t history_blocks = 10;
    unsigned percentile = 50;
};

/// What the next block takes: its base fee, and the median of what builders got.
/// Error: rpc_malformed.
Result<U256> price_of_gas(const FeeHistory& history, const FeeOptions& options);

/// Twice the next block's base fee, which then may double (six blocks that are full), and the
/// median of what builders got; less where the ceiling is in between.
/// Errors: fee_too_high when the ceiling is below what the next block takes; rpc_malformed.
Result<Fees> suggest_fees(const FeeHistory& history, const FeeOptions& options);

/// For a transaction that takes the place of one that offers `before`: nodes want a tenth more of
/// both; here an eighth, or what is suggested now. Error: fee_too_high.
Result<Fees> raise_fees(const Fees& before, const Fees& suggested, const FeeOptions& options);

}  // namespace teetee::chain
