// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/world.hpp"
#include "crypto/p256.hpp"

namespace teetee::attest {

/// A non-critical extension: contents octets of its identifier, and the DER of its value.
struct CertificateExtension {
    Bytes oid;
    Bytes value;
};

enum class SignatureMode {
    random,
    /// The same certificate on every run; see P256Key::sign_deterministic.
    deterministic,
};

/// What goes into an X.509 v3 certificate (RFC 5280) with P-256 keys.
struct CertificateFields {
    std::string subject_name;
    std::string issuer_name;
    ByteArray<16> serial{};
    UnixSeconds not_before = 0;
    UnixSeconds not_after = 0;
    /// How many CAs may stand below; none makes an end entity that may only sign.
    std::optional<uint8_t> ca_path_length;
    Bytes spki_der;
    std::vector<CertificateExtension> extensions;
};

/// The DER of the certificate, signed with the issuer's key.
/// Errors: invalid_argument for a time before 1970 or after 9999, crypto_failed.
Result<Bytes> build_certificate(const CertificateFields& fields, const crypto::P256Key& issuer_key,
                                SignatureMode mode);

/// What goes into an X.509 v2 certificate revocation list.
struct CrlFields {
    std::string issuer_name;
    UnixSeconds this_update = 0;
    UnixSeconds next_update = 0;
    std::vector<ByteArray<16>> revoked_serials;
    /// Without extensions a list is well formed too; tests add some.
    std::vector<CertificateExtension> critical_extensions;
};

/// The DER of the list, always the same for the same input. Errors as above.
Result<Bytes> build_crl(const CrlFields& fields, const crypto::P256Key& issuer_key);

}  // namespace teetee::attest
