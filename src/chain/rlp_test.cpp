// SPDX-License-Identifier: Apache-2.0
#include "chain/rlp.hpp"

#include <gtest/gtest.h>

#include "chain/test_rlp_tree.hpp"

namespace teetee::chain {
namespace {

Bytes hex(std::string_view text) {
    return from_hex(text).value();
}

std::string encoded_text(std::string_view text) {
    return to_hex(RlpWriter().bytes(as_bytes(text)).items());
}

// The examples of Ethereum's documentation of RLP.
TEST(rlp, encodes_the_examples) {
    EXPECT_EQ(encoded_text("dog"), "83646f67");
    EXPECT_EQ(encoded_text(""), "80");
    EXPECT_EQ(encoded_text("\x0f"), "0f");
    EXPECT_EQ(to_hex(RlpWriter().number(1024).items()), "820400");
    EXPECT_EQ(to_hex(RlpWriter().number(0).items()), "80");
    EXPECT_EQ(to_hex(RlpWriter().as_list()), "c0");
    EXPECT_EQ(to_hex(RlpWriter().bytes(as_bytes("cat")).bytes(as_bytes("dog")).as_list()),
              "c88363617483646f67");
    EXPECT_EQ(encoded_text(std::string(56, 'a')).substr(0, 4), "b838");
    EXPECT_EQ(encoded_text(std::string(0x400, 'a')).substr(0, 6), "b90400");
    // The set of the first three numbers after von Neumann.
    const RlpWriter none;
    RlpWriter one;
    one.list(none);
    RlpWriter two;
    two.list(none).list(one);
    RlpWriter three;
    three.list(none).list(one).list(two);
    EXPECT_EQ(to_hex(three.as_list()), "c7c0c1c0c3c0c1c0");
}

TEST(rlp, reads_what_it_writes) {
    RlpWriter inner;
    inner.bytes(Bytes(200, 7)).number(U256::max());
    RlpWriter outer;
    outer.list(inner).number(9).bytes(Bytes(20, 1));
    RlpReader all(outer.items());
    RlpReader list = all.list().value();
    EXPECT_EQ(list.bytes()->size(), 200u);
    EXPECT_EQ(list.number().value(), U256::max());
    EXPECT_TRUE(list.ensure_end());
    EXPECT_EQ(all.number_u64().value(), 9u);
    EXPECT_EQ(all.array<20>().value()[19], 1);
    EXPECT_TRUE(all.at_end());
}

TEST(rlp, refuses_every_other_encoding_of_a_value) {
    for (const char* bad : {"8100",
                            "817f",
                            "b800",
                            "b837",
                            "b90000",
                            "b80100",
                            "f800",
                            "f80100",
                            "f90001ff",
                            "bf0f000000000000021111",
                            "ff0f000000000000021111",
                            "83646f",
                            "b8",
                            "f8",
                            "c8836361",
                            "c3",
                            "b90001",
                            "ffffffffffffffffff",
                            "bfffffffffffffffff",
                            "8180ff",
                            "c0ff",
                            "c281"}) {
        EXPECT_FALSE(decode_rlp_tree(hex(bad))) << bad;
    }
    EXPECT_FALSE(decode_rlp_tree({}));
    EXPECT_TRUE(decode_rlp_tree(hex("8180")));
    EXPECT_TRUE(decode_rlp_tree(hex("00")));
}

TEST(rlp, a_failed_read_leaves_the_position_where_it_was) {
    const Bytes bytes = hex("820001");
    RlpReader reader(bytes);
    EXPECT_EQ(reader.number().error().code, ErrorCode::rlp_malformed);
    EXPECT_EQ(reader.list().error().code, ErrorCode::rlp_malformed);
    EXPECT_EQ(reader.array<3>().error().code, ErrorCode::rlp_malformed);
    EXPECT_EQ(reader.ensure_end().error().code, ErrorCode::rlp_malformed);
    EXPECT_EQ(reader.bytes()->size(), 2u);
    EXPECT_EQ(reader.bytes().error().code, ErrorCode::rlp_malformed);
}

TEST(rlp, numbers_have_their_size) {
    RlpWriter writer;
    writer.number(U256::power_of_two(64)).bytes(Bytes(33, 1)).list(RlpWriter());
    RlpReader reader(writer.items());
    EXPECT_EQ(reader.number_u64().error().code, ErrorCode::rlp_malformed);
    EXPECT_EQ(reader.number().value(), U256::power_of_two(64));
    EXPECT_EQ(reader.number().error().code, ErrorCode::rlp_malformed);
    EXPECT_TRUE(reader.bytes());
    EXPECT_EQ(reader.bytes().error().code, ErrorCode::rlp_malformed);
    EXPECT_TRUE(reader.list());
}

}  // namespace
}  // namespace teetee::chain
