// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include <boost/json.hpp>

#include "chain/abi_contract.hpp"
#include "chain/u256.hpp"

namespace teetee::chain {

/// A call of an Ethereum node (JSON-RPC 2.0), made by the functions of rpc_calls.hpp.
struct RpcCall {
    std::string method;
    boost::json::array parameters{};
};

/// The body of its request. Ids are given by the caller, each once on a connection.
std::string encode_rpc_request(const RpcCall& call, uint64_t id);

/// What the node says went wrong.
struct RpcError {
    int64_t code = 0;
    std::string message;
    /// Of a call that a contract reverted: what describe_revert reads.
    Bytes data{};
    bool is_revert = false;
};

using RpcAnswer = std::variant<boost::json::value, RpcError>;

/// The answer to the request of that id. Strict: one JSON object of version 2.0, with that id and
/// either a result or an error. Error: rpc_malformed.
Result<RpcAnswer> decode_rpc_answer(std::string_view body, uint64_t id);

/// The error as one of ours: call_reverted with the reason, or rpc_refused.
Error to_error(const RpcError& error, std::span<const AbiError> known);

/// The result in an answer, or its error.
Result<boost::json::value> take_result(RpcAnswer answer, std::span<const AbiError> known = {});

}  // namespace teetee::chain
