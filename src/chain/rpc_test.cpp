// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <gtest/gtest.h>

#include "chain/json_rpc.hpp"
#include "chain/limits.hpp"
#include "chain/rpc_calls.hpp"
#include "chain/rpc_results.hpp"

namespace teetee::chain {
namespace {

namespace json = boost::json;

const std::string hash_a = "0x" + std::string(64, 'a');
const std::string hash_b = "0x" + std::string(64, 'b');
const std::string account = "0x" + std::string(40, '1');

json::value log_value() {
    return {{"address", account},        {"topics", {hash_a, hash_b}}, {"data", "0x0102"},
            {"blockNumber", "0x10"},     {"blockHash", hash_a},        {"transactionHash", hash_b},
            {"transactionIndex", "0x0"}, {"logIndex", "0x3"},          {"removed", false}};
}

json::value receipt_value() {
    return {{"transactionHash", hash_b},
            {"blockNumber", "0x10"},
            {"blockHash", hash_a},
            {"status", "0x1"},
            {"gasUsed", "0x5208"},
            {"effectiveGasPrice", "0x3b9aca00"},
            {"l1Fee", "0x64"},
            {"contractAddress", nullptr},
            {"type", "0x2"},
            {"logs", json::array{log_value()}}};
}

ErrorCode answer_error(std::string_view body, uint64_t id = 7) {
    const auto answer = decode_rpc_answer(body, id);
    return answer ? ErrorCode{} : answer.error().code;
}

TEST(json_rpc, requests_are_of_version_2) {
    const auto request = json::parse(encode_rpc_request(call_block(BlockTag::latest()), 7));
    EXPECT_EQ(request, json::value({{"jsonrpc", "2.0"},
                                    {"id", 7},
                                    {"method", "eth_getBlockByNumber"},
                                    {"params", {"latest", false}}}));
    EXPECT_EQ(json::parse(encode_rpc_request(call_chain_id(), 1)).at("params"), json::array());
}

TEST(json_rpc, calls_have_the_parameters_of_the_execution_apis) {
    const Address to = parse_address(account).value();
    const Digest event = {1};
    EXPECT_EQ(call_block(BlockTag::at(255)).parameters, (json::array{"0xff", false}));
    EXPECT_EQ(call_contract({.to = to, .data = {1}}, BlockTag::pending()).parameters,
              (json::array{{{"to", account}, {"value", "0x0"}, {"data", "0x01"}}, "pending"}));
    const auto bounded = call_contract({.from = to, .to = to, .gas = 200'000}, BlockTag::latest());
    EXPECT_EQ(bounded.parameters[0].at("from"), json::value(account));
    EXPECT_EQ(bounded.parameters[0].at("gas"), json::value("0x30d40"));
    const auto estimate = call_gas_estimate({.from = to, .to = to, .value = 5}).parameters;
    ASSERT_EQ(estimate.size(), 1u);
    EXPECT_EQ(estimate[0].at("from"), json::value(account));
    EXPECT_EQ(estimate[0].at("data"), json::value("0x"));
    const auto logs =
        call_logs({.from_block = 1, .to_block = 16, .contract = to, .events = {event}}).parameters;
    ASSERT_EQ(logs.size(), 1u);
    EXPECT_EQ(logs[0].at("fromBlock"), json::value("0x1"));
    EXPECT_EQ(logs[0].at("toBlock"), json::value("0x10"));
    ASSERT_EQ(logs[0].at("topics").as_array().size(), 1u);
    EXPECT_EQ(logs[0].at("topics").at(0).at(0), json::value("0x" + to_hex(event)));
    const auto of_block = call_logs_of_block(event, {.contract = to}).parameters;
    EXPECT_EQ(of_block[0].at("blockHash"), json::value("0x" + to_hex(event)));
    EXPECT_FALSE(of_block[0].as_object().contains("topics"));
    EXPECT_FALSE(of_block[0].as_object().contains("fromBlock"));
    EXPECT_EQ(call_nonce(to, BlockTag::pending()).parameters, (json::array{account, "pending"}));
    EXPECT_EQ(call_balance(to, BlockTag::safe()).method, "eth_getBalance");
    EXPECT_EQ(call_code(to, BlockTag::finalized()).method, "eth_getCode");
    EXPECT_EQ(call_receipt(event).parameters, json::array{"0x" + to_hex(event)});
    EXPECT_EQ(call_block_by_hash(event).parameters, (json::array{"0x" + to_hex(event), false}));
    EXPECT_EQ(call_fee_history(4, {10, 50}).parameters,
              (json::array{"0x4", "latest", json::array{10, 50}}));
    EXPECT_EQ(call_send({.transaction = {}, .raw = {2, 0xc0}}).parameters, json::array{"0x02c0"});
    EXPECT_EQ(call_block_number().method, "eth_blockNumber");
}

TEST(json_rpc, answers_have_a_result_or_an_error) {
    const auto answer = decode_rpc_answer(R"({"jsonrpc":"2.0","id":7,"result":"0x1"})", 7);
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(take_result(*answer).value(), json::value("0x1"));
    EXPECT_TRUE(
        take_result(*decode_rpc_answer(R"({"jsonrpc":"2.0","id":7,"result":null})", 7))->is_null());
    const auto refused = decode_rpc_answer(
        R"({"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"nonce too low"}})", 7);
    const auto error = take_result(refused.value()).error();
    EXPECT_EQ(error.code, ErrorCode::rpc_refused);
    EXPECT_EQ(error.detail, "RPC endpoint: 'nonce too low' (-32000)");
    // The node could not read the id.
    EXPECT_TRUE(decode_rpc_answer(
        R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse"}})", 7));
}

TEST(json_rpc, other_answers_are_malformed) {
    for (const char* body :
         {"", "[]", "null", "{}", R"({"jsonrpc":"2.0","id":7})", R"({"id":7,"result":1})",
          R"({"jsonrpc":"1.0","id":7,"result":1})", R"({"jsonrpc":"2.0","id":8,"result":1})",
          R"({"jsonrpc":"2.0","id":"7","result":1})", R"({"jsonrpc":"2.0","id":null,"result":1})",
          R"({"jsonrpc":"2.0","result":1})", R"({"jsonrpc":"2.0","id":7,"result":1,"result":2})",
          R"({"jsonrpc":"2.0","id":7,"result":1,"error":{"code":1,"message":""}})",
          R"({"jsonrpc":"2.0","id":7,"error":{"message":""}})",
          R"({"jsonrpc":"2.0","id":7,"error":{"code":1}})",
          R"({"jsonrpc":"2.0","id":7,"error":{"code":"1","message":""}})",
          R"({"jsonrpc":"2.0","id":7,"error":"no"})", R"({"jsonrpc":"2.0","id":7,"result":1}x)"}) {
        EXPECT_EQ(answer_error(body), ErrorCode::rpc_malformed) << body;
    }
    EXPECT_EQ(answer_error(std::string(rpc_answer_bytes_max + 1, ' ')), ErrorCode::rpc_malformed);
    EXPECT_EQ(answer_error(R"({"jsonrpc":"2.0","id":7,"result":)" + std::string(50, '[') +
                           std::string(50, ']') + "}"),
              ErrorCode::rpc_malformed);
}

TEST(json_rpc, a_reverted_call_tells_its_reason) {
    const std::vector<AbiValue> reason = {AbiValue::of(as_bytes("too poor"))};
    const auto data =
        encode_call(abi_selector("Error(string)"), abi_types({"string"}), reason).value();
    const std::string body =
        R"({"jsonrpc":"2.0","id":7,"error":{"code":3,"message":"reverted","data":"0x)" +
        to_hex(data) + "\"}}";
    const auto error = take_result(decode_rpc_answer(body, 7).value()).error();
    EXPECT_EQ(error.code, ErrorCode::call_reverted);
    EXPECT_EQ(error.detail, "Error('too poor')");
    // Data of another form does not hide that it was refused.
    const auto odd = decode_rpc_answer(
        R"({"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"m","data":{"a":1}}})", 7);
    EXPECT_EQ(take_result(odd.value()).error().code, ErrorCode::rpc_refused);
    const auto bare =
        decode_rpc_answer(R"({"jsonrpc":"2.0","id":7,"error":{"code":3,"message":"m"}})", 7);
    EXPECT_EQ(take_result(bare.value()).error().detail, "no reason given");
}

TEST(rpc_results, quantities_are_strict) {
    EXPECT_EQ(parse_rpc_quantity("0x10").value(), U256(16));
    EXPECT_EQ(parse_rpc_u64("0xffffffffffffffff").value(), UINT64_MAX);
    EXPECT_EQ(parse_rpc_u64("0x10000000000000000").error().code, ErrorCode::rpc_malformed);
    for (const json::value& bad :
         json::array{"0x010", "0x", "10", "", 16, nullptr, true, "0x" + std::string(65, '1')}) {
        EXPECT_EQ(parse_rpc_quantity(bad).error().code, ErrorCode::rpc_malformed);
    }
    EXPECT_EQ(parse_rpc_data("0x").value(), Bytes{});
    EXPECT_EQ(parse_rpc_hash(json::value(hash_a)).value()[31], 0xaa);
    for (const json::value& bad : json::array{"0x0", "00", "0xgg", 1, hash_a + "00"}) {
        EXPECT_EQ(parse_rpc_hash(bad).error().code, ErrorCode::rpc_malformed);
    }
    EXPECT_EQ(parse_rpc_data(json::value("0x" + std::string(2 * rpc_data_bytes_max + 2, '0')))
                  .error()
                  .code,
              ErrorCode::rpc_malformed);
}

// Every member of a good value, taken away and made another one, is missed.
void expect_every_member_read(const json::value& good, auto parse,
                              const std::vector<std::string>& optional) {
    ASSERT_TRUE(parse(good));
    for (const auto& member : good.as_object()) {
        const std::string key(member.key());
        const bool may_miss = std::find(optional.begin(), optional.end(), key) != optional.end();
        auto changed = good;
        changed.as_object().erase(key);
        const auto without = parse(changed);
        EXPECT_EQ(without.has_value(), may_miss) << key;
        if (key == "transactionIndex" || key == "type") continue;
        changed.as_object()[key] = 5;
        const auto wrong = parse(changed);
        ASSERT_FALSE(wrong) << key;
        EXPECT_EQ(wrong.error().code, ErrorCode::rpc_malformed);
    }
}

TEST(rpc_results, blocks) {
    const json::value block = {{"number", "0x10"},
                               {"hash", hash_a},
                               {"parentHash", hash_b},
                               {"timestamp", "0x65"},
                               {"baseFeePerGas", "0x7"}};
    const auto header = parse_rpc_block(block).value().value();
    EXPECT_EQ(header.number, 16u);
    EXPECT_EQ(header.timestamp, 0x65u);
    EXPECT_EQ(header.base_fee_per_gas, U256(7));
    EXPECT_EQ(parse_rpc_block(nullptr).value(), std::nullopt);
    EXPECT_FALSE(parse_rpc_block("0x1"));
    expect_every_member_read(block, [](const auto& v) { return parse_rpc_block(v); },
                             {"baseFeePerGas"});
}

TEST(rpc_results, logs) {
    const auto logs = parse_rpc_logs(json::array{log_value(), log_value()}).value();
    ASSERT_EQ(logs.size(), 2u);
    EXPECT_EQ(logs[0].topics.size(), 2u);
    EXPECT_EQ(logs[0].event().topics.size(), 2u);
    EXPECT_EQ(logs[0].data, (Bytes{1, 2}));
    EXPECT_EQ(logs[0].index, 3u);
    EXPECT_FALSE(logs[0].removed);
    expect_every_member_read(log_value(),
                             [](const auto& v) { return parse_rpc_logs(json::array{v}); },
                             {"transactionIndex", "removed"});
    auto crowded = log_value();
    crowded.at("topics").as_array().resize(5, json::value(hash_a));
    EXPECT_FALSE(parse_rpc_logs(json::array{crowded}));
    EXPECT_FALSE(parse_rpc_logs(json::array{"0x"}));
    EXPECT_FALSE(parse_rpc_logs(nullptr));
    EXPECT_FALSE(parse_rpc_logs(json::array(rpc_logs_max + 1, nullptr)));
}

TEST(rpc_results, receipts) {
    const auto receipt = parse_rpc_receipt(receipt_value()).value().value();
    EXPECT_TRUE(receipt.succeeded);
    EXPECT_EQ(receipt.gas_used, 21000u);
    EXPECT_EQ(receipt.data_fee, U256(100));
    EXPECT_EQ(receipt.created_contract, std::nullopt);
    EXPECT_EQ(receipt.logs.size(), 1u);
    EXPECT_EQ(parse_rpc_receipt(nullptr).value(), std::nullopt);
    expect_every_member_read(receipt_value(), [](const auto& v) { return parse_rpc_receipt(v); },
                             {"l1Fee", "contractAddress", "type"});
    auto other = receipt_value();
    other.at("logs").at(0).at("transactionHash") = hash_a;
    EXPECT_FALSE(parse_rpc_receipt(other));
    auto odd = receipt_value();
    odd.at("status") = "0x2";
    EXPECT_FALSE(parse_rpc_receipt(odd));
    odd.at("status") = "0x0";
    odd.at("contractAddress") = account;
    EXPECT_FALSE(parse_rpc_receipt(odd).value()->succeeded);
    EXPECT_TRUE(parse_rpc_receipt(odd).value()->created_contract);
}

TEST(rpc_results, fee_histories) {
    const json::value value = {
        {"oldestBlock", "0x5"},
        {"baseFeePerGas", {"0x1", "0x2", "0x3"}},
        {"gasUsedRatio", {0.5, 0.1}},
        {"reward", json::array{json::array{"0xa", "0xb"}, json::array{"0xc", "0xd"}}}};
    const auto history = parse_rpc_fee_history(value).value();
    EXPECT_EQ(history.oldest_block, 5u);
    EXPECT_EQ(history.base_fees.back(), U256(3));
    EXPECT_EQ(history.rewards[1][1], U256(13));
    for (const char* key : {"oldestBlock", "baseFeePerGas", "reward"}) {
        auto changed = value;
        changed.as_object()[key] = "0x00";
        EXPECT_EQ(parse_rpc_fee_history(changed).error().code, ErrorCode::rpc_malformed) << key;
    }
    auto flat = value;
    flat.at("reward") = json::array{"0x1"};
    EXPECT_FALSE(parse_rpc_fee_history(flat));
    flat.as_object().erase("reward");
    EXPECT_TRUE(parse_rpc_fee_history(flat).value().rewards.empty());
    EXPECT_FALSE(parse_rpc_fee_history(nullptr));
}

}  // namespace
}  // namespace teetee::chain
