// SPDX-License-Identifier: Apache-2.0
#include "attest/verify.hpp"

#include <algorithm>

#include "attest/intel.hpp"
#include "attest/time_text.hpp"
#include "crypto/hash.hpp"

namespace teetee::attest {
namespace {

Error qe_invalid(std::string detail) {
    return fail(ErrorCode::qe_report_invalid, "QE report: " + std::move(detail));
}

// The PCK key signs the report, and the report holds SHA256(attestation key || auth data), zeros.
Result<void> verify_qe_report(const QuoteSignature& signature, const crypto::P256Point& pck_key) {
    const auto signed_by_pck = crypto::verify_p256(
        pck_key,
        {.message = signature.qe_report_bytes, .signature = signature.qe_report_signature});
    if (!signed_by_pck) return qe_invalid("PCK key: " + signed_by_pck.error().detail);

    crypto::Sha256 hash;
    hash.update(signature.attestation_key);
    hash.update(signature.qe_auth_data);
    const Digest binding = hash.finish();
    ByteArray<64> need{};
    std::copy(binding.begin(), binding.end(), need.begin());
    if (signature.qe_report.report_data != need) {
        return qe_invalid("report data: have " + to_hex(signature.qe_report.report_data) +
                          ", need " + to_hex(need));
    }
    return {};
}

Result<void> verify_quote_signature(const Quote& quote) {
    const auto signed_by_qe = crypto::verify_p256(
        quote.signature.attestation_key,
        {.message = quote.signed_bytes, .signature = quote.signature.signature});
    if (!signed_by_qe) {
        return fail(ErrorCode::quote_signature_invalid,
                    "quote: attestation key: " + signed_by_qe.error().detail);
    }
    return {};
}

// The lists must be of the CAs that issued this PCK certificate, and name neither it nor them.
Result<void> verify_not_revoked(const VerifiedPck& pck, const VerifiedCollateral& collateral) {
    if (pck.root_fingerprint != collateral.root_fingerprint) {
        return fail(ErrorCode::collateral_mismatch,
                    "root: have " + to_hex(collateral.root_fingerprint) +
                        " of the collateral, need " + to_hex(pck.root_fingerprint) +
                        " of the PCK chain");
    }
    const Certificate& ca = collateral.pck_ca.signer;
    if (pck.ca_name_der != ca.subject_der || pck.ca_key != ca.public_key) {
        return fail(ErrorCode::collateral_mismatch,
                    "PCK CRL: have the list of another CA, need that of the PCK's issuer");
    }
    if (collateral.root_crl.lists(pck.ca_serial)) {
        return fail(ErrorCode::certificate_revoked, "PCK CA: have serial " + to_hex(pck.ca_serial) +
                                                        " in the root's CRL, need it not there");
    }
    if (collateral.pck_crl.lists(pck.serial)) {
        return fail(ErrorCode::certificate_revoked, "PCK: have serial " + to_hex(pck.serial) +
                                                        " in the PCK CRL, need it not there");
    }
    return {};
}

std::string describe_status(const TcbEvaluation& tcb) {
    std::string text = "platform " + std::string(to_string(tcb.platform_status)) + " (" +
                       format_utc(tcb.tcb_date).substr(0, 10) + ")";
    if (tcb.module_status) text += ", TDX module " + std::string(to_string(*tcb.module_status));
    text += ", quoting enclave " + std::string(to_string(tcb.qe_status));
    return text + "; together " + std::string(to_string(tcb.status));
}

Result<void> judge_by_collateral(VerifiedQuote& quote, const VerifiedCollateral& collateral,
                                 UnixSeconds now, Checks* checks) {
    TT_CHECK(verify_in_date(collateral, now));
    add_check(checks, "collateral in date", [&] {
        return "issued " + format_utc(collateral.issued()) + ", until " +
               format_utc(collateral.expires());
    });
    TT_CHECK(verify_not_revoked(quote.pck, collateral));
    add_check(checks, "not revoked", [&] {
        return "PCK serial " + to_hex(quote.pck.serial) + " is none of the " +
               std::to_string(collateral.pck_crl.revoked.size()) +
               " in the PCK CRL, its CA not in "
               "the root's";
    });
    TT_TRY(quote.tcb, evaluate_tcb({.report = quote.report,
                                    .qe_report = quote.qe_report,
                                    .platform = quote.pck.platform},
                                   collateral.tcb_info, collateral.qe_identity));
    quote.collateral_issued = collateral.issued();
    add_check(checks, "quoting enclave", [&] {
        return "signer and product as in the QE identity, isvsvn " +
               std::to_string(quote.qe_report.isvsvn);
    });
    add_check(checks, "TCB status", [&] { return describe_status(*quote.tcb); });
    return {};
}

}  // namespace

Result<VerifiedQuote> verify_quote(const QuoteEvidence& evidence, const TrustedRoots& roots,
                                   UnixSeconds now, Checks* checks) {
    TT_TRY(Quote parsed, parse_quote(evidence.quote));
    add_check(checks, "quote format", [&] {
        return std::string(to_string(parsed.header.tee_type)) + " quote of version " +
               std::to_string(parsed.header.version);
    });
    const IssuerChain* known =
        evidence.collateral != nullptr ? &evidence.collateral->pck_ca : nullptr;
    TT_TRY(const PckChain chain, parse_pck_chain(parsed.signature.pck_chain, known));
    VerifiedQuote quote;
    TT_TRY(quote.pck, verify_pck_chain(chain, roots, now, known));
    add_check(checks, "PCK chain", [&] {
        return display_name(chain.leaf) + " by " + display_name(chain.intermediate) + " by " +
               display_name(chain.root) + ", all in date; platform " +
               to_hex(quote.pck.platform.ppid) + ", FMSPC " + to_hex(quote.pck.platform.fmspc);
    });
    TT_CHECK(verify_qe_report(parsed.signature, quote.pck.key));
    add_check(checks, "QE report", [] {
        return std::string("signed by the PCK key, and vouches for the attestation key");
    });
    TT_CHECK(verify_quote_signature(parsed));
    add_check(checks, "quote signature",
              [] { return std::string("by the attestation key, over header and report"); });
    quote.report = std::move(parsed.report);
    quote.qe_report = parsed.signature.qe_report;
    quote.simulated = quote.pck.root_fingerprint != intel_root_fingerprint;
    if (evidence.collateral != nullptr) {
        TT_CHECK(judge_by_collateral(quote, *evidence.collateral, now, checks));
    }
    return quote;
}

Result<VerifiedQuote> verify_quote(ByteView quote, const TrustedRoots& roots, UnixSeconds now) {
    return verify_quote(QuoteEvidence{.quote = quote, .collateral = nullptr}, roots, now);
}

}  // namespace teetee::attest
