// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "chain/json_rpc.hpp"
#include "cli/chain_option.hpp"

namespace teetee::cli {

/// What a command must know of a chain before it follows it.
struct ChainFacts {
    /// Money on it is worth nothing: anvil's chain id 31337, or Base Sepolia's where the gas price
    /// oracle is missing, which the real one has from its first block (as DevVerifier.sol sees it).
    bool is_dev = false;
    /// A rollup, which takes a fee for publishing transactions.
    bool has_gas_oracle = false;
    /// Of the first block: a dev chain that begins anew has another one.
    Digest genesis{};
    chain::U256 wei_per_credit{};
    bool operator==(const ChainFacts&) const = default;
};

/// The gas price oracle of rollups of the OP stack.
chain::Address gas_oracle();

/// One endpoint's answer, on the calling thread. Errors: address_invalid; rpc_unavailable; those of
/// the answer, reverts by name.
Result<boost::json::value> ask_endpoint(const std::string& url, const chain::RpcCall& call,
                                        Duration time_max = std::chrono::seconds(15));

/// Asks every endpoint that can be reached; they must say the same. Errors: address_invalid,
/// rpc_unavailable when none can be; rpc_disagreement; chain_mismatch for another chain, another
/// price of a credit than recorded, or no such contract; those of the answers.
Result<ChainFacts> probe_chain(const ChainTarget& target);

}  // namespace teetee::cli
