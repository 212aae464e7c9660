// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace teetee::crypto {
namespace {

Bytes bytes_of(std::string_view hex) {
    return from_hex(hex).value();
}

// McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 2 and 14.
TEST(aead, gcm_known_answers) {
    const auto short_key = AeadKey::from_bytes(AeadAlgorithm::aes_128_gcm, Bytes(16)).value();
    const auto long_key = AeadKey::from_bytes(AeadAlgorithm::aes_256_gcm, Bytes(32)).value();
    const Bytes text(16);
    EXPECT_EQ(to_hex(short_key.seal({.nonce = {}, .aad = {}, .text = text}).value()),
              "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf");
    EXPECT_EQ(to_hex(long_key.seal({.nonce = {}, .aad = {}, .text = text}).value()),
              "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

// RFC 8439 section 2.8.2.
TEST(aead, chacha20_poly1305_known_answer) {
    const auto key =
        AeadKey::from_bytes(
            AeadAlgorithm::chacha20_poly1305,
            bytes_of("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"))
            .value();
    const AeadNonce nonce = array_from_hex<12>("070000004041424344454647").value();
    const Bytes aad = bytes_of("50515253c0c1c2c3c4c5c6c7");
    const std::string_view text =
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
        "future, sunscreen would be it.";
    const Bytes sealed = key.seal({.nonce = nonce, .aad = aad, .text = as_bytes(text)}).value();
    EXPECT_EQ(to_hex(ByteView(sealed).last(aead_tag_bytes)), "1ae10b594f09e26a7e902ecbd0600691");
    EXPECT_EQ(to_hex(ByteView(sealed).first(16)), "d31a8d34648e60db7b86afbc53ef7ec2");
    const SecretBytes opened = key.open({.nonce = nonce, .aad = aad, .text = sealed}).value();
    EXPECT_EQ(as_text(opened), text);
}

TEST(aead, refuses_keys_of_a_wrong_length) {
    for (const size_t length : {0u, 16u, 31u, 33u}) {
        EXPECT_EQ(AeadKey::from_bytes(AeadAlgorithm::aes_256_gcm, Bytes(length)).error().code,
                  ErrorCode::key_invalid);
    }
}

TEST(aead, seals_and_opens_an_empty_text) {
    const auto key = AeadKey::from_bytes(AeadAlgorithm::aes_256_gcm, Bytes(32)).value();
    const Bytes sealed = key.seal({.nonce = {}, .aad = {}, .text = {}}).value();
    EXPECT_EQ(sealed.size(), aead_tag_bytes);
    EXPECT_TRUE(key.open({.nonce = {}, .aad = {}, .text = sealed}).value().empty());
    EXPECT_EQ(key.open({.nonce = {1}, .aad = {}, .text = sealed}).error().code,
              ErrorCode::decrypt_failed);
}

TEST(nonce_sequence, counts_in_the_last_bytes_and_ends) {
    NonceSequence nonces(array_from_hex<12>("ffffffff0000000000000000").value(), 255);
    EXPECT_EQ(to_hex(nonces.peek().value()), "ffffffff00000000000000ff");
    nonces.advance();
    EXPECT_EQ(to_hex(nonces.peek().value()), "ffffffff0000000000000100");
    NonceSequence last(AeadNonce{}, std::numeric_limits<uint64_t>::max() - 1);
    EXPECT_EQ(to_hex(last.peek().value()), "00000000fffffffffffffffe");
    last.advance();
    EXPECT_EQ(last.peek().error().code, ErrorCode::sequence_exhausted);
}

}  // namespace
}  // namespace teetee::crypto
