// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.hpp"

#include <gtest/gtest.h>

namespace teetee::crypto {
namespace {

// FIPS 180-4 examples; Keccak from the Ethereum yellow paper (empty) and the Keccak team (abc).
TEST(hash, known_answers) {
    EXPECT_EQ(to_hex(sha256(as_bytes("abc"))),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(to_hex(sha384(as_bytes("abc"))),
              "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
              "8086072ba1e7cc2358baeca134c825a7");
    EXPECT_EQ(to_hex(sha512(as_bytes("abc"))),
              "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
              "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    EXPECT_EQ(to_hex(sha256({})),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(to_hex(keccak256({})),
              "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
    EXPECT_EQ(to_hex(keccak256(as_bytes("abc"))),
              "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
}

TEST(hash, pieces_hash_as_the_whole_and_finish_starts_over) {
    Sha256 hash;
    hash.update(as_bytes("a"));
    hash.update({});
    hash.update(as_bytes("bc"));
    EXPECT_EQ(hash.finish(), sha256(as_bytes("abc")));
    EXPECT_EQ(hash.finish(), sha256({}));
}

TEST(hash, sha1_known_answers) {
    Sha1 hash;
    hash.update(as_bytes("ab"));
    hash.update(as_bytes("c"));
    EXPECT_EQ(to_hex(hash.finish()), "a9993e364706816aba3e25717850c26c9cd0d89d");
    EXPECT_EQ(to_hex(hash.finish()), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

}  // namespace
}  // namespace teetee::crypto
