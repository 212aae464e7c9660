// SPDX-License-Identifier: Apache-2.0
#include "chain/rpc_results.hpp"

#include <algorithm>

#include "chain/json_fields.hpp"
#include "chain/limits.hpp"

namespace teetee::chain {
namespace {

namespace json = boost::json;

constexpr size_t topics_max = 4;
constexpr size_t percentiles_max = 100;

Error malformed(std::string detail) {
    return fail(ErrorCode::rpc_malformed, std::move(detail));
}

Result<JsonFields> fields_of(const json::value& value, std::string name) {
    return JsonFields::of(value, std::move(name), ErrorCode::rpc_malformed);
}

Result<std::string_view> text_of(const json::value& value, std::string_view need) {
    const json::string* text = value.if_string();
    if (text == nullptr) return malformed("have another value, need " + std::string(need));
    return std::string_view(text->data(), text->size());
}

Result<std::vector<U256>> quantities(const json::array& array, size_t count_max) {
    if (array.size() > count_max) return malformed("more quantities than were asked for");
    std::vector<U256> out;
    for (const json::value& value : array) {
        TT_TRY(const U256 number, parse_rpc_quantity(value));
        out.push_back(number);
    }
    return out;
}

Result<Log> read_log(const json::value& value) {
    TT_TRY(const JsonFields fields, fields_of(value, "log"));
    Log log;
    TT_TRY(log.contract, fields.array_data<20>("address"));
    TT_TRY(const json::array* topics, fields.array("topics", topics_max));
    for (const json::value& topic : *topics) {
        TT_TRY(const Digest hash, parse_rpc_hash(topic));
        log.topics.push_back(hash);
    }
    TT_TRY(log.data, fields.data("data", rpc_data_bytes_max));
    TT_TRY(log.block_number, fields.quantity_u64("blockNumber"));
    TT_TRY(log.block_hash, fields.array_data<32>("blockHash"));
    TT_TRY(log.transaction_hash, fields.array_data<32>("transactionHash"));
    TT_TRY(log.index, fields.quantity_u64("logIndex"));
    if (fields.is_absent("removed")) return log;
    TT_TRY(const json::value* removed, fields.value("removed"));
    const bool* flag = removed->if_bool();
    if (flag == nullptr) return fields.wrong("removed", "another value", "true or false");
    log.removed = *flag;
    return log;
}

Result<bool> read_status(const JsonFields& fields) {
    TT_TRY(const uint64_t status, fields.quantity_u64("status"));
    if (status > 1) return fields.wrong("status", std::to_string(status), "0 or 1");
    return status == 1;
}

// A receipt's logs are all of its own block and transaction.
Result<void> ensure_own(const Receipt& receipt) {
    for (const Log& log : receipt.logs) {
        if (log.block_hash != receipt.block_hash || log.block_number != receipt.block_number ||
            log.transaction_hash != receipt.transaction_hash) {
            return malformed("receipt: a log of another transaction");
        }
    }
    return {};
}

}  // namespace

Result<U256> parse_rpc_quantity(const json::value& result) {
    TT_TRY(const std::string_view text, text_of(result, "a quantity"));
    const auto number = U256::from_quantity(text);
    if (!number) return malformed(number.error().detail);
    return *number;
}

Result<uint64_t> parse_rpc_u64(const json::value& result) {
    TT_TRY(const U256 number, parse_rpc_quantity(result));
    const auto small = number.to_u64();
    if (!small) return malformed("quantity: have " + number.to_quantity() + ", need 8 bytes");
    return *small;
}

Result<Bytes> parse_rpc_data(const json::value& result) {
    TT_TRY(const std::string_view text, text_of(result, "0x and hex digits"));
    if (text.size() > 2 * rpc_data_bytes_max + 2) {
        return malformed("data: have " + std::to_string(text.size()) + " digits, need at most " +
                         std::to_string(2 * rpc_data_bytes_max));
    }
    auto bytes = from_hex(text);
    if (!bytes || !text.starts_with("0x"))
        return malformed("data: have " + quote_foreign(text) + ", need 0x and hex digits");
    return bytes;
}

Result<Digest> parse_rpc_hash(const json::value& result) {
    TT_TRY(const Bytes bytes, parse_rpc_data(result));
    Digest hash;
    if (bytes.size() != hash.size())
        return malformed("hash: have " + std::to_string(bytes.size()) + " bytes, need 32");
    std::copy(bytes.begin(), bytes.end(), hash.begin());
    return hash;
}

Result<std::optional<BlockHeader>> parse_rpc_block(const json::value& result) {
    if (result.is_null()) return std::optional<BlockHeader>();
    TT_TRY(const JsonFields fields, fields_of(result, "block"));
    BlockHeader header;
    TT_TRY(header.number, fields.quantity_u64("number"));
    TT_TRY(header.hash, fields.array_data<32>("hash"));
    TT_TRY(header.parent_hash, fields.array_data<32>("parentHash"));
    TT_TRY(header.timestamp, fields.quantity_u64("timestamp"));
    if (!fields.is_absent("baseFeePerGas")) {
        TT_TRY(header.base_fee_per_gas, fields.quantity("baseFeePerGas"));
    }
    return std::optional<BlockHeader>(header);
}

Result<std::vector<Log>> parse_rpc_logs(const json::value& result) {
    const json::array* array = result.if_array();
    if (array == nullptr) return malformed("logs: have another value, need an array");
    if (array->size() > rpc_logs_max) {
        return fail(ErrorCode::limit_exceeded, "logs: have " + std::to_string(array->size()) +
                                                   ", need at most " +
                                                   std::to_string(rpc_logs_max));
    }
    std::vector<Log> out;
    for (const json::value& value : *array) {
        TT_TRY(Log log, read_log(value));
        out.push_back(std::move(log));
    }
    return out;
}

Result<std::optional<Receipt>> parse_rpc_receipt(const json::value& result) {
    if (result.is_null()) return std::optional<Receipt>();
    TT_TRY(const JsonFields fields, fields_of(result, "receipt"));
    Receipt receipt;
    TT_TRY(receipt.transaction_hash, fields.array_data<32>("transactionHash"));
    TT_TRY(receipt.block_number, fields.quantity_u64("blockNumber"));
    TT_TRY(receipt.block_hash, fields.array_data<32>("blockHash"));
    TT_TRY(receipt.succeeded, read_status(fields));
    TT_TRY(receipt.gas_used, fields.quantity_u64("gasUsed"));
    TT_TRY(receipt.effective_gas_price, fields.quantity("effectiveGasPrice"));
    if (!fields.is_absent("l1Fee")) {
        TT_TRY(receipt.data_fee, fields.quantity("l1Fee"));
    }
    if (!fields.is_absent("contractAddress")) {
        TT_TRY(receipt.created_contract, fields.array_data<20>("contractAddress"));
    }
    TT_TRY(const json::value* logs, fields.value("logs"));
    TT_TRY(receipt.logs, parse_rpc_logs(*logs));
    TT_CHECK(ensure_own(receipt));
    return std::optional<Receipt>(std::move(receipt));
}

Result<FeeHistory> parse_rpc_fee_history(const json::value& result) {
    TT_TRY(const JsonFields fields, fields_of(result, "fee history"));
    FeeHistory history;
    TT_TRY(history.oldest_block, fields.quantity_u64("oldestBlock"));
    TT_TRY(const json::array* base_fees, fields.array("baseFeePerGas", rpc_fee_blocks_max + 1));
    TT_TRY(history.base_fees, quantities(*base_fees, rpc_fee_blocks_max + 1));
    if (fields.is_absent("reward")) return history;
    TT_TRY(const json::array* rewards, fields.array("reward", rpc_fee_blocks_max));
    for (const json::value& block : *rewards) {
        const json::array* shares = block.if_array();
        if (shares == nullptr) return fields.wrong("reward", "another value", "arrays");
        TT_TRY(auto numbers, quantities(*shares, percentiles_max));
        history.rewards.push_back(std::move(numbers));
    }
    return history;
}

}  // namespace teetee::chain
