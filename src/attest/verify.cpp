// SPDX-License-Identifier: Apache-2.0
#include "attest/verify.hpp"

#include <algorithm>

#include "attest/intel.hpp"
#include "crypto/hash.hpp"

namespace teetee::attest {
namespace {

Error qe_invalid(std::string detail) {
    return fail(ErrorCode::qe_report_invalid, "QE report: " + std::move(detail));
}

// The host owns the platform and can have the PCK key vouch for an enclave of its own; only
// Intel's quoting enclave keeps the attestation key to itself.
Result<void> verify_quoting_enclave(const SgxReport& report) {
    if (report.mrsigner != tdqe_mrsigner) {
        return qe_invalid("mrsigner: have " + to_hex(report.mrsigner) + ", need " +
                          to_hex(tdqe_mrsigner));
    }
    if (report.isvprodid != tdqe_isvprodid) {
        return qe_invalid("isvprodid: have " + std::to_string(report.isvprodid) + ", need " +
                          std::to_string(tdqe_isvprodid));
    }
    if ((report.attributes[0] & sgx_attribute_debug) != 0) {
        return qe_invalid("attributes: have DEBUG on, need off");
    }
    return {};
}

Result<void> verify_qe_report(const QuoteSignature& signature, const crypto::P256Point& pck_key) {
    const auto signed_by_pck = crypto::verify_p256(
        pck_key,
        {.message = signature.qe_report_bytes, .signature = signature.qe_report_signature});
    if (!signed_by_pck) return qe_invalid("PCK key: " + signed_by_pck.error().detail);
    TT_CHECK(verify_quoting_enclave(signature.qe_report));

    // The report's data is SHA256(attestation key || auth data), then zeros.
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

}  // namespace

Result<VerifiedQuote> verify_quote(ByteView quote, const TrustedRoots& roots, UnixSeconds now) {
    TT_TRY(const Quote parsed, parse_quote(quote));
    TT_TRY(const PckChain chain, parse_pck_chain(parsed.signature.pck_chain));
    TT_TRY(const VerifiedPck pck, verify_pck_chain(chain, roots, now));
    TT_CHECK(verify_qe_report(parsed.signature, pck.key));
    const auto signed_by_qe = crypto::verify_p256(
        parsed.signature.attestation_key,
        {.message = parsed.signed_bytes, .signature = parsed.signature.signature});
    if (!signed_by_qe) {
        return fail(ErrorCode::quote_signature_invalid,
                    "quote: attestation key: " + signed_by_qe.error().detail);
    }
    return VerifiedQuote{.report = parsed.report,
                         .platform = pck.platform,
                         .root_fingerprint = pck.root_fingerprint,
                         .simulated = pck.root_fingerprint != intel_root_fingerprint};
}

}  // namespace teetee::attest
