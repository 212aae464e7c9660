// SPDX-License-Identifier: Apache-2.0
#include "crypto/hkdf.hpp"

#include <gtest/gtest.h>

namespace teetee::crypto {
namespace {

// RFC 5869 A.1 and A.3.
TEST(hkdf, known_answers) {
    const Bytes material(22, 0x0b);
    const Bytes salt = from_hex("000102030405060708090a0b0c").value();
    const Bytes info = from_hex("f0f1f2f3f4f5f6f7f8f9").value();
    const auto key = hkdf_extract({.salt = salt, .key_material = material});
    EXPECT_EQ(to_hex(key.view()),
              "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
    const auto out = hkdf_expand<42>({.key = key.view(), .info = info});
    EXPECT_EQ(
        to_hex(out.view()),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    const auto bare = hkdf_extract({.salt = {}, .key_material = material});
    EXPECT_EQ(
        to_hex(hkdf_expand<42>({.key = bare.view(), .info = {}}).view()),
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(hkdf, gives_at_most_255_blocks) {
    Bytes out(hkdf_expand_bytes_max + 1);
    const Bytes key(32);
    EXPECT_EQ(hkdf_expand({.key = key, .info = {}}, out).error().code, ErrorCode::limit_exceeded);
    EXPECT_TRUE(hkdf_expand({.key = key, .info = {}}, std::span(out).first(hkdf_expand_bytes_max)));
    EXPECT_TRUE(hkdf_expand({.key = key, .info = {}}, {}));
}

}  // namespace
}  // namespace teetee::crypto
