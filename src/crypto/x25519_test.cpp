// SPDX-License-Identifier: Apache-2.0
#include "crypto/x25519.hpp"

#include <gtest/gtest.h>

namespace teetee::crypto {
namespace {

// RFC 7748 section 6.1.
TEST(x25519, known_answer) {
    const auto alice =
        X25519Key::from_bytes(
            from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a").value())
            .value();
    const auto bob =
        array_from_hex<32>("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
            .value();
    EXPECT_EQ(to_hex(alice.public_key()),
              "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    EXPECT_EQ(to_hex(alice.agree(bob).value().view()),
              "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

TEST(x25519, both_sides_agree) {
    SystemRng rng;
    const auto one = X25519Key::generate(rng).value();
    const auto two = X25519Key::generate(rng).value();
    const auto shared = one.agree(two.public_key()).value();
    EXPECT_EQ(to_hex(shared.view()), to_hex(two.agree(one.public_key()).value().view()));
    EXPECT_NE(to_hex(shared.view()), to_hex(ByteArray<32>{}));
}

TEST(x25519, rejects_low_order_peers_and_wrong_lengths) {
    SystemRng rng;
    const auto key = X25519Key::generate(rng).value();
    EXPECT_EQ(key.agree(X25519PublicKey{}).error().code, ErrorCode::key_invalid);
    EXPECT_EQ(key.agree(X25519PublicKey{1}).error().code, ErrorCode::key_invalid);
    EXPECT_EQ(X25519Key::from_bytes(Bytes(31)).error().code, ErrorCode::key_invalid);
}

}  // namespace
}  // namespace teetee::crypto
