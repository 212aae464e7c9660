// SPDX-License-Identifier: Apache-2.0
// The published vectors of transactions: ethereum-tests and ethers.
#include <iostream>

#include <gtest/gtest.h>

#include "chain/test_vectors.hpp"
#include "chain/transaction.hpp"

namespace teetee::chain {
namespace {

namespace json = boost::json;

// Decoded and sendable on the main chain.
Result<SignedTransaction> accept(ByteView raw) {
    TT_TRY(auto decoded, decode_transaction(raw));
    TT_CHECK(ensure_sendable(decoded.transaction, 1));
    return decoded;
}

// What the newest rules in a vector say of it. Vectors without those of Cancun were made before
// them, and differ in nothing that they test.
const json::object& verdict_of(const json::value& vector) {
    const json::object& results = vector.at("result").as_object();
    for (const char* fork : {"Cancun", "Shanghai", "London"}) {
        if (results.contains(fork)) return results.at(fork).as_object();
    }
    return results.begin()->value().as_object();
}

TEST(transaction_vectors, ethereum_tests) {
    TT_REQUIRE_SHARED_VECTORS();
    size_t accepted_count = 0;
    size_t rejected_count = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(
             vector_path("ethereum-tests/TransactionTests"))) {
        if (file.path().extension() != ".json") continue;
        const auto vectors = read_json_file(file.path());
        for (const auto& [name, vector] : vectors.as_object()) {
            SCOPED_TRACE(std::string(name));
            const json::object& verdict = verdict_of(vector);
            const auto raw = from_hex(text_of(vector.at("txbytes")));
            ASSERT_TRUE(raw);
            const auto accepted = accept(*raw);
            if (verdict.contains("exception")) {
                EXPECT_FALSE(accepted) << text_of(verdict.at("exception"));
                ++rejected_count;
                continue;
            }
            ASSERT_TRUE(accepted) << accepted.error().message();
            EXPECT_EQ("0x" + to_hex(accepted->hash), text_of(verdict.at("hash")));
            EXPECT_EQ("0x" + to_hex(accepted->sender), text_of(verdict.at("sender")));
            EXPECT_EQ(U256(intrinsic_gas(accepted->transaction)),
                      number_of(verdict.at("intrinsicGas")));
            ++accepted_count;
        }
    }
    std::cout << "transactions: " << accepted_count << " accepted, " << rejected_count
              << " rejected\n";
    EXPECT_EQ(accepted_count + rejected_count, 210u);
}

TEST(transaction_vectors, ethereum_tests_basic) {
    TT_REQUIRE_SHARED_VECTORS();
    const auto vectors = read_vectors("ethereum-tests/BasicTests/txtest.json");
    size_t exact_count = 0;
    for (const auto& vector : vectors.as_array()) {
        const auto key = crypto::SecpKey::from_bytes(bytes_of(vector.at("key"))).value();
        const U256 gas_price = number_of(vector.at("gasprice"));
        Transaction transaction = {.type = TransactionType::legacy,
                                   .nonce = *number_of(vector.at("nonce")).to_u64(),
                                   .max_priority_fee_per_gas = gas_price,
                                   .max_fee_per_gas = gas_price,
                                   .gas_limit = *number_of(vector.at("startgas")).to_u64(),
                                   .value = number_of(vector.at("value")),
                                   .data = bytes_of(vector.at("data"))};
        if (!vector.at("to").as_string().empty())
            transaction.to = array_from_hex<20>(text_of(vector.at("to"))).value();
        const Bytes expected = bytes_of(vector.at("signed"));
        const auto signed_one = sign_transaction(transaction, key).value();
        // One of the two was signed before EIP-2, with an s that is no longer allowed.
        if (const auto decoded = decode_transaction(expected)) {
            EXPECT_EQ(to_hex(signed_one.raw), to_hex(expected));
            EXPECT_EQ(decoded->sender, key.address());
            ++exact_count;
        } else {
            EXPECT_EQ(decoded.error().code, ErrorCode::signature_invalid);
            EXPECT_EQ(ByteView(signed_one.raw).size(), expected.size());
        }
    }
    EXPECT_EQ(exact_count, 1u);
    EXPECT_EQ(vectors.as_array().size(), 2u);
}

// What the signatures in the file are over is not said there; the addresses are checked.
TEST(transaction_vectors, ethereum_tests_key_addresses) {
    TT_REQUIRE_SHARED_VECTORS();
    const auto vectors = read_vectors("ethereum-tests/BasicTests/keyaddrtest.json");
    for (const auto& vector : vectors.as_array()) {
        const auto key = crypto::SecpKey::from_bytes(bytes_of(vector.at("key"))).value();
        EXPECT_EQ(to_hex(key.address()), text_of(vector.at("addr")));
    }
}

// The file gives fields that only some types have to every vector; absent ones are zero.
Transaction transaction_of(const json::value& fields, TransactionType type,
                           uint64_t absent_chain_id) {
    const auto number = [&](const char* key) {
        const json::value* value = member(fields, key);
        return value == nullptr ? U256() : number_of(*value);
    };
    Transaction out = {.type = type,
                       .nonce = *number("nonce").to_u64(),
                       .gas_limit = *number("gasLimit").to_u64(),
                       .value = number("value")};
    const bool has_chain_id = member(fields, "chainId") != nullptr;
    out.chain_id = has_chain_id ? number("chainId").to_u64().value() : absent_chain_id;
    const bool dynamic = type == TransactionType::dynamic_fee;
    out.max_fee_per_gas = number(dynamic ? "maxFeePerGas" : "gasPrice");
    out.max_priority_fee_per_gas = dynamic ? number("maxPriorityFeePerGas") : out.max_fee_per_gas;
    if (const auto* to = member(fields, "to"); to != nullptr && to->as_string().size() > 2)
        out.to = array_from_hex<20>(text_of(*to)).value();
    if (const auto* data = member(fields, "data")) out.data = bytes_of(*data);
    const auto* list = member(fields, "accessList");
    if (type == TransactionType::legacy || list == nullptr) return out;
    for (const auto& entry : list->as_array()) {
        AccessListEntry& made = out.access_list.emplace_back();
        made.address = array_from_hex<20>(text_of(entry.at("address"))).value();
        for (const auto& key : entry.at("storageKeys").as_array())
            made.storage_keys.push_back(array_from_hex<32>(text_of(key)).value());
    }
    return out;
}

struct Form {
    const char* name;
    TransactionType type;
    bool has_chain_id;
    // What ethers of the file's time took for a transaction that names none.
    uint64_t absent_chain_id = 0;
};

// The older file writes a chain id of 0 as the byte 00, which is not the encoding of a number; the
// newer one leaves the fields empty.
bool has_form(const json::value& vector, const Form& form) {
    if (form.type != TransactionType::legacy || !form.has_chain_id) return true;
    const auto* chain_id = member(vector.at("transaction"), "chainId");
    return chain_id != nullptr && !number_of(*chain_id).is_zero();
}

void expect_ethers_form(const json::value& vector, const Form& form, const crypto::SecpKey& key) {
    SCOPED_TRACE(form.name);
    Transaction transaction =
        transaction_of(vector.at("transaction"), form.type, form.absent_chain_id);
    if (!form.has_chain_id) transaction.chain_id.reset();
    const std::string name = form.name;
    EXPECT_EQ("0x" + to_hex(signing_bytes(transaction)),
              text_of(vector.at(std::string("unsigned") + name)));
    const auto signed_one = sign_transaction(transaction, key);
    ASSERT_TRUE(signed_one) << signed_one.error().message();
    EXPECT_EQ("0x" + to_hex(signed_one->raw), text_of(vector.at(std::string("signed") + name)));
    const auto decoded = decode_transaction(signed_one->raw);
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(decoded->transaction, transaction);
    EXPECT_EQ(decoded->sender, key.address());
}

struct EthersFile {
    std::string name;
    uint64_t absent_chain_id = 0;
    size_t expected_count = 0;
};

void expect_ethers_file(const EthersFile& file) {
    const auto vectors = read_packed_vectors("ethers-testcases/" + file.name);
    size_t count = 0;
    for (const auto& vector : vectors.as_array()) {
        SCOPED_TRACE(text_of(vector.at("name")));
        const auto key = crypto::SecpKey::from_bytes(bytes_of(vector.at("privateKey"))).value();
        for (const Form& form :
             {Form{"Legacy", TransactionType::legacy, false},
              Form{"Eip155", TransactionType::legacy, true},
              Form{"Berlin", TransactionType::access_list, true, file.absent_chain_id},
              Form{"London", TransactionType::dynamic_fee, true, file.absent_chain_id}}) {
            if (!has_form(vector, form)) continue;
            expect_ethers_form(vector, form, key);
            ++count;
        }
        // Blob transactions are refused by their type.
        if (const auto* blob = member(vector, "signedCancun");
            blob != nullptr && !blob->as_string().empty()) {
            EXPECT_EQ(decode_transaction(bytes_of(*blob)).error().code, ErrorCode::unsupported);
        }
    }
    std::cout << file.name << ": " << count << " signed and decoded\n";
    EXPECT_EQ(count, file.expected_count);
}

TEST(transaction_vectors, ethers_transactions) {
    TT_REQUIRE_SHARED_VECTORS();
    expect_ethers_file({.name = "transactions.json.gz", .expected_count = 4 * 3200 - 1536});
}

TEST(transaction_vectors, ethers_older_transactions) {
    TT_REQUIRE_SHARED_VECTORS();
    expect_ethers_file(
        {.name = "transaction.json.gz", .absent_chain_id = 1, .expected_count = 4 * 896 - 401});
}

TEST(address_vectors, ethers_accounts) {
    TT_REQUIRE_SHARED_VECTORS();
    const auto vectors = read_packed_vectors("ethers-testcases/accounts.json.gz");
    for (const auto& vector : vectors.as_array()) {
        const Address address = parse_address(text_of(vector.at("address"))).value();
        EXPECT_EQ(to_checksum_text(address), text_of(vector.at("address")));
        if (const auto* secret = member(vector, "privateKey")) {
            EXPECT_EQ(crypto::SecpKey::from_bytes(bytes_of(*secret))->address(), address);
        }
    }
    EXPECT_EQ(vectors.as_array().size(), 259u);
}

TEST(address_vectors, ethers_contracts) {
    TT_REQUIRE_SHARED_VECTORS();
    size_t count = 0;
    const auto vectors = read_packed_vectors("ethers-testcases/create.json.gz");
    for (const auto& vector : vectors.as_array()) {
        const Address creator = parse_address(text_of(vector.at("sender"))).value();
        for (const auto& made : vector.at("creates").as_array()) {
            const auto nonce = number_of(made.at("nonce")).to_u64().value();
            EXPECT_EQ(to_checksum_text(contract_address(creator, nonce)),
                      text_of(made.at("address")));
            ++count;
        }
    }
    EXPECT_EQ(count, 160u);
}

}  // namespace
}  // namespace teetee::chain
