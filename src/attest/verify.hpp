// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "attest/check.hpp"
#include "attest/collateral.hpp"
#include "attest/pck.hpp"
#include "attest/quote.hpp"
#include "attest/tcb_evaluation.hpp"

namespace teetee::attest {

/// A quote whose signatures lead to a pinned root. Only verify_quote makes one.
struct VerifiedQuote {
    QuoteReport report;
    SgxReport qe_report;
    VerifiedPck pck;
    /// Under another root than Intel's: proves nothing about hardware.
    bool simulated = true;
    /// What Intel says of the platform. None where there was no collateral: then nobody has asked
    /// whether its certificates are revoked, its firmware outdated or its quoting enclave Intel's.
    std::optional<TcbEvaluation> tcb;
    /// When the oldest part of the collateral was issued.
    UnixSeconds collateral_issued = 0;

    TeeType tee() const { return TeeType{report.index() == 0 ? TeeType::tdx : TeeType::sgx}; }
    /// Null for an SGX quote.
    const TdReport* td_report() const { return std::get_if<TdReport>(&report); }
};

/// The quote as it came, and the collateral that was verified for its platform, if there is any.
struct QuoteEvidence {
    ByteView quote;
    const VerifiedCollateral* collateral = nullptr;
};

/// Everything that does not depend on anybody's policy: format, PCK chain, QE report, attestation
/// key, quote signature; with collateral also revocation, QE identity, TDX module and TCB status.
/// What was found right goes to `checks` where somebody asks for it.
/// Errors: those of parse_quote, parse_pck_chain and verify_pck_chain; qe_report_invalid;
/// quote_signature_invalid; collateral_expired; collateral_mismatch; certificate_revoked; those of
/// evaluate_tcb.
Result<VerifiedQuote> verify_quote(const QuoteEvidence& evidence, const TrustedRoots& roots,
                                   UnixSeconds now, Checks* checks = nullptr);

/// The same without collateral.
Result<VerifiedQuote> verify_quote(ByteView quote, const TrustedRoots& roots, UnixSeconds now);

}  // namespace teetee::attest
