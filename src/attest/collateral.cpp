// SPDX-License-Identifier: Apache-2.0
#include "attest/collateral.hpp"

#include <algorithm>

#include <openssl/x509v3.h>

#include "attest/limits.hpp"
#include "crypto/hash.hpp"

namespace teetee::attest {
namespace {

// Intel's name for the certificate that signs TCB info and QE identities.
constexpr std::string_view document_signer_name = "TCB Signing";

// The root's list is not looked at yet. What was parsed is added to the known certificates.
Result<IssuerChain> verify_issuer_chain(std::string_view pem, const TrustedRoots& roots,
                                        std::vector<Certificate>& known) {
    TT_TRY(auto certificates, parse_pem_certificates(as_bytes(pem), 2, known));
    if (certificates.size() != 2) {
        return fail(ErrorCode::certificate_chain_invalid,
                    "have " + std::to_string(certificates.size()) + " certificates, need 2");
    }
    IssuerChain chain{std::move(certificates[0]), std::move(certificates[1])};
    TT_CHECK(verify_pinned(chain.root, roots));
    TT_CHECK(verify_issued({.subject = chain.signer, .issuer = chain.root}));
    known.insert(known.end(), {chain.signer, chain.root});
    return chain;
}

Result<void> verify_document_signer(const Certificate& signer) {
    const std::string name = display_name(signer);
    if (name.find(document_signer_name) == std::string::npos) {
        return fail(ErrorCode::certificate_chain_invalid,
                    "signer: have " + name + ", need a TCB Signing certificate");
    }
    if (X509_check_ca(signer.x509.get()) != 0 ||
        (X509_get_key_usage(signer.x509.get()) & KU_DIGITAL_SIGNATURE) == 0) {
        return fail(ErrorCode::certificate_chain_invalid, name + ": may not sign documents");
    }
    return {};
}

Result<void> verify_document(const Certificate& signer, const SignedDocument& document) {
    TT_CHECK(verify_document_signer(signer));
    const auto signature = crypto::verify_p256(
        signer.public_key, {.message = as_bytes(document.body), .signature = document.signature});
    if (!signature) {
        return fail(ErrorCode::collateral_signature_invalid, signature.error().detail);
    }
    return {};
}

// With which part it is, before the detail.
template <class T>
Result<T> part(std::string_view name, Result<T> result) {
    if (!result) return in_context(name, std::move(result).error());
    return result;
}

Result<void> verify_not_revoked(const Crl& root_crl, const IssuerChain& chain) {
    for (const Certificate* certificate : {&chain.signer, &chain.root}) {
        if (root_crl.lists(certificate->serial)) {
            return fail(ErrorCode::certificate_revoked,
                        display_name(*certificate) + ": have serial " +
                            to_hex(certificate->serial) + " in the root's CRL, need it not there");
        }
    }
    return {};
}

}  // namespace

UnixSeconds VerifiedCollateral::issued() const {
    return std::min({tcb_info.head.validity.not_before, qe_identity.head.validity.not_before,
                     pck_crl.validity.not_before});
}

UnixSeconds VerifiedCollateral::expires() const {
    UnixSeconds first = unix_seconds_max;
    for (const NamedValidity& one : validities) first = std::min(first, one.validity.not_after);
    return first;
}

Result<void> verify_in_date(const VerifiedCollateral& collateral, UnixSeconds now) {
    for (const NamedValidity& one : collateral.validities) {
        if (!one.validity.contains(now)) {
            return fail(ErrorCode::collateral_expired,
                        one.name + ": " + describe_out_of_date(one.validity, now));
        }
    }
    return {};
}

Result<VerifiedCollateral> verify_collateral(const Collateral& collateral,
                                             const TrustedRoots& roots, UnixSeconds now) {
    std::vector<Certificate> known;
    const auto verify_chain = [&](std::string_view pem) {
        return verify_issuer_chain(pem, roots, known);
    };
    TT_TRY(const auto pck_ca,
           part("PCK CRL issuer chain", verify_chain(collateral.pck_crl_issuer_chain)));
    TT_TRY(const auto tcb_signer, part("TCB info", verify_chain(collateral.tcb_info_issuer_chain)));
    TT_CHECK(part("TCB info", verify_document(tcb_signer.signer, collateral.tcb_info)));
    // As a rule both documents come with the same chain.
    TT_TRY(const auto qe_signer,
           collateral.qe_identity_issuer_chain == collateral.tcb_info_issuer_chain
               ? Result<IssuerChain>(tcb_signer)
               : part("QE identity", verify_chain(collateral.qe_identity_issuer_chain)));
    TT_CHECK(part("QE identity", verify_document(qe_signer.signer, collateral.qe_identity)));
    VerifiedCollateral out;
    out.pck_ca = pck_ca;
    out.root_fingerprint = crypto::sha256(pck_ca.root.der);
    for (const IssuerChain* chain : {&tcb_signer, &qe_signer}) {
        if (chain->root.der != pck_ca.root.der) {
            return fail(ErrorCode::collateral_mismatch,
                        "collateral: have parts under different roots, need one root");
        }
    }
    TT_TRY(out.root_crl, part("root CRL", parse_crl(collateral.root_ca_crl)));
    TT_CHECK(part("root CRL", verify_crl_issued(out.root_crl, pck_ca.root)));
    TT_TRY(out.pck_crl, part("PCK CRL", parse_crl(collateral.pck_crl)));
    TT_CHECK(part("PCK CRL", verify_crl_issued(out.pck_crl, pck_ca.signer)));
    for (const IssuerChain* chain : {&pck_ca, &tcb_signer, &qe_signer}) {
        TT_CHECK(verify_not_revoked(out.root_crl, *chain));
    }
    TT_TRY(out.tcb_info, parse_tcb_info(collateral.tcb_info.body));
    TT_TRY(out.qe_identity, parse_qe_identity(collateral.qe_identity.body));
    out.validities = {{"root CRL", out.root_crl.validity},
                      {"PCK CRL", out.pck_crl.validity},
                      {"TCB info", out.tcb_info.head.validity},
                      {"QE identity", out.qe_identity.head.validity},
                      {"root certificate", pck_ca.root.validity},
                      {"PCK CRL issuer", pck_ca.signer.validity},
                      {"TCB info signer", tcb_signer.signer.validity},
                      {"QE identity signer", qe_signer.signer.validity}};
    TT_CHECK(verify_in_date(out, now));
    return out;
}

}  // namespace teetee::attest
