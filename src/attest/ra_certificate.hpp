// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "attest/x509.hpp"
#include "base/bytes.hpp"
#include "crypto/p256.hpp"

namespace teetee::attest {

/// What a node shows to prove itself: its encoded statement, and a quote whose report data is the
/// hash of the statement (statement.hpp).
struct Evidence {
    Bytes statement;
    Bytes quote;
};

/// A self-signed TLS certificate that carries evidence in two non-critical extensions, each value
/// an OCTET STRING: the quote under 1.3.6.1.4.1.62397.1.1, as dstack does, and the statement under
/// 2.25.287997077177830307685790845615225127885. Parsed, not verified: see verify_peer.
struct RaCertificate {
    Certificate certificate;
    Evidence evidence;
};

/// The DER of such a certificate, valid as long as the statement.
/// Errors: statement_malformed, statement_mismatch when the statement names another TLS key,
/// limit_exceeded, crypto_failed.
Result<Bytes> make_ra_certificate(const crypto::P256Key& tls_key, const Evidence& evidence);

/// Error: certificate_malformed; evidence_missing when an extension is not there.
Result<RaCertificate> parse_ra_certificate(ByteView der);

}  // namespace teetee::attest
