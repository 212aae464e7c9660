// SPDX-License-Identifier: Apache-2.0
#include "crypto/hmac.hpp"

#include <gtest/gtest.h>

namespace teetee::crypto {
namespace {

TEST(hmac, is_that_of_rfc_4231_and_a_changed_one_is_told) {
    const ByteView key = as_bytes("Jefe");
    const ByteView text = as_bytes("what do ya want for nothing?");
    Digest mac = hmac_sha256(key, text);
    EXPECT_EQ(to_hex(mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_TRUE(verify_hmac_sha256(key, text, mac));
    EXPECT_FALSE(verify_hmac_sha256(text, key, mac));
    mac[31] ^= 1;
    EXPECT_FALSE(verify_hmac_sha256(key, text, mac));
}

}  // namespace
}  // namespace teetee::crypto
