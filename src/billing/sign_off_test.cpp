// SPDX-License-Identifier: Apache-2.0
#include "billing/sign_off.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "attest/dev_receipt.hpp"

namespace teetee::billing {
namespace {

constexpr uint64_t pool = 7;
constexpr uint64_t chain_id = 84532;
constexpr crypto::Address contract = {0xc0};

RequestId request_id(uint16_t number) {
    RequestId id;
    id.bytes[0] = static_cast<uint8_t>(number);
    id.bytes[1] = static_cast<uint8_t>(number >> 8);
    return id;
}

/// Of a stage in the middle.
attest::test::DevNode make_stage(uint8_t seed = 1) {
    attest::test::DevNode node = attest::test::make_node(seed);
    node.statement.chain_id = chain_id;
    node.statement.contract = contract;
    node.statement.pool = pool;
    node.statement.layers = {4, 8};
    return node;
}

OwnRecord record_by(const attest::test::DevNode& node, RequestId request, Position end,
                    Position begin = 0) {
    const attest::RecordSigner signer(node.receipt_key, node.statement);
    OwnRecord out;
    out.record = signer.complete({.request = request,
                                  .epoch = 3,
                                  .sampling = {1},
                                  .input = {begin, end, {2}},
                                  .output = {begin, end, {3}}});
    out.signature = signer.sign(out.record);
    return out;
}

chain::tee_tee::Batch make_batch(uint64_t tokens) {
    return {.pool = pool,
            .entry_node = 1,
            .prompt_tokens = tokens - 5,
            .completion_tokens = 5,
            .total = 100,
            .receipts_root = {9},
            .spends = {{.voucher = {4}, .amount = 100, .signed_ = 200, .r = {5}, .vs = {6}}},
            .queries = {},
            .work = {{.node = 1, .tokens = tokens, .r = {}, .vs = {}},
                     {.node = 2, .tokens = tokens, .r = {}, .vs = {}}}};
}

/// Two requests of 10 and 20 positions, the second behind a prefix of 16.
struct Asked {
    attest::test::DevNode stage = make_stage();
    SignOffAsk ask{make_batch(31),
                   1,
                   {record_by(stage, request_id(1), 10), record_by(stage, request_id(2), 36, 16)}};

    Result<crypto::RecoverableSignature> sign() const {
        const auto encoded = encode_sign_off_ask(ask);
        return encoded ? sign_off(stage.receipt_key, stage.statement, *encoded)
                       : Result<crypto::RecoverableSignature>(encoded.error());
    }
    std::string refusal() const {
        const auto signature = sign();
        return signature ? "signed" : signature.error().message();
    }
};

TEST(sign_off, signs_what_pays_for_what_was_computed) {
    const Asked asked;
    const auto signature = asked.sign();
    ASSERT_TRUE(signature) << signature.error().message();
    const Digest digest = chain::settlement_digest({chain_id, contract}, asked.ask.batch);
    EXPECT_EQ(crypto::recover_address(digest, *signature).value(),
              asked.stage.receipt_key.address());
}

TEST(sign_off, takes_a_token_more_for_each_request_and_no_other_number) {
    // An answer that ends by a stop token is billed what was computed, one that ends by its length
    // the last token on top.
    for (const uint64_t tokens : {30u, 31u, 32u}) {
        Asked asked;
        asked.ask.batch.work[1].tokens = tokens;
        EXPECT_TRUE(asked.sign()) << tokens;
    }
    Asked asked;
    for (const uint64_t tokens : {uint64_t{0}, uint64_t{29}, uint64_t{33}, UINT64_MAX}) {
        asked.ask.batch.work[1].tokens = tokens;
        EXPECT_EQ(asked.refusal(), "settlement_rejected: sign-off: have " + std::to_string(tokens) +
                                       " tokens, need 30 to 32 for 2 requests");
    }
}

struct Refusal {
    std::string what;
    std::function<void(Asked&)> change;
};

TEST(sign_off, refuses_what_is_not_this_stages) {
    const std::string prefix = "settlement_rejected: sign-off: ";
    const Refusal refusals[] = {
        {"have a batch of pool 8, need 7", [](Asked& a) { a.ask.batch.pool = 8; }},
        {"have a statement of chain 0", [](Asked& a) { a.stage.statement.chain_id = 0; }},
        {"have a statement of chain 84532 and contract 0x0000",
         [](Asked& a) { a.stage.statement.contract = {}; }},
        {"have place 2 of 2 nodes at work", [](Asked& a) { a.ask.work = 2; }},
        {"have 31 tokens, need 40 to 42",
         [](Asked& a) { a.ask.records[0] = record_by(a.stage, request_id(1), 20); }},
        {"have no records", [](Asked& a) { a.ask.records.clear(); }},
        {"have two records of request 0200",
         [](Asked& a) { a.ask.records[0] = record_by(a.stage, request_id(2), 10); }},
        {"have a record of no positions",
         [](Asked& a) { a.ask.records[0] = record_by(a.stage, request_id(1), 0); }},
        {"have a record of no positions",
         [](Asked& a) { a.ask.records[0] = record_by(a.stage, request_id(1), 3, 4); }},
    };
    for (const Refusal& refusal : refusals) {
        Asked asked;
        refusal.change(asked);
        EXPECT_EQ(asked.refusal().find(prefix + refusal.what), 0u)
            << asked.refusal() << ", not " << refusal.what;
    }
}

TEST(sign_off, refuses_records_that_this_stage_has_not_signed) {
    const std::function<void(Asked&)> changes[] = {
        // Another stage of the route, or of the same slot.
        [](Asked& a) { a.ask.records[0] = record_by(make_stage(2), request_id(1), 10); },
        [](Asked& a) { a.ask.records[0].record.request = request_id(3); },
        [](Asked& a) { a.ask.records[0].record.epoch = 4; },
        [](Asked& a) { a.ask.records[0].record.sampling = {2}; },
        [](Asked& a) { ++a.ask.records[0].record.input.end; },
        [](Asked& a) { a.ask.records[0].record.input.digest = {9}; },
        [](Asked& a) { --a.ask.records[0].record.output.end; },
        [](Asked& a) { a.ask.records[0].record.output.digest = {9}; },
        [](Asked& a) { a.ask.records[0].signature[64] ^= 1; },
        [](Asked& a) { a.ask.records[0].signature = {}; },
    };
    const auto by_another = [](auto change) {
        return [change](Asked& a) {
            attest::test::DevNode other = make_stage();
            change(other.statement);
            a.ask.records[0] = record_by(other, request_id(1), 10);
        };
    };
    // Of other layers, weights, chain or contract.
    const std::function<void(Asked&)> others[] = {
        by_another([](attest::Statement& s) {
            s.layers = {4, 9};
        }),
        by_another([](attest::Statement& s) { s.shard_root[0] ^= 1; }),
        by_another([](attest::Statement& s) { s.model_root[0] ^= 1; }),
        by_another([](attest::Statement& s) { s.chain_id = 1; }),
        by_another([](attest::Statement& s) { s.contract = {0xc1}; }),
    };
    for (const auto& change : changes) {
        Asked asked;
        change(asked);
        EXPECT_EQ(asked.sign().error().code, ErrorCode::settlement_rejected) << &change - changes;
    }
    for (const auto& change : others) {
        Asked asked;
        change(asked);
        EXPECT_EQ(asked.refusal().find("settlement_rejected: sign-off: stage record: have signer"),
                  0u)
            << asked.refusal();
    }
}

/// As large as a settlement may be.
SignOffAsk largest_ask(const attest::test::DevNode& stage) {
    SignOffAsk ask{make_batch(settlement_charges_max), 0, {}};
    ask.batch.spends.resize(settlement_claims_max);
    ask.batch.work.resize(settlement_nodes_max);
    for (uint16_t i = 0; i < settlement_charges_max; ++i)
        ask.records.push_back(record_by(stage, request_id(i), 1));
    return ask;
}

TEST(sign_off, the_largest_settlement_fits) {
    Asked asked;
    asked.ask = largest_ask(asked.stage);
    const Bytes batch = chain::tee_tee::SettleCall{asked.ask.batch}.encode().value();
    EXPECT_EQ(batch.size(), 57'764u);
    EXPECT_EQ(encode_sign_off_ask(asked.ask).value().size(),
              12 + batch.size() + settlement_charges_max * sign_off_record_bytes);
    EXPECT_TRUE(asked.sign()) << asked.refusal();
}

TEST(sign_off, refuses_more_than_fits) {
    Asked asked;
    asked.ask = largest_ask(asked.stage);
    asked.ask.records.push_back(record_by(asked.stage, request_id(5000), 1));
    EXPECT_EQ(asked.sign().error().code, ErrorCode::limit_exceeded);
    asked.ask.records.clear();
    asked.ask.batch.spends.resize(400);
    EXPECT_EQ(asked.sign().error().code, ErrorCode::limit_exceeded);
    EXPECT_EQ(decode_sign_off_ask(Bytes(sign_off_bytes_max + 1)).error().code,
              ErrorCode::limit_exceeded);
}

TEST(sign_off, an_ask_has_one_encoding) {
    const Asked asked;
    const Bytes good = encode_sign_off_ask(asked.ask).value();
    const auto back = decode_sign_off_ask(good);
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(encode_sign_off_ask(*back).value(), good);
    EXPECT_EQ(back->batch, asked.ask.batch);
    EXPECT_EQ(back->work, 1u);
    ASSERT_EQ(back->records.size(), 2u);
    EXPECT_EQ(back->records[1].record.input, asked.ask.records[1].record.input);
    EXPECT_EQ(back->records[1].signature, asked.ask.records[1].signature);
    for (size_t length = 0; length < good.size(); ++length)
        EXPECT_FALSE(decode_sign_off_ask(ByteView(good).first(length))) << length;
    Bytes longer = good;
    longer.push_back(0);
    EXPECT_EQ(decode_sign_off_ask(longer).error().code, ErrorCode::settlement_rejected);
    // The ABI lets bytes stand behind the last one that is read.
    ByteWriter padded;
    Bytes batch = chain::tee_tee::SettleCall{asked.ask.batch}.encode().value();
    const ByteView rest = ByteView(good).subspan(4 + batch.size());
    batch.resize(batch.size() + 32);
    padded.length_prefixed(batch);
    padded.bytes(rest);
    EXPECT_EQ(decode_sign_off_ask(padded.view()).error().code, ErrorCode::abi_malformed);
}

/// The dev receipt of three stages, under a contract.
attest::test::DevReceipt chain_receipt() {
    attest::test::DevReceipt dev = attest::test::make_receipt();
    for (size_t i = 0; i < dev.nodes.size(); ++i) {
        attest::Statement& statement = dev.nodes[i].statement;
        statement.chain_id = chain_id;
        statement.contract = contract;
        statement.pool = pool;
        dev.receipt.stages[i].statement = dev.nodes[i].encoded();
        dev.sign_stage(i);
    }
    return dev;
}

TEST(sign_off_asks, every_stage_of_a_receipt_signs_what_it_is_billed) {
    const attest::test::DevReceipt dev = chain_receipt();
    const attest::Receipt& receipt = dev.receipt;
    const uint64_t tokens =
        receipt.prompt_tokens - receipt.cached_tokens + receipt.completion_tokens;
    chain::tee_tee::Batch batch = make_batch(tokens);
    batch.work.clear();
    // On the chain the nodes were registered in another order.
    std::vector<crypto::Address> signers;
    for (const size_t index : {2u, 0u, 1u}) {
        batch.work.push_back({.node = signers.size() + 1, .tokens = tokens, .r = {}, .vs = {}});
        signers.push_back(dev.nodes[index].receipt_key.address());
    }
    SignOffAsks asks(batch, signers);
    ASSERT_TRUE(asks.add(receipt));
    const auto encoded = asks.encode();
    ASSERT_EQ(encoded.size(), 3u);
    for (const attest::test::DevNode& node : dev.nodes) {
        const crypto::Address address = node.receipt_key.address();
        const auto signature =
            sign_off(node.receipt_key, node.statement, encoded.at(address).value());
        ASSERT_TRUE(signature) << signature.error().message();
        EXPECT_EQ(crypto::recover_address(chain::settlement_digest({chain_id, contract}, batch),
                                          *signature)
                      .value(),
                  address);
    }
}

TEST(sign_off_asks, a_receipt_of_other_nodes_is_not_taken_in_part) {
    const attest::test::DevReceipt dev = chain_receipt();
    const crypto::Address signers[] = {dev.nodes[0].receipt_key.address(),
                                       dev.nodes[1].receipt_key.address()};
    SignOffAsks asks(make_batch(7), signers);
    EXPECT_EQ(asks.add(dev.receipt).error().code, ErrorCode::settlement_rejected);
    attest::Receipt malformed = dev.receipt;
    malformed.stages[2].statement.pop_back();
    EXPECT_EQ(asks.add(malformed).error().code, ErrorCode::statement_malformed);
    for (const auto& [signer, encoded] : asks.encode())
        EXPECT_TRUE(decode_sign_off_ask(encoded.value()).value().records.empty());
}

}  // namespace
}  // namespace teetee::billing
