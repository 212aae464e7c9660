// SPDX-License-Identifier: Apache-2.0
#include "crypto/secp256k1.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "crypto/hash.hpp"

namespace teetee::crypto {
namespace {

class ZeroRng final : public Rng {
  public:
    void fill(std::span<uint8_t> out) override { std::fill(out.begin(), out.end(), uint8_t{0}); }
};

SecpKey key_one() {
    Bytes secret(32);
    secret[31] = 1;
    return SecpKey::from_bytes(secret).value();
}

TEST(secp256k1, has_the_known_address_of_the_key_one) {
    EXPECT_EQ(to_hex(key_one().address()), "7e5f4552091a69125d5dfcb7b8c2659029395bdf");
}

// The first key and account of every local dev chain (mnemonic "test test ... junk").
TEST(secp256k1, has_the_known_address_of_the_first_dev_chain_account) {
    const auto secret =
        from_hex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80").value();
    EXPECT_EQ(to_hex(SecpKey::from_bytes(secret).value().address()),
              "f39fd6e51aad88f6f4ce6ab8827279cfffb92266");
}

TEST(secp256k1, signs_deterministically_and_recovers_the_signer) {
    SystemRng rng;
    const auto key = SecpKey::generate(rng).value();
    const Digest digest = sha256(as_bytes("message"));
    const auto signature = key.sign_recoverable(digest);
    EXPECT_EQ(signature, key.sign_recoverable(digest));
    EXPECT_EQ(recover_address(digest, signature).value(), key.address());
    EXPECT_NE(recover_address(sha256(as_bytes("other")), signature).value_or(Address{}),
              key.address());
}

TEST(secp256k1, every_flipped_bit_changes_or_loses_the_signer) {
    const auto key = key_one();
    const Digest digest = sha256(as_bytes("message"));
    const auto signature = key.sign_recoverable(digest);
    for (size_t bit = 0; bit < 8 * signature.size(); ++bit) {
        auto changed = signature;
        changed[bit / 8] = static_cast<uint8_t>(changed[bit / 8] ^ (1u << (bit % 8)));
        const auto signer = recover_address(digest, changed);
        EXPECT_FALSE(signer && *signer == key.address()) << "bit " << bit;
    }
}

TEST(secp256k1, rejects_the_high_twin_of_a_signature) {
    const auto key = key_one();
    const Digest digest = sha256(as_bytes("message"));
    auto signature = key.sign_recoverable(digest);
    const auto order =
        array_from_hex<32>("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
            .value();
    int borrow = 0;
    for (size_t i = 32; i-- > 0;) {
        const int difference = order[i] - signature[32 + i] - borrow;
        borrow = difference < 0 ? 1 : 0;
        signature[32 + i] = static_cast<uint8_t>(difference & 0xff);
    }
    signature[64] = static_cast<uint8_t>(signature[64] ^ 27 ^ 28);
    EXPECT_EQ(recover_address(digest, signature).error().code, ErrorCode::signature_invalid);
}

TEST(secp256k1, rejects_bad_keys) {
    ZeroRng zero;
    EXPECT_EQ(SecpKey::generate(zero).error().code, ErrorCode::key_invalid);
    EXPECT_EQ(SecpKey::from_bytes(Bytes(32)).error().code, ErrorCode::key_invalid);
    EXPECT_EQ(SecpKey::from_bytes(Bytes(32, 0xff)).error().code, ErrorCode::key_invalid);
    EXPECT_EQ(SecpKey::from_bytes(Bytes(31, 1)).error().code, ErrorCode::key_invalid);
}

TEST(secp256k1, rejects_signatures_of_a_wrong_shape) {
    const Digest digest{};
    EXPECT_EQ(recover_address(digest, Bytes(64, 1)).error().code, ErrorCode::signature_invalid);
    Bytes signature(65, 1);
    for (const int v : {0, 1, 26, 29, 255}) {
        signature[64] = static_cast<uint8_t>(v);
        EXPECT_EQ(recover_address(digest, signature).error().code, ErrorCode::signature_invalid);
    }
    Bytes zero(65);
    zero[64] = 27;
    EXPECT_EQ(recover_address(digest, zero).error().code, ErrorCode::signature_invalid);
    Bytes above(65, 0xff);
    above[64] = 27;
    EXPECT_EQ(recover_address(digest, above).error().code, ErrorCode::signature_invalid);
}

}  // namespace
}  // namespace teetee::crypto
