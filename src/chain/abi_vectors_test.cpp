// SPDX-License-Identifier: Apache-2.0
// The published vectors of RLP, the ABI and EIP-712: ethereum-tests and ethers.
#include <iostream>
#include <map>

#include <gtest/gtest.h>

#include "chain/abi_contract.hpp"
#include "chain/test_rlp_tree.hpp"
#include "chain/test_vectors.hpp"
#include "crypto/eip712.hpp"
#include "crypto/hash.hpp"

namespace teetee::chain {
namespace {

namespace json = boost::json;

// In ethereum-tests a string is its bytes, or a decimal number behind '#'; in ethers it is hex.
RlpTree rlp_tree_of(const json::value& value, bool strings_are_hex) {
    RlpTree tree;
    if (value.is_array()) {
        tree.is_list = true;
        for (const auto& item : value.as_array())
            tree.items.push_back(rlp_tree_of(item, strings_are_hex));
    } else if (!value.is_string()) {
        tree.bytes = number_of(value).to_bytes();
    } else if (strings_are_hex) {
        tree.bytes = bytes_of(value);
    } else if (const std::string text = text_of(value); text.starts_with("#")) {
        // One is 2^256, which no field of Ethereum holds; it is taken as bytes.
        const auto number = U256::from_decimal(text.substr(1));
        tree.bytes = number ? number->to_bytes() : Bytes(33);
        if (!number) tree.bytes[0] = 1;
    } else {
        tree.bytes.assign(text.begin(), text.end());
    }
    return tree;
}

void expect_rlp(const json::value& shape, const Bytes& encoded, bool strings_are_hex) {
    EXPECT_EQ(to_hex(encode_rlp_tree(rlp_tree_of(shape, strings_are_hex))), to_hex(encoded));
    const auto decoded = decode_rlp_tree(encoded);
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(to_hex(encode_rlp_tree(*decoded)), to_hex(encoded));
}

TEST(rlp_vectors, ethereum_tests) {
    TT_REQUIRE_SHARED_VECTORS();
    size_t valid_count = 0;
    size_t invalid_count = 0;
    for (const char* name : {"rlptest", "invalidRLPTest", "RandomRLPTests/example"}) {
        const auto vectors = read_vectors("ethereum-tests/RLPTests/" + std::string(name) + ".json");
        for (const auto& [key, vector] : vectors.as_object()) {
            SCOPED_TRACE(std::string(key));
            const auto& in = vector.at("in");
            const Bytes encoded = bytes_of(vector.at("out"));
            if (in.is_string() && in.as_string() == "INVALID") {
                EXPECT_FALSE(decode_rlp_tree(encoded));
                ++invalid_count;
            } else if (in.is_string() && in.as_string() == "VALID") {
                EXPECT_TRUE(decode_rlp_tree(encoded));
                ++valid_count;
            } else {
                expect_rlp(in, encoded, false);
                ++valid_count;
            }
        }
    }
    std::cout << "RLP: " << valid_count << " valid, " << invalid_count << " invalid\n";
    EXPECT_GT(valid_count, 25u);
    EXPECT_GT(invalid_count, 20u);
}

TEST(rlp_vectors, ethers) {
    TT_REQUIRE_SHARED_VECTORS();
    const auto vectors = read_packed_vectors("ethers-testcases/rlp.json.gz");
    for (const auto& vector : vectors.as_array()) {
        SCOPED_TRACE(text_of(vector.at("name")));
        expect_rlp(vector.at("decoded"), bytes_of(vector.at("encoded")), true);
    }
    EXPECT_EQ(vectors.as_array().size(), 61u);
}

// Decimal with an optional sign, or hex.
U256 integer_of(const json::value& value) {
    if (value.is_int64() && value.as_int64() < 0)
        return U256(static_cast<uint64_t>(-value.as_int64())).twos_complement();
    if (!value.is_string()) return number_of(value);
    const std::string text = text_of(value);
    if (text.starts_with("0x")) return number_of(value);
    if (text.starts_with("-")) return U256::from_decimal(text.substr(1))->twos_complement();
    return U256::from_decimal(text).value();
}

AbiValue abi_value_of(const AbiType& type, const json::value& value) {
    switch (type.kind) {
        case AbiKind::unsigned_integer:
        case AbiKind::signed_integer:
            return integer_of(value);
        case AbiKind::boolean:
            return uint64_t{value.as_bool() ? 1u : 0u};
        case AbiKind::string:
            return AbiValue::of(as_bytes(text_of(value)));
        case AbiKind::address:
        case AbiKind::fixed_bytes:
        case AbiKind::bytes:
            // The vectors of ethereum-tests have bytes as text.
            if (text_of(value).starts_with("0x")) return bytes_of(value);
            return AbiValue::of(as_bytes(text_of(value)));
        default:
            break;
    }
    std::vector<AbiValue> elements;
    for (const auto& element : value.as_array()) {
        const size_t part = type.kind == AbiKind::tuple ? elements.size() : 0;
        elements.push_back(abi_value_of(type.parts[part], element));
    }
    return elements;
}

void expect_abi(const std::vector<AbiType>& types, const std::vector<AbiValue>& values,
                const Bytes& encoded) {
    EXPECT_EQ(to_hex(encode_abi(types, values).value()), to_hex(encoded));
    const auto decoded = decode_abi(types, encoded);
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(*decoded, values);
}

TEST(abi_vectors, ethereum_tests) {
    TT_REQUIRE_SHARED_VECTORS();
    const auto vectors = read_vectors("ethereum-tests/ABITests/basic_abi_tests.json");
    for (const auto& [name, vector] : vectors.as_object()) {
        SCOPED_TRACE(std::string(name));
        std::vector<AbiType> types;
        std::vector<AbiValue> values;
        for (const auto& type : vector.at("types").as_array()) {
            types.push_back(parse_abi_type(text_of(type)).value());
            values.push_back(
                abi_value_of(types.back(), vector.at("args").as_array()[values.size()]));
        }
        expect_abi(types, values, bytes_of(vector.at("result")));
    }
    EXPECT_EQ(vectors.as_object().size(), 3u);
}

TEST(abi_vectors, ethers) {
    TT_REQUIRE_SHARED_VECTORS();
    const auto vectors = read_packed_vectors("ethers-testcases/abi.json.gz");
    for (const auto& vector : vectors.as_array()) {
        SCOPED_TRACE(text_of(vector.at("name")));
        const auto type = parse_abi_type(text_of(vector.at("type")));
        ASSERT_TRUE(type) << type.error().message();
        expect_abi({*type}, {abi_value_of(*type, vector.at("value"))},
                   bytes_of(vector.at("encoded")));
    }
    EXPECT_EQ(vectors.as_array().size(), 1024u);
}

TEST(keccak_vectors, ethers) {
    TT_REQUIRE_SHARED_VECTORS();
    const auto vectors = read_packed_vectors("ethers-testcases/hashes.json.gz");
    for (const auto& vector : vectors.as_array()) {
        EXPECT_EQ("0x" + to_hex(crypto::keccak256(bytes_of(vector.at("data")))),
                  text_of(vector.at("keccak256")));
    }
    EXPECT_EQ(vectors.as_array().size(), 257u);
}

// EIP-712 for types known only at run time, over crypto's building blocks.
class TypedData {
  public:
    explicit TypedData(const json::value& types) : types_(types) {}

    Digest hash_struct(const std::string& name, const json::value& data) const {
        std::map<std::string, bool> used;
        collect(name, used);
        used.erase(name);
        std::string type = member_list(name);
        for (const auto& [other, unused] : used) type += member_list(other);
        crypto::Eip712Struct out(type);
        for (const auto& field : types_.at(name).as_array()) {
            out.bytes32(encode(text_of(field.at("type")),
                               data.at(std::string(field.at("name").as_string()))));
        }
        return out.hash();
    }

  private:
    static std::string base_of(const std::string& type) { return type.substr(0, type.find('[')); }

    void collect(const std::string& type, std::map<std::string, bool>& used) const {
        const std::string name = base_of(type);
        if (!types_.as_object().contains(name) || used[name]) return;
        used[name] = true;
        for (const auto& field : types_.at(name).as_array())
            collect(text_of(field.at("type")), used);
        std::erase_if(used, [](const auto& entry) { return !entry.second; });
    }

    std::string member_list(const std::string& name) const {
        std::string out = name + "(";
        for (const auto& field : types_.at(name).as_array())
            out += text_of(field.at("type")) + " " + text_of(field.at("name")) + ",";
        if (out.back() == ',') out.pop_back();
        return out + ")";
    }

    Digest encode(const std::string& type, const json::value& value) const {
        if (type.ends_with("]")) {
            Bytes joined;
            const std::string element = type.substr(0, type.rfind('['));
            for (const auto& each : value.as_array()) {
                const Digest word = encode(element, each);
                joined.insert(joined.end(), word.begin(), word.end());
            }
            return crypto::keccak256(joined);
        }
        if (types_.as_object().contains(type)) return hash_struct(type, value);
        if (type == "string") return crypto::keccak256(as_bytes(text_of(value)));
        if (type == "bytes") return crypto::keccak256(bytes_of(value));
        const auto parsed = parse_abi_type(type).value();
        const AbiValue single = abi_value_of(parsed, value);
        return U256::from_bytes(encode_abi({&parsed, 1}, {&single, 1}).value())->to_word();
    }

    const json::value& types_;
};

// The domain's type lists the fields that it has, in this order (EIP-712).
Digest domain_separator(const json::value& domain) {
    json::object types;
    json::array fields;
    for (const auto& [name, type] : std::initializer_list<std::pair<const char*, const char*>>{
             {"name", "string"},
             {"version", "string"},
             {"chainId", "uint256"},
             {"verifyingContract", "address"},
             {"salt", "bytes32"}}) {
        if (member(domain, name) != nullptr)
            fields.push_back(json::object{{"name", name}, {"type", type}});
    }
    types["EIP712Domain"] = fields;
    const json::value all = types;
    return TypedData(all).hash_struct("EIP712Domain", domain);
}

TEST(eip712_vectors, ethers) {
    TT_REQUIRE_SHARED_VECTORS();
    const auto vectors = read_packed_vectors("ethers-testcases/typed-data.json.gz");
    size_t signed_count = 0;
    for (const auto& vector : vectors.as_array()) {
        SCOPED_TRACE(text_of(vector.at("name")));
        const Digest message =
            TypedData(vector.at("types"))
                .hash_struct(text_of(vector.at("primaryType")), vector.at("data"));
        Bytes joined = {0x19, 0x01};
        const Digest separator = domain_separator(vector.at("domain"));
        joined.insert(joined.end(), separator.begin(), separator.end());
        joined.insert(joined.end(), message.begin(), message.end());
        const Digest digest = crypto::keccak256(joined);
        EXPECT_EQ("0x" + to_hex(digest), text_of(vector.at("digest")));
        if (const auto* secret = member(vector, "privateKey")) {
            const auto key = crypto::SecpKey::from_bytes(bytes_of(*secret)).value();
            EXPECT_EQ("0x" + to_hex(key.sign_recoverable(digest)), text_of(vector.at("signature")));
            ++signed_count;
        }
    }
    EXPECT_EQ(vectors.as_array().size(), 130u);
    EXPECT_EQ(signed_count, 1u);
}

}  // namespace
}  // namespace teetee::chain
