// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"

namespace teetee::crypto {

/// A P-384 public key: x || y, big-endian. Whether it is on the curve is checked on use.
using P384Point = ByteArray<96>;

/// An ECDSA signature over P-384 and SHA-384: r || s, big-endian (IEEE P1363).
using P384Signature = ByteArray<96>;

/// The point in a P-384 SubjectPublicKeyInfo of the one canonical form (named curve, uncompressed).
/// Error: key_invalid.
Result<P384Point> p384_point_from_spki(ByteView spki_der);

struct P384Signed {
    ByteView message;
    const P384Signature& signature;
};

/// Errors: key_invalid for a point off the curve, signature_invalid.
Result<void> verify_p384(const P384Point& point, const P384Signed& input);

}  // namespace teetee::crypto
