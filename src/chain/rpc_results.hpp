// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include <boost/json.hpp>

#include "chain/abi_contract.hpp"
#include "chain/address.hpp"

namespace teetee::chain {

// What results of calls hold (Ethereum execution APIs), as far as it is used here. Members that are
// not listed are passed over. Error of each parser: rpc_malformed naming the member.

struct BlockHeader {
    uint64_t number = 0;
    Digest hash{};
    Digest parent_hash{};
    /// Seconds since 1970.
    uint64_t timestamp = 0;
    /// Wei per gas; nullopt on a chain without EIP-1559.
    std::optional<U256> base_fee_per_gas{};
    bool operator==(const BlockHeader&) const = default;
};

struct Log {
    Address contract{};
    std::vector<Digest> topics{};
    Bytes data{};
    uint64_t block_number = 0;
    Digest block_hash{};
    Digest transaction_hash{};
    /// In its block.
    uint64_t index = 0;
    /// By a reorganisation.
    bool removed = false;

    EventData event() const { return {.topics = topics, .data = data}; }
    bool operator==(const Log&) const = default;
};

struct Receipt {
    Digest transaction_hash{};
    uint64_t block_number = 0;
    Digest block_hash{};
    /// False when it was reverted; its gas is paid all the same.
    bool succeeded = false;
    uint64_t gas_used = 0;
    U256 effective_gas_price{};
    /// What a rollup takes for the data that it stores on its base chain.
    U256 data_fee{};
    std::optional<Address> created_contract{};
    std::vector<Log> logs{};
    bool operator==(const Receipt&) const = default;
};

struct FeeHistory {
    uint64_t oldest_block = 0;
    /// Wei per gas, of each block and the one after the last.
    std::vector<U256> base_fees{};
    /// Of each block, at the percentiles that were asked for.
    std::vector<std::vector<U256>> rewards{};
    bool operator==(const FeeHistory&) const = default;
};

Result<U256> parse_rpc_quantity(const boost::json::value& result);
Result<uint64_t> parse_rpc_u64(const boost::json::value& result);
Result<Bytes> parse_rpc_data(const boost::json::value& result);
Result<Digest> parse_rpc_hash(const boost::json::value& result);
/// nullopt when there is no such block.
Result<std::optional<BlockHeader>> parse_rpc_block(const boost::json::value& result);
/// Error also: limit_exceeded for more logs than limits.hpp allows; a shorter range has fewer.
Result<std::vector<Log>> parse_rpc_logs(const boost::json::value& result);
/// nullopt when the transaction is in no block yet.
Result<std::optional<Receipt>> parse_rpc_receipt(const boost::json::value& result);
Result<FeeHistory> parse_rpc_fee_history(const boost::json::value& result);

}  // namespace teetee::chain
