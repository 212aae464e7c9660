// SPDX-License-Identifier: Apache-2.0
#include "crypto/p256.hpp"

#include <array>
#include <functional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/err.h>

namespace teetee::crypto {
namespace {

TEST(p256, verifies_its_own_signatures_only) {
    const auto key = P256Key::generate().value();
    const auto signature = key.sign(as_bytes("message")).value();
    EXPECT_TRUE(verify_p256(key.point(), {.message = as_bytes("message"), .signature = signature}));
    EXPECT_EQ(verify_p256(key.point(), {.message = as_bytes("massage"), .signature = signature})
                  .error()
                  .code,
              ErrorCode::signature_invalid);
    const auto other = P256Key::generate().value();
    EXPECT_EQ(verify_p256(other.point(), {.message = as_bytes("message"), .signature = signature})
                  .error()
                  .code,
              ErrorCode::signature_invalid);
}

// RFC 6979 A.2.5, SHA-256, message "sample".
TEST(p256, deterministic_signature_known_answer) {
    const auto key = P256Key::from_pem(
                         "-----BEGIN PRIVATE KEY-----\n"
                         "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgya+p2EW6dRZrXCFX\n"
                         "Z7HWk05Qw9s26JsSe4piKxIPZyGhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth\n"
                         "+mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ\n"
                         "-----END PRIVATE KEY-----\n")
                         .value();
    EXPECT_EQ(to_hex(key.sign_deterministic(as_bytes("sample")).value()),
              "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
              "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
}

TEST(p256, deterministic_signatures_verify_and_repeat) {
    const auto key = P256Key::derive(ByteArray<32>{7}).value();
    const auto signature = key.sign_deterministic(as_bytes("message")).value();
    EXPECT_EQ(signature, key.sign_deterministic(as_bytes("message")).value());
    EXPECT_NE(signature, key.sign_deterministic(as_bytes("other")).value());
    EXPECT_TRUE(verify_p256(key.point(), {.message = as_bytes("message"), .signature = signature}));
}

TEST(p256, threads_sign_deterministically_at_the_same_time) {
    const auto sign = [](uint8_t thread, std::vector<P256Signature>& out) {
        const auto key = P256Key::derive(ByteArray<32>{thread}).value();
        for (uint8_t i = 0; i < 100; ++i)
            out.push_back(key.sign_deterministic(Bytes(10, i)).value());
    };
    std::array<std::vector<P256Signature>, 4> alone;
    std::array<std::vector<P256Signature>, 4> together;
    std::vector<std::thread> threads;
    for (uint8_t i = 0; i < 4; ++i) sign(i, alone[i]);
    for (uint8_t i = 0; i < 4; ++i) threads.emplace_back(sign, i, std::ref(together[i]));
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(together, alone);
}

TEST(p256, derives_the_same_key_from_the_same_seed) {
    const auto first = P256Key::derive(ByteArray<32>{1}).value();
    EXPECT_EQ(first.point(), P256Key::derive(ByteArray<32>{1}).value().point());
    EXPECT_NE(first.point(), P256Key::derive(ByteArray<32>{2}).value().point());
    const auto signature = first.sign(as_bytes("m")).value();
    EXPECT_TRUE(verify_p256(first.point(), {.message = as_bytes("m"), .signature = signature}));
}

// What is left in the queue, TLS takes for its own failure.
TEST(p256, leaves_the_openssl_error_queue_empty) {
    const auto key = P256Key::generate().value();
    const auto pem = key.to_pem().value();
    EXPECT_TRUE(P256Key::from_pem(as_text(pem)));
    EXPECT_FALSE(P256Key::from_pem("nonsense"));
    EXPECT_FALSE(verify_p256(P256Point{}, {.message = {}, .signature = P256Signature{}}));
    EXPECT_FALSE(verify_p256(key.point(), {.message = {}, .signature = P256Signature{}}));
    EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(p256, pem_round_trip) {
    const auto key = P256Key::generate().value();
    const auto pem = key.to_pem().value();
    const auto again = P256Key::from_pem(as_text(pem)).value();
    EXPECT_EQ(again.point(), key.point());
    EXPECT_EQ(again.spki_der(), key.spki_der());
}

TEST(p256, rejects_pem_that_is_no_p256_key) {
    EXPECT_EQ(P256Key::from_pem("").error().code, ErrorCode::key_invalid);
    EXPECT_EQ(P256Key::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
                  .error()
                  .code,
              ErrorCode::key_invalid);
    // An Ed25519 key (RFC 8410 section 10.3).
    EXPECT_EQ(P256Key::from_pem("-----BEGIN PRIVATE KEY-----\n"
                                "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
                                "-----END PRIVATE KEY-----\n")
                  .error()
                  .code,
              ErrorCode::key_invalid);
}

TEST(p256, spki_holds_the_point_in_one_form_only) {
    const auto key = P256Key::generate().value();
    Bytes spki = key.spki_der();
    EXPECT_EQ(spki.size(), 91u);
    EXPECT_EQ(p256_point_from_spki(spki).value(), key.point());
    spki.push_back(0);
    EXPECT_EQ(p256_point_from_spki(spki).error().code, ErrorCode::key_invalid);
    spki.pop_back();
    spki[26] = 2;
    EXPECT_EQ(p256_point_from_spki(spki).error().code, ErrorCode::key_invalid);
    EXPECT_EQ(p256_point_from_spki({}).error().code, ErrorCode::key_invalid);
}

TEST(p256, rejects_points_off_the_curve) {
    const auto key = P256Key::generate().value();
    const auto signature = key.sign(as_bytes("m")).value();
    P256Point off = key.point();
    off[63] = static_cast<uint8_t>(off[63] ^ 1);
    for (const P256Point& point : {off, P256Point{}}) {
        EXPECT_EQ(
            verify_p256(point, {.message = as_bytes("m"), .signature = signature}).error().code,
            ErrorCode::key_invalid);
    }
}

TEST(p256, rejects_signatures_of_a_wrong_shape_or_range) {
    const auto key = P256Key::generate().value();
    const Bytes zero(64);
    const Bytes high(64, 0xff);
    for (const ByteView signature : {ByteView(zero), ByteView(high), ByteView(zero).first(63)}) {
        EXPECT_EQ(verify_p256(key.point(), {.message = as_bytes("m"), .signature = signature})
                      .error()
                      .code,
                  ErrorCode::signature_invalid);
    }
}

}  // namespace
}  // namespace teetee::crypto
