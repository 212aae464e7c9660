// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "chain/json_rpc.hpp"
#include "chain/transaction.hpp"

namespace teetee::chain {

/// A block by its number, or by what it is to the node.
struct BlockTag {
    static BlockTag latest() { return {"latest"}; }
    static BlockTag pending() { return {"pending"}; }
    static BlockTag safe() { return {"safe"}; }
    static BlockTag finalized() { return {"finalized"}; }
    static BlockTag at(uint64_t number) { return {U256(number).to_quantity()}; }

    std::string text;
};

struct CallMessage {
    std::optional<Address> from{};
    Address to{};
    U256 value{};
    Bytes data{};
    /// The most that it may take; nullopt: what the endpoint allows.
    std::optional<uint64_t> gas{};
};

struct LogFilter {
    uint64_t from_block = 0;
    /// Inclusive.
    uint64_t to_block = 0;
    Address contract{};
    /// Any of these first topics; empty is every event.
    std::vector<Digest> events{};
};

RpcCall call_chain_id();
RpcCall call_block_number();
RpcCall call_block(const BlockTag& block);
RpcCall call_block_by_hash(const Digest& hash);
RpcCall call_logs(const LogFilter& filter);
/// The logs of one block, which a reorganisation cannot exchange for those of another.
RpcCall call_logs_of_block(const Digest& block_hash, const LogFilter& filter);
RpcCall call_receipt(const Digest& transaction_hash);
RpcCall call_contract(const CallMessage& message, const BlockTag& block);
RpcCall call_gas_estimate(const CallMessage& message);
RpcCall call_nonce(const Address& account, const BlockTag& block);
RpcCall call_balance(const Address& account, const BlockTag& block);
RpcCall call_code(const Address& account, const BlockTag& block);
RpcCall call_fee_history(uint64_t block_count, const std::vector<unsigned>& percentiles);
RpcCall call_send(const SignedTransaction& transaction);

}  // namespace teetee::chain
