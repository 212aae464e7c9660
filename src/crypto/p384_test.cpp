// SPDX-License-Identifier: Apache-2.0
#include "crypto/p384.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>

namespace teetee::crypto {
namespace {

// RFC 6979 A.2.6: the public key, and the signature of "sample" with SHA-384.
const P384Point point = array_from_hex<96>(
                            "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e"
                            "06aae5286b300c64def8f0ea9055866064a254515480bc13"
                            "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9"
                            "f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720")
                            .value();
const P384Signature signature = array_from_hex<96>(
                                    "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa7"
                                    "3d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46"
                                    "99ef4aeb15f178cea1fe40db2603138f130e740a19624526"
                                    "203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8")
                                    .value();

ErrorCode refusal(const P384Point& key, std::string_view message, const P384Signature& signed_by) {
    const auto verified = verify_p384(key, {.message = as_bytes(message), .signature = signed_by});
    EXPECT_EQ(ERR_peek_error(), 0u);
    return verified ? ErrorCode::internal : verified.error().code;
}

TEST(p384, verifies_a_known_signature_only) {
    EXPECT_TRUE(verify_p384(point, {.message = as_bytes("sample"), .signature = signature}));
    EXPECT_EQ(refusal(point, "samplf", signature), ErrorCode::signature_invalid);
    for (const size_t at : {0u, 47u, 48u, 95u}) {
        P384Signature changed = signature;
        changed[at] ^= 1;
        EXPECT_EQ(refusal(point, "sample", changed), ErrorCode::signature_invalid);
    }
    EXPECT_EQ(refusal(point, "sample", {}), ErrorCode::signature_invalid);
}

TEST(p384, rejects_a_point_off_the_curve) {
    P384Point changed = point;
    changed[95] ^= 1;
    EXPECT_EQ(refusal(changed, "sample", signature), ErrorCode::key_invalid);
}

TEST(p384, reads_one_form_of_public_key_only) {
    Bytes spki = from_hex("3076301006072a8648ce3d020106052b8104002203620004").value();
    spki.insert(spki.end(), point.begin(), point.end());
    EXPECT_EQ(p384_point_from_spki(spki).value(), point);
    spki[23] = 2;
    EXPECT_EQ(p384_point_from_spki(spki).error().code, ErrorCode::key_invalid);
    spki.pop_back();
    EXPECT_EQ(p384_point_from_spki(spki).error().code, ErrorCode::key_invalid);
}

}  // namespace
}  // namespace teetee::crypto
