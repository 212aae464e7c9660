// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/bytes.hpp"
#include "crypto/openssl.hpp"
#include "crypto/secret.hpp"

namespace teetee::crypto {

/// A P-256 public key: x || y, big-endian. Whether it is on the curve is checked on use.
using P256Point = ByteArray<64>;

/// An ECDSA signature over P-256 and SHA-256: r || s, big-endian (IEEE P1363).
using P256Signature = ByteArray<64>;

/// A P-256 private key (FIPS 186-4); OpenSSL wipes it when it goes.
class P256Key {
  public:
    /// From OpenSSL's random generator. Error: crypto_failed.
    static Result<P256Key> generate();
    /// The same key for the same seed: SHA-256 of a counter and the seed until it falls in range.
    static Result<P256Key> derive(const ByteArray<32>& seed);
    /// An unencrypted PEM private key (PKCS#8 or SEC 1). Error: key_invalid.
    static Result<P256Key> from_pem(std::string_view pem);

    /// PKCS#8 PEM text.
    Result<SecretBytes> to_pem() const;
    /// SubjectPublicKeyInfo (RFC 5480), 91 bytes.
    Bytes spki_der() const;
    const P256Point& point() const { return point_; }

    /// Error: crypto_failed.
    Result<P256Signature> sign(ByteView message) const;
    /// As sign, but the same bytes each time (RFC 6979). For the dev TEE, whose certificates are
    /// pinned; its timing is not hardened.
    Result<P256Signature> sign_deterministic(ByteView message) const;

    /// For TLS and certificates; the key keeps it.
    EVP_PKEY* handle() const { return key_.get(); }

  private:
    P256Key(EvpPkeyPtr key, const P256Point& point) : key_(std::move(key)), point_(point) {}
    static Result<P256Key> from_handle(EvpPkeyPtr key);

    EvpPkeyPtr key_;
    P256Point point_;
};

/// The point in a P-256 SubjectPublicKeyInfo of the one canonical form (named curve, uncompressed).
/// Error: key_invalid.
Result<P256Point> p256_point_from_spki(ByteView spki_der);

/// The DER form (SEQUENCE of r, s) in which certificates carry a signature.
Bytes p256_signature_der(const P256Signature& signature);

struct P256Signed {
    ByteView message;
    ByteView signature;
};

/// Errors: key_invalid for a point off the curve, signature_invalid for anything but a signature
/// of 64 bytes that verifies. Both s and order - s verify, as everywhere with P-256.
Result<void> verify_p256(const P256Point& point, const P256Signed& input);

}  // namespace teetee::crypto
