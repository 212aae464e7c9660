// SPDX-License-Identifier: Apache-2.0
#include "chain/rpc_calls.hpp"

namespace teetee::chain {
namespace {

namespace json = boost::json;

std::string data_text(ByteView bytes) {
    return "0x" + to_hex(bytes);
}

json::object message_object(const CallMessage& message) {
    json::object out = {{"to", data_text(message.to)},
                        {"value", message.value.to_quantity()},
                        {"data", data_text(message.data)}};
    if (message.from) out["from"] = data_text(*message.from);
    if (message.gas) out["gas"] = U256(*message.gas).to_quantity();
    return out;
}

// Contract and events alone: the blocks are added by each call in its own way.
json::object filter_object(const LogFilter& filter) {
    json::object out = {{"address", data_text(filter.contract)}};
    if (filter.events.empty()) return out;
    json::array events;
    for (const Digest& event : filter.events) events.emplace_back(data_text(event));
    json::array topics;
    topics.emplace_back(std::move(events));
    out["topics"] = std::move(topics);
    return out;
}

RpcCall call_with_account(std::string method, const Address& account, const BlockTag& block) {
    return {.method = std::move(method), .parameters = {data_text(account), block.text}};
}

}  // namespace

RpcCall call_chain_id() {
    return {.method = "eth_chainId"};
}

RpcCall call_block_number() {
    return {.method = "eth_blockNumber"};
}

RpcCall call_block(const BlockTag& block) {
    return {.method = "eth_getBlockByNumber", .parameters = {block.text, false}};
}

RpcCall call_block_by_hash(const Digest& hash) {
    return {.method = "eth_getBlockByHash", .parameters = {data_text(hash), false}};
}

RpcCall call_logs(const LogFilter& filter) {
    json::object object = filter_object(filter);
    object["fromBlock"] = U256(filter.from_block).to_quantity();
    object["toBlock"] = U256(filter.to_block).to_quantity();
    RpcCall call{.method = "eth_getLogs"};
    call.parameters.emplace_back(std::move(object));
    return call;
}

RpcCall call_logs_of_block(const Digest& block_hash, const LogFilter& filter) {
    json::object object = filter_object(filter);
    object["blockHash"] = data_text(block_hash);
    RpcCall call{.method = "eth_getLogs"};
    call.parameters.emplace_back(std::move(object));
    return call;
}

RpcCall call_receipt(const Digest& transaction_hash) {
    RpcCall call{.method = "eth_getTransactionReceipt"};
    call.parameters.emplace_back(data_text(transaction_hash));
    return call;
}

RpcCall call_contract(const CallMessage& message, const BlockTag& block) {
    return {.method = "eth_call", .parameters = {message_object(message), block.text}};
}

RpcCall call_gas_estimate(const CallMessage& message) {
    RpcCall call{.method = "eth_estimateGas"};
    call.parameters.emplace_back(message_object(message));
    return call;
}

RpcCall call_nonce(const Address& account, const BlockTag& block) {
    return call_with_account("eth_getTransactionCount", account, block);
}

RpcCall call_balance(const Address& account, const BlockTag& block) {
    return call_with_account("eth_getBalance", account, block);
}

RpcCall call_code(const Address& account, const BlockTag& block) {
    return call_with_account("eth_getCode", account, block);
}

RpcCall call_fee_history(uint64_t block_count, const std::vector<unsigned>& percentiles) {
    json::array shares;
    for (const unsigned percentile : percentiles) shares.emplace_back(percentile);
    RpcCall call{.method = "eth_feeHistory",
                 .parameters = {U256(block_count).to_quantity(), "latest"}};
    call.parameters.emplace_back(std::move(shares));
    return call;
}

RpcCall call_send(const SignedTransaction& transaction) {
    RpcCall call{.method = "eth_sendRawTransaction"};
    call.parameters.emplace_back(data_text(transaction.raw));
    return call;
}

}  // namespace teetee::chain
