// SPDX-License-Identifier: Apache-2.0
#include "chain/transaction.hpp"

#include <gtest/gtest.h>

#include "chain/limits.hpp"
#include "chain/rlp.hpp"
#include "crypto/hash.hpp"

namespace teetee::chain {
namespace {

crypto::SecpKey dev_key() {
    return crypto::SecpKey::from_bytes(
               from_hex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80").value())
        .value();
}

Transaction transfer() {
    return {.chain_id = 84532,
            .nonce = 7,
            .max_priority_fee_per_gas = 1'000'000,
            .max_fee_per_gas = 50'000'000,
            .gas_limit = 21'000,
            .to = parse_address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8").value(),
            .value = U256::power_of_two(60)};
}

Transaction of_type(TransactionType type) {
    Transaction out = transfer();
    out.type = type;
    if (type != TransactionType::dynamic_fee) out.max_priority_fee_per_gas = out.max_fee_per_gas;
    if (type != TransactionType::legacy)
        out.access_list = {{.address = *out.to, .storage_keys = {Digest{1}, Digest{2}}}, {}};
    return out;
}

constexpr TransactionType every_type[] = {TransactionType::legacy, TransactionType::access_list,
                                          TransactionType::dynamic_fee};

// Example of EIP-155.
TEST(transaction, signs_the_example_of_eip_155) {
    const auto key = crypto::SecpKey::from_bytes(Bytes(32, 0x46)).value();
    const U256 gas_price = 20'000'000'000;
    const Transaction transaction = {
        .type = TransactionType::legacy,
        .chain_id = 1,
        .nonce = 9,
        .max_priority_fee_per_gas = gas_price,
        .max_fee_per_gas = gas_price,
        .gas_limit = 21000,
        .to = parse_address("0x3535353535353535353535353535353535353535").value(),
        .value = 1'000'000'000'000'000'000};
    EXPECT_EQ(to_hex(crypto::keccak256(signing_bytes(transaction))),
              "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53");
    EXPECT_EQ(
        to_hex(sign_transaction(transaction, key)->raw),
        "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080"
        "25a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761a"
        "ecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83");
}

TEST(transaction, decodes_what_it_signs) {
    for (const auto type : every_type) {
        const auto signed_one = sign_transaction(of_type(type), dev_key()).value();
        const auto decoded = decode_transaction(signed_one.raw);
        ASSERT_TRUE(decoded) << decoded.error().message();
        EXPECT_EQ(decoded->transaction, of_type(type));
        EXPECT_EQ(decoded->sender, dev_key().address());
        EXPECT_EQ(decoded->hash, signed_one.hash);
        EXPECT_EQ(decoded->raw, signed_one.raw);
    }
    Transaction deployment = transfer();
    deployment.to.reset();
    deployment.data = Bytes(100, 0x60);
    const auto signed_one = sign_transaction(deployment, dev_key()).value();
    EXPECT_EQ(decode_transaction(signed_one.raw)->transaction, deployment);
}

TEST(transaction, a_legacy_one_may_be_good_on_every_chain) {
    Transaction transaction = of_type(TransactionType::legacy);
    transaction.chain_id.reset();
    const auto decoded = decode_transaction(sign_transaction(transaction, dev_key())->raw);
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(decoded->transaction, transaction);
    EXPECT_EQ(decoded->sender, dev_key().address());
}

TEST(transaction, no_changed_byte_leaves_it_the_senders) {
    for (const auto type : every_type) {
        const Bytes raw = sign_transaction(of_type(type), dev_key())->raw;
        for (size_t bit = 0; bit < 8 * raw.size(); ++bit) {
            Bytes changed = raw;
            changed[bit / 8] = static_cast<uint8_t>(changed[bit / 8] ^ (1u << (bit % 8)));
            const auto decoded = decode_transaction(changed);
            EXPECT_FALSE(decoded && decoded->sender == dev_key().address()) << "bit " << bit;
        }
        for (size_t length = 0; length < raw.size(); ++length)
            EXPECT_FALSE(decode_transaction(ByteView(raw).first(length))) << length;
        Bytes longer = raw;
        longer.push_back(0);
        EXPECT_EQ(decode_transaction(longer).error().code, ErrorCode::transaction_malformed);
    }
}

TEST(transaction, rejects_the_high_twin_of_a_signature) {
    const Bytes raw = sign_transaction(transfer(), dev_key())->raw;
    RlpReader outer(ByteView(raw).subspan(1));
    RlpReader fields = outer.list().value();
    RlpWriter twin;
    for (int i = 0; i < 8; ++i) twin.bytes(fields.bytes().value());
    ASSERT_TRUE(fields.list());
    twin.list(RlpWriter());
    twin.number(fields.number()->is_zero() ? 1 : 0).number(fields.number().value());
    const U256 order = U256::from_word(
        array_from_hex<32>("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
            .value());
    twin.number(order.minus(fields.number().value()).value());
    Bytes changed = twin.as_list();
    changed.insert(changed.begin(), 2);
    EXPECT_EQ(decode_transaction(changed).error().code, ErrorCode::signature_invalid);
}

TEST(transaction, refuses_to_sign_what_has_no_encoding) {
    const auto code = [](const Transaction& transaction) {
        return sign_transaction(transaction, dev_key()).error().code;
    };
    Transaction no_chain = transfer();
    no_chain.chain_id.reset();
    EXPECT_EQ(code(no_chain), ErrorCode::transaction_malformed);
    Transaction two_fees = of_type(TransactionType::access_list);
    two_fees.max_priority_fee_per_gas = 1;
    EXPECT_EQ(code(two_fees), ErrorCode::transaction_malformed);
    Transaction listed = of_type(TransactionType::legacy);
    listed.access_list = {{}};
    EXPECT_EQ(code(listed), ErrorCode::transaction_malformed);
}

TEST(transaction, names_types_that_it_does_not_know) {
    for (const char* raw : {"00c0", "03c0", "04c0", "7fc0", "bfc0"}) {
        EXPECT_EQ(decode_transaction(from_hex(raw).value()).error().code, ErrorCode::unsupported);
    }
    EXPECT_EQ(decode_transaction({}).error().code, ErrorCode::transaction_malformed);
    EXPECT_EQ(decode_transaction(Bytes{0xc0}).error().code, ErrorCode::transaction_malformed);
    EXPECT_EQ(decode_transaction(Bytes(transaction_bytes_max + 1, 0xc0)).error().code,
              ErrorCode::transaction_malformed);
}

TEST(transaction, what_nodes_would_refuse_is_told_before) {
    constexpr uint64_t chain_id = 84532;
    EXPECT_TRUE(ensure_sendable(transfer(), chain_id));
    EXPECT_FALSE(ensure_sendable(transfer(), 1));
    const auto refused = [&](auto change) {
        Transaction transaction = transfer();
        change(transaction);
        const auto sendable = ensure_sendable(transaction, chain_id);
        return !sendable && sendable.error().code == ErrorCode::transaction_malformed;
    };
    EXPECT_TRUE(refused([](Transaction& t) { t.nonce = UINT64_MAX; }));
    EXPECT_TRUE(refused([](Transaction& t) { t.gas_limit = 20'999; }));
    EXPECT_TRUE(refused([](Transaction& t) { t.data = {1}; }));
    EXPECT_TRUE(refused([](Transaction& t) { t.max_priority_fee_per_gas = U256::max(); }));
    EXPECT_TRUE(refused([](Transaction& t) { t.max_fee_per_gas = U256::max(); }));
    EXPECT_TRUE(refused([](Transaction& t) { t.access_list = {{}}; }));
    EXPECT_TRUE(refused([](Transaction& t) {
        t.to.reset();
        t.gas_limit = 10'000'000;
        t.data.resize(init_code_bytes_max + 1);
    }));
    EXPECT_FALSE(refused([](Transaction& t) {
        t.to.reset();
        t.gas_limit = 10'000'000;
        t.data.resize(init_code_bytes_max);
    }));
}

TEST(transaction, costs_at_most_its_gas_and_value) {
    Transaction transaction = transfer();
    transaction.value = 5;
    EXPECT_EQ(cost_max(transaction).value(), U256(21'000ull * 50'000'000 + 5));
    transaction.value = U256::max();
    EXPECT_EQ(cost_max(transaction).error().code, ErrorCode::amount_overflow);
    EXPECT_EQ(intrinsic_gas(of_type(TransactionType::access_list)), 21'000u + 2 * 2400 + 2 * 1900);
}

}  // namespace
}  // namespace teetee::chain
