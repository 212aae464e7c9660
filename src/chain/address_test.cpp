// SPDX-License-Identifier: Apache-2.0
#include "chain/address.hpp"

#include <gtest/gtest.h>

namespace teetee::chain {
namespace {

// The examples of EIP-55.
TEST(address, checksums_are_those_of_the_standard) {
    for (const char* text : {"0x52908400098527886E0F7030069857D2E4169EE7",
                             "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
                             "0xde709f2102306220921060314715629080e2fb77",
                             "0x27b1fdb04752bbc536007a920d24acb045561c26",
                             "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
                             "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
                             "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
                             "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb"}) {
        EXPECT_EQ(to_checksum_text(parse_address(text).value()), text);
    }
}

TEST(address, one_case_needs_no_checksum) {
    const Address address = parse_address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed").value();
    EXPECT_EQ(parse_address("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed").value(), address);
    EXPECT_EQ(parse_address("0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED").value(), address);
}

TEST(address, rejects_typing_errors) {
    for (const char* text :
         {"", "0x", "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
          "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD",
          "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",
          "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed0",
          "0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
          "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg",
          " 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"}) {
        EXPECT_EQ(parse_address(text).error().code, ErrorCode::account_malformed) << text;
    }
}

// The first contract that the first account of local dev chains deploys.
TEST(address, contracts_stand_where_creator_and_nonce_say) {
    const Address creator = parse_address("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266").value();
    EXPECT_EQ(to_checksum_text(contract_address(creator, 0)),
              "0x5FbDB2315678afecb367f032d93F642f64180aa3");
    EXPECT_EQ(to_checksum_text(contract_address(creator, 1)),
              "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512");
}

}  // namespace
}  // namespace teetee::chain
