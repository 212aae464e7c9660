// SPDX-License-Identifier: Apache-2.0
#include "chain/abi.hpp"

#include <gtest/gtest.h>

#include "chain/abi_contract.hpp"
#include "chain/limits.hpp"
#include "crypto/hash.hpp"

namespace teetee::chain {
namespace {

std::string word(std::string_view hex_digits) {
    return std::string(64 - hex_digits.size(), '0') + std::string(hex_digits);
}

Bytes hex(const std::string& text) {
    return from_hex(text).value();
}

Result<std::vector<AbiValue>> decode(std::initializer_list<std::string_view> types,
                                     const std::string& data) {
    return decode_abi(abi_types(types), hex(data));
}

void expect_malformed(std::initializer_list<std::string_view> types, const std::string& data) {
    const auto decoded = decode(types, data);
    ASSERT_FALSE(decoded) << *types.begin() << " " << data;
    EXPECT_EQ(decoded.error().code, ErrorCode::abi_malformed);
}

TEST(abi_type, names_are_canonical) {
    for (const char* name :
         {"uint256", "uint8", "int24", "bool", "address", "bytes1", "bytes32", "bytes", "string",
          "uint256[]", "string[3][]", "(uint256,(bytes,string[2])[4],bool)"}) {
        EXPECT_EQ(parse_abi_type(name).value().name(), name);
    }
    EXPECT_EQ(parse_abi_type("uint")->name(), "uint256");
    EXPECT_EQ(parse_abi_type("(int[],uint)")->name(), "(int256[],uint256)");
}

TEST(abi_type, rejects_what_is_no_type) {
    for (const char* name : {"",
                             "uint7",
                             "uint264",
                             "uint08",
                             "int0",
                             "bytes0",
                             "bytes33",
                             "byte",
                             "fixed128x18",
                             "function",
                             "uint256 ",
                             "uint256[",
                             "uint256[-1]",
                             "uint256[0]",
                             "uint256[01]",
                             "()",
                             "(uint256",
                             "(uint256,)",
                             "uint256)",
                             "Uint256",
                             "bool8",
                             "address20",
                             "string1",
                             "uint8[99999999999999999999]",
                             "uint8[65536][65536]",
                             "uint8[70000]"}) {
        EXPECT_EQ(parse_abi_type(name).error().code, ErrorCode::abi_malformed) << name;
    }
    std::string nested = "bool";
    for (size_t i = 0; i <= abi_depth_max; ++i) nested = "(" + nested + ")";
    EXPECT_FALSE(parse_abi_type(nested));
    EXPECT_FALSE(parse_abi_type("bool" + std::string(40, '[') + std::string(40, ']')));
    std::string deep = "bool";
    for (size_t i = 0; i <= abi_depth_max; ++i) deep += "[]";
    EXPECT_FALSE(parse_abi_type(deep));
    EXPECT_FALSE(parse_abi_type(std::string(5000, '(')));
}

// The examples of the Solidity documentation, "Contract ABI Specification".
TEST(abi, encodes_the_examples_of_the_specification) {
    EXPECT_EQ(to_hex(abi_selector("baz(uint32,bool)")), "cdcd77c0");
    EXPECT_EQ(to_hex(encode_call(abi_selector("baz(uint32,bool)"), abi_types({"uint32", "bool"}),
                                 std::vector<AbiValue>{uint64_t{69}, uint64_t{1}})
                         .value()),
              "cdcd77c0" + word("45") + word("1"));
    const std::vector<AbiValue> sam = {
        AbiValue::of(as_bytes("dave")), uint64_t{1},
        std::vector<AbiValue>{uint64_t{1}, uint64_t{2}, uint64_t{3}}};
    EXPECT_EQ(to_hex(encode_call(abi_selector("sam(bytes,bool,uint256[])"),
                                 abi_types({"bytes", "bool", "uint256[]"}), sam)
                         .value()),
              "a5643bf2" + word("60") + word("1") + word("a0") + word("4") + "64617665" +
                  std::string(56, '0') + word("3") + word("1") + word("2") + word("3"));
}

TEST(abi, decodes_what_it_encodes) {
    const auto types = abi_types({"(uint8,string)[2]", "int16", "bytes3[]", "address", "bytes"});
    const std::vector<AbiValue> values = {
        std::vector<AbiValue>{
            std::vector<AbiValue>{uint64_t{1}, AbiValue::of(as_bytes("one"))},
            std::vector<AbiValue>{uint64_t{2}, AbiValue::of(as_bytes(std::string(40, 'z')))}},
        U256(300).twos_complement(), std::vector<AbiValue>{Bytes{1, 2, 3}},
        AbiValue(Bytes(20, 0xee)), AbiValue(Bytes{})};
    const auto encoded = encode_abi(types, values);
    ASSERT_TRUE(encoded) << encoded.error().message();
    EXPECT_EQ(decode_abi(types, *encoded).value(), values);
    for (size_t length = 0; length < encoded->size(); ++length)
        EXPECT_FALSE(decode_abi(types, ByteView(*encoded).first(length))) << length;
}

TEST(abi, refuses_values_of_another_type) {
    const auto refused = [](std::string_view type, AbiValue value) {
        const auto encoded = encode_abi(abi_types({type}), std::span(&value, 1));
        return !encoded && encoded.error().code == ErrorCode::abi_malformed;
    };
    EXPECT_TRUE(refused("uint8", uint64_t{256}));
    EXPECT_TRUE(refused("uint128", U256::power_of_two(128)));
    EXPECT_TRUE(refused("int8", uint64_t{128}));
    EXPECT_TRUE(refused("bool", uint64_t{2}));
    EXPECT_TRUE(refused("bool", Bytes{1}));
    EXPECT_TRUE(refused("address", Bytes(19)));
    EXPECT_TRUE(refused("address", uint64_t{1}));
    EXPECT_TRUE(refused("bytes4", Bytes(5)));
    EXPECT_TRUE(refused("string", Bytes{0xff}));
    EXPECT_TRUE(refused("uint8[2]", std::vector<AbiValue>{uint64_t{1}}));
    EXPECT_TRUE(refused("uint8[]", uint64_t{1}));
    EXPECT_TRUE(refused("(uint8,uint8)", std::vector<AbiValue>{uint64_t{1}}));
    EXPECT_FALSE(encode_abi(abi_types({"uint8"}), {}));
}

TEST(abi, every_bit_is_as_it_should_be) {
    EXPECT_TRUE(decode({"uint8"}, word("ff")));
    expect_malformed({"uint8"}, word("100"));
    expect_malformed({"bool"}, word("2"));
    expect_malformed({"int8"}, word("80"));
    EXPECT_TRUE(decode({"int8"}, std::string(62, 'f') + "80"));
    expect_malformed({"address"}, "01" + word("1").substr(2));
    EXPECT_TRUE(decode({"bytes2"}, "1234" + std::string(60, '0')));
    expect_malformed({"bytes2"}, "123401" + std::string(58, '0'));
    expect_malformed({"bytes"}, word("20") + word("1") + "ab01" + std::string(60, '0'));
    expect_malformed({"bytes"}, word("20") + word("1") + "ab");
    expect_malformed({"string"}, word("20") + word("1") + "ff" + std::string(62, '0'));
    expect_malformed({"uint256"}, word("1").substr(2));
    expect_malformed({"uint256"}, "");
}

TEST(abi, offsets_and_lengths_lead_inside) {
    expect_malformed({"bytes"}, word("40") + word("0"));
    expect_malformed({"bytes"}, word("21") + word("0"));
    expect_malformed({"bytes"}, std::string(64, 'f') + word("0"));
    expect_malformed({"bytes"}, word("20") + std::string(64, 'f'));
    expect_malformed({"bytes"}, word("20") + word("21") + word("0"));
    expect_malformed({"uint256[]"}, word("20") + word("2") + word("1"));
    expect_malformed({"uint256[]"}, word("20") + std::string(64, 'f'));
    expect_malformed({"uint256[2]"}, word("1"));
    EXPECT_TRUE(decode({"uint256[]"}, word("20") + word("0")));
    EXPECT_TRUE(decode({}, ""));
}

// Offsets that all lead to the same array would otherwise let 2 KiB stand for gigabytes.
TEST(abi, what_is_shown_again_and_again_is_bounded) {
    std::string nest = word("20");
    constexpr size_t wide = 64;
    for (int level = 0; level < 4; ++level) {
        nest += word("40");
        for (size_t i = 0; i < wide; ++i) nest += word("800");
    }
    const auto nested = decode({"uint8[][][][][]"}, nest + word("0"));
    ASSERT_FALSE(nested);
    EXPECT_NE(nested.error().detail.find("more than"), std::string::npos) << nested.error().detail;
    std::string same = word("20") + word("7d0");
    for (int i = 0; i < 2000; ++i) same += word("fa00");
    same += word("1000") + std::string(2 * 0x1000, '0');
    const auto many = decode({"bytes[]"}, same);
    ASSERT_FALSE(many);
    EXPECT_NE(many.error().detail.find("more than"), std::string::npos) << many.error().detail;
}

TEST(abi_event, topics_and_data_are_put_together_again) {
    const AbiEvent event = {
        .topic = crypto::keccak256(as_bytes("Paid(address,uint256,string,string)")),
        .fields = {{abi_types({"address"})[0], true},
                   {abi_types({"uint256"})[0], false},
                   {abi_types({"string"})[0], true},
                   {abi_types({"string"})[0], false}}};
    const Digest text_hash = crypto::keccak256(as_bytes("indexed"));
    Digest who{};
    who[31] = 7;
    const Bytes data = hex(word("5") + word("40") + word("1") + "61" + std::string(62, '0'));
    const std::vector<Digest> topics = {event.topic, who, text_hash};
    const auto fields = decode_event(event, {.topics = topics, .data = data});
    ASSERT_TRUE(fields) << fields.error().message();
    EXPECT_EQ((*fields)[0].bytes()[19], 7);
    EXPECT_EQ((*fields)[1].number(), U256(5));
    EXPECT_EQ((*fields)[2].bytes(), Bytes(text_hash.begin(), text_hash.end()));
    EXPECT_EQ(as_text((*fields)[3].bytes()), "a");

    const auto rejected = [&](std::vector<Digest> changed, const Bytes& with) {
        const auto decoded = decode_event(event, {.topics = changed, .data = with});
        return !decoded && decoded.error().code == ErrorCode::abi_malformed;
    };
    EXPECT_TRUE(rejected({}, data));
    EXPECT_TRUE(rejected({who, who, text_hash}, data));
    EXPECT_TRUE(rejected({event.topic, who}, data));
    EXPECT_TRUE(rejected({event.topic, who, text_hash, who}, data));
    EXPECT_TRUE(rejected({event.topic, text_hash, text_hash}, data));
    EXPECT_TRUE(rejected(topics, Bytes(31)));
}

TEST(abi_revert, reasons_are_told) {
    const std::vector<AbiError> known = {
        {.name = "TooLate",
         .selector = abi_selector("TooLate(uint64,int8,bool,address,bytes,uint8[])"),
         .types = abi_types({"uint64", "int8", "bool", "address", "bytes", "uint8[]"})}};
    const auto told = [&](std::string_view signature, std::initializer_list<std::string_view> types,
                          std::vector<AbiValue> values) {
        return describe_revert(
            encode_call(abi_selector(signature), abi_types(types), values).value(), known);
    };
    EXPECT_EQ(told("Error(string)", {"string"}, {AbiValue::of(as_bytes("no\nmoney"))}),
              "Error('no?money')");
    EXPECT_EQ(told("Panic(uint256)", {"uint256"}, {uint64_t{0x11}}),
              "Panic(0x11: arithmetic overflow)");
    EXPECT_EQ(told("Panic(uint256)", {"uint256"}, {uint64_t{0x99}}), "Panic(0x99: unknown)");
    EXPECT_EQ(told("TooLate(uint64,int8,bool,address,bytes,uint8[])",
                   {"uint64", "int8", "bool", "address", "bytes", "uint8[]"},
                   {uint64_t{5}, U256(3).twos_complement(), uint64_t{1}, Bytes(20, 0xab),
                    Bytes(100, 1), std::vector<AbiValue>{uint64_t{1}}}),
              "TooLate(5, -3, true, 0x" + to_hex(Bytes(20, 0xab)) + ", 0x" + to_hex(Bytes(36, 1)) +
                  "..., [1 values])");
    EXPECT_EQ(told("Other(bool)", {"bool"}, {uint64_t{1}}).substr(0, 24),
              "unknown error 0x" + to_hex(abi_selector("Other(bool)")));
    EXPECT_EQ(describe_revert({}, known), "no reason given");
    EXPECT_EQ(describe_revert(Bytes{1}, known), "unknown error 0x01");
    EXPECT_LT(told("Error(string)", {"string"}, {AbiValue(Bytes(9000, 'x'))}).size(), 100u);
}

}  // namespace
}  // namespace teetee::chain
