// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "attest/pck.hpp"
#include "attest/quote.hpp"

namespace teetee::attest {

/// A quote whose signatures lead to a pinned root. Only verify_quote makes one.
struct VerifiedQuote {
    TdReport report;
    PckPlatform platform;
    Digest root_fingerprint{};
    /// Under another root than Intel's: proves nothing about hardware.
    bool simulated = true;
};

/// Steps 1, 2 and 5 of Intel's verification: format, PCK chain, QE report, attestation key, quote
/// signature. TCB status and revocation need collateral and are not looked at here; the quoting
/// enclave is checked against Intel's TDQE signer and product id. Attributes and measurements are
/// the policy's (policy.hpp).
/// Errors: those of parse_quote, parse_pck_chain and verify_pck_chain; qe_report_invalid;
/// quote_signature_invalid.
Result<VerifiedQuote> verify_quote(ByteView quote, const TrustedRoots& roots, UnixSeconds now);

}  // namespace teetee::attest
