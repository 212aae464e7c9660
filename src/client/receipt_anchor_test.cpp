// SPDX-License-Identifier: Apache-2.0
#include "client/receipt_anchor.hpp"

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "billing/settlement_plan.hpp"
#include "chain/test_events.hpp"

namespace teetee::client {
namespace {

namespace json = boost::json;

class receipt_anchor : public testing::Test {
  protected:
    receipt_anchor() {
        for (uint8_t i = 0; i < 5; ++i) leaves.push_back(billing::receipt_leaf({i}));
        const auto proof = crypto::merkle_proof(leaves, 3);
        json::array siblings;
        for (const Digest& sibling : proof.siblings) siblings.emplace_back("0x" + to_hex(sibling));
        body = {{"state", "settled"},
                {"receipt", "0x" + to_hex(receipt.digest)},
                {"chain_id", "84532"},
                {"contract", chain::to_checksum_text(receipt.deployment.contract)},
                {"entry_node", "1"},
                {"receipts_root", "0x" + to_hex(crypto::merkle_root(leaves))},
                {"proof", json::object{{"index", 3}, {"count", 5}, {"siblings", siblings}}}};
        const chain::ContractEvent events[] = {chain::pool_created(), chain::node_registered(1)};
        for (const auto& event : events) EXPECT_TRUE(contract.apply(event, ++block));
        receipt.entry = contract.node(1)->receipt_key;
        receipt.pool = contract.node(1)->pool;
    }

    void anchor(uint64_t pool) {
        const chain::tee_tee::AnchoredEvent event = {
            .pool = pool, .entry_node = 1, .receipts_root = crypto::merkle_root(leaves)};
        ASSERT_TRUE(contract.apply(event, ++block));
    }
    ErrorCode check() {
        const auto parsed = parse_receipt_anchor(json::serialize(body));
        if (!parsed) return parsed.error().code;
        const auto checked = check_anchor(receipt, *parsed, contract);
        return checked ? ErrorCode{} : checked.error().code;
    }

    std::vector<Digest> leaves;
    json::object body;
    AnchoredReceipt receipt{.digest = {3}, .deployment = {84532, {0xc0}}};
    chain::ContractState contract;
    uint64_t block = 0;
};

TEST_F(receipt_anchor, leads_from_the_receipt_to_the_contract) {
    EXPECT_EQ(check(), ErrorCode::receipt_rejected) << "not there yet";
    anchor(receipt.pool);
    EXPECT_EQ(check(), ErrorCode{});
}

TEST_F(receipt_anchor, of_something_else_is_none) {
    anchor(receipt.pool);
    const auto original = std::pair(body, receipt);
    const auto refused = [&](const auto& change) {
        std::tie(body, receipt) = original;
        change();
        const bool is_refused = check() == ErrorCode::receipt_rejected;
        std::tie(body, receipt) = original;
        return is_refused;
    };
    EXPECT_TRUE(refused([&] { receipt.digest[0] = 4; }));
    EXPECT_TRUE(refused([&] { receipt.entry[0] ^= 1; }));
    EXPECT_TRUE(refused([&] { receipt.deployment.chain_id = 1; }));
    EXPECT_TRUE(refused([&] { ++receipt.pool; }));
    EXPECT_TRUE(refused([&] { body["entry_node"] = "2"; }));
    EXPECT_TRUE(refused([&] { body["receipts_root"] = "0x" + std::string(64, '1'); }));
    EXPECT_TRUE(refused([&] { body["proof"].as_object()["index"] = 2; }));
    EXPECT_EQ(check(), ErrorCode{});
    body["proof"].as_object()["siblings"].as_array().pop_back();
    EXPECT_EQ(check(), ErrorCode::invalid_argument);
}

TEST_F(receipt_anchor, that_is_no_anchor_is_refused) {
    anchor(receipt.pool);
    const json::object original = body;
    body["state"] = "settling";
    EXPECT_EQ(check(), ErrorCode::not_ready);
    for (const char* member :
         {"receipt", "chain_id", "contract", "entry_node", "receipts_root", "proof", "state"}) {
        body = original;
        body.erase(member);
        EXPECT_EQ(check(), ErrorCode::invalid_json) << member;
        body[member] = json::array{1};
        EXPECT_EQ(check(), ErrorCode::invalid_json) << member;
    }
    body = original;
    const json::string sibling("0x" + std::string(64, '1'));
    body["proof"].as_object()["siblings"] = json::array(65, sibling);
    EXPECT_EQ(check(), ErrorCode::invalid_json);
    EXPECT_FALSE(parse_receipt_anchor(""));
    EXPECT_FALSE(parse_receipt_anchor("[]"));
}

}  // namespace
}  // namespace teetee::client
