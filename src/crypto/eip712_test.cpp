// SPDX-License-Identifier: Apache-2.0
#include "crypto/eip712.hpp"

#include <gtest/gtest.h>

#include "crypto/hash.hpp"

namespace teetee::crypto {
namespace {

Digest text_hash(std::string_view text) {
    return keccak256(as_bytes(text));
}

Digest person(std::string_view name, std::string_view wallet) {
    return Eip712Struct("Person(string name,address wallet)")
        .bytes32(text_hash(name))
        .address(array_from_hex<20>(wallet).value())
        .hash();
}

Digest mail() {
    return Eip712Struct(
               "Mail(Person from,Person to,string contents)Person(string name,address wallet)")
        .bytes32(person("Cow", "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"))
        .bytes32(person("Bob", "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"))
        .bytes32(text_hash("Hello, Bob!"))
        .hash();
}

// The example of EIP-712 (assets/eip-712/Example.js).
TEST(eip712, the_example_of_the_standard) {
    EXPECT_EQ(to_hex(mail()), "c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e");
    const Eip712Domain domain = {
        .name = "Ether Mail",
        .version = "1",
        .chain_id = 1,
        .contract = array_from_hex<20>("0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC").value()};
    EXPECT_EQ(to_hex(eip712_digest(domain, mail())),
              "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2");
}

TEST(eip712, short_bytes_stand_at_the_left_and_arrays_are_hashed) {
    const ByteArray<2> two = {1, 2};
    Bytes encoded = Bytes(32);
    const Digest type = text_hash("A(bytes2 b,bytes32[] c)");
    std::copy(type.begin(), type.end(), encoded.begin());
    encoded.resize(64);
    encoded[32] = 1;
    encoded[33] = 2;
    const Digest empty = keccak256({});
    encoded.insert(encoded.end(), empty.begin(), empty.end());
    EXPECT_EQ(Eip712Struct("A(bytes2 b,bytes32[] c)").bytes_n(two).array({}).hash(),
              keccak256(encoded));
}

}  // namespace
}  // namespace teetee::crypto
