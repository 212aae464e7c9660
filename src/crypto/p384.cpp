// SPDX-License-Identifier: Apache-2.0
#include "crypto/p384.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "crypto/openssl.hpp"

namespace teetee::crypto {
namespace {

// Everything of a P-384 SubjectPublicKeyInfo before x: SEQUENCE, algorithm (id-ecPublicKey,
// secp384r1), BIT STRING, and 0x04 for an uncompressed point.
constexpr ByteArray<24> spki_prefix = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
                                       0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
                                       0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04};

/// Null when OpenSSL refuses the point.
EvpPkeyPtr build_key(const P384Point& point) {
    ByteWriter spki;
    spki.bytes(spki_prefix);
    spki.bytes(point);
    const uint8_t* cursor = spki.view().data();
    return EvpPkeyPtr(d2i_PUBKEY(nullptr, &cursor, static_cast<long>(spki.size())));
}

Bytes signature_der(const P384Signature& signature) {
    const EcdsaSigPtr parts(ECDSA_SIG_new());
    BignumPtr r(BN_bin2bn(signature.data(), 48, nullptr));
    BignumPtr s(BN_bin2bn(signature.data() + 48, 48, nullptr));
    TT_ASSERT(parts != nullptr && r != nullptr && s != nullptr);
    TT_ASSERT(ECDSA_SIG_set0(parts.get(), r.release(), s.release()) == 1);
    Bytes der(static_cast<size_t>(i2d_ECDSA_SIG(parts.get(), nullptr)));
    uint8_t* cursor = der.data();
    TT_ASSERT(i2d_ECDSA_SIG(parts.get(), &cursor) == static_cast<int>(der.size()));
    return der;
}

}  // namespace

Result<P384Point> p384_point_from_spki(ByteView spki_der) {
    P384Point point;
    if (spki_der.size() != spki_prefix.size() + point.size() ||
        !std::equal(spki_prefix.begin(), spki_prefix.end(), spki_der.begin())) {
        return fail(ErrorCode::key_invalid,
                    "public key: have another form, need P-384, named curve, uncompressed");
    }
    std::copy(spki_der.begin() + spki_prefix.size(), spki_der.end(), point.begin());
    return point;
}

Result<void> verify_p384(const P384Point& point, const P384Signed& input) {
    const EvpPkeyPtr key = build_key(point);
    if (key == nullptr) {
        return openssl_fail(ErrorCode::key_invalid, "P-384 public key: not on the curve");
    }
    const Bytes der = signature_der(input.signature);
    const EvpMdCtxPtr context(EVP_MD_CTX_new());
    if (context == nullptr ||
        EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha384(), nullptr, key.get()) != 1 ||
        EVP_DigestVerify(context.get(), der.data(), der.size(), input.message.data(),
                         input.message.size()) != 1) {
        return openssl_fail(ErrorCode::signature_invalid, "P-384 signature: does not verify");
    }
    return {};
}

}  // namespace teetee::crypto
