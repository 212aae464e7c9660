// SPDX-License-Identifier: Apache-2.0
#include "crypto/password.hpp"

#include <gtest/gtest.h>

#include "crypto/aes_ctr.hpp"

namespace teetee::crypto {
namespace {

// RFC 7914, section 12.
TEST(password, scrypt_gives_the_vectors_of_the_rfc) {
    ByteArray<64> key;
    ASSERT_TRUE(scrypt({.password = {}, .salt = {}, .n = 16, .r = 1, .p = 1}, key));
    EXPECT_EQ(to_hex(key),
              "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
              "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906");
    ASSERT_TRUE(scrypt({.password = as_bytes("password"),
                        .salt = as_bytes("NaCl"),
                        .n = 1024,
                        .r = 8,
                        .p = 16,
                        .memory_bytes_max = 1u << 20},
                       key));
    EXPECT_EQ(to_hex(key),
              "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
              "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
}

// RFC 7914, section 11.
TEST(password, pbkdf2_gives_the_vectors_of_the_rfc) {
    ByteArray<64> key;
    ASSERT_TRUE(pbkdf2_sha256(
        {.password = as_bytes("passwd"), .salt = as_bytes("salt"), .iterations = 1}, key));
    EXPECT_EQ(to_hex(key),
              "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
              "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
}

TEST(password, refuses_parameters_that_are_none) {
    ByteArray<32> key;
    const auto scrypt_code = [&](uint64_t n, uint64_t r, uint64_t p) {
        return scrypt({.n = n, .r = r, .p = p, .memory_bytes_max = 1u << 20}, key).error().code;
    };
    EXPECT_EQ(scrypt_code(0, 8, 1), ErrorCode::crypto_failed);
    EXPECT_EQ(scrypt_code(1, 8, 1), ErrorCode::crypto_failed);
    EXPECT_EQ(scrypt_code(1000, 8, 1), ErrorCode::crypto_failed);
    EXPECT_EQ(scrypt_code(16, 0, 1), ErrorCode::crypto_failed);
    EXPECT_EQ(scrypt_code(16, 8, 0), ErrorCode::crypto_failed);
    EXPECT_EQ(scrypt_code(1u << 20, 8, 1), ErrorCode::crypto_failed);
    EXPECT_EQ(scrypt({.n = 16, .r = 1, .p = 1}, {}).error().code, ErrorCode::crypto_failed);
    EXPECT_EQ(pbkdf2_sha256({.iterations = 0}, key).error().code, ErrorCode::crypto_failed);
    EXPECT_EQ(pbkdf2_sha256({.iterations = 1}, {}).error().code, ErrorCode::crypto_failed);
}

// NIST SP 800-38A, F.5.1.
TEST(aes_ctr, gives_the_vector_of_the_standard) {
    const auto key = from_hex("2b7e151628aed2a6abf7158809cf4f3c").value();
    const auto counter = array_from_hex<16>("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff").value();
    const auto plain =
        from_hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51").value();
    const auto text = aes_128_ctr({.key = key, .counter = counter, .text = plain}).value();
    EXPECT_EQ(to_hex(text), "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff");
    const auto back = aes_128_ctr({.key = key, .counter = counter, .text = text}).value();
    EXPECT_EQ(to_hex(back), to_hex(plain));
    EXPECT_EQ(aes_128_ctr({.key = Bytes(32)}).error().code, ErrorCode::key_invalid);
    EXPECT_TRUE(aes_128_ctr({.key = key})->empty());
}

}  // namespace
}  // namespace teetee::crypto
