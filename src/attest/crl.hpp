// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "attest/x509.hpp"

namespace teetee::attest {

using X509CrlPtr = std::unique_ptr<X509_CRL, crypto::OpensslFree<X509_CRL_free>>;

/// A certificate revocation list, version 2 (RFC 5280 section 5) with an ECDSA-SHA256 signature, as
/// parsed: nothing in it is verified yet.
struct Crl {
    Bytes issuer_der;
    Validity validity;
    /// Contents octets of the serial numbers, sorted.
    std::vector<Bytes> revoked;
    X509CrlPtr crl;

    bool lists(ByteView serial) const;
};

/// DER. Error: collateral_malformed, also for a list without nextUpdate, for unknown critical
/// extensions (a delta or partial list leaves out certificates) and for bytes behind it.
Result<Crl> parse_crl(ByteView der);

/// `issuer` may sign lists, bears the list's issuer name and has signed it.
/// Errors: collateral_mismatch for another name, collateral_signature_invalid.
Result<void> verify_crl_issued(const Crl& crl, const Certificate& issuer);

}  // namespace teetee::attest
