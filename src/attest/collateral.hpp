// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "attest/crl.hpp"
#include "attest/pck.hpp"
#include "attest/tcb_info.hpp"

namespace teetee::attest {

/// A document of Intel's Provisioning Certification Service, and the signature over its exact
/// bytes.
struct SignedDocument {
    std::string body;
    crypto::P256Signature signature{};

    bool operator==(const SignedDocument&) const = default;
};

/// What is needed beside a quote to judge it, as it came from Intel or a mirror: nothing in it is
/// verified yet. Chains are PEM, signer first, root last; lists are DER.
struct Collateral {
    std::string pck_crl_issuer_chain;
    Bytes root_ca_crl;
    Bytes pck_crl;
    std::string tcb_info_issuer_chain;
    SignedDocument tcb_info;
    std::string qe_identity_issuer_chain;
    SignedDocument qe_identity;

    bool operator==(const Collateral&) const = default;
};

/// The interchange form that dcap-qvl calls QuoteCollateralV3: an object with the names above,
/// documents as strings with the exact signed text, their signatures under "tcb_info_signature" and
/// "qe_identity_signature" (hex of r || s), lists as hex of their DER. A document may also be the
/// whole answer of Intel's service (see parse_pcs_document); then its signature may be missing.
/// "pck_certificate_chain", which newer programs add, is passed over: the quote has its own.
/// Error: collateral_malformed.
Result<Collateral> parse_collateral(std::string_view json);

/// The JSON that parse_collateral takes back.
std::string encode_collateral(const Collateral& collateral);

/// Intel's answer {KEY: {..}, "signature": hex of r || s}, KEY being "tcbInfo" or
/// "enclaveIdentity": the signed bytes are exactly those between the colon and the comma.
/// Error: collateral_malformed.
Result<SignedDocument> parse_pcs_document(std::string_view json, std::string_view key);

/// When something in the collateral counts, for the error that names it.
struct NamedValidity {
    std::string name;
    Validity validity;
};

/// Collateral whose every signature leads to a pinned root and which was in date when it was
/// verified: a value that serves for many quotes, from any thread. Only verify_collateral makes
/// one.
struct VerifiedCollateral {
    TcbInfo tcb_info;
    QeIdentity qe_identity;
    /// Lists intermediate CAs and signers of documents.
    Crl root_crl;
    /// Lists PCK certificates of `pck_ca`.
    Crl pck_crl;
    IssuerChain pck_ca;
    Digest root_fingerprint{};
    /// Everything above and the certificates that signed it.
    std::vector<NamedValidity> validities;

    /// When the oldest of TCB info, QE identity and PCK CRL was issued; these come anew every
    /// month.
    UnixSeconds issued() const;
    /// When the first of all parts runs out.
    UnixSeconds expires() const;
};

/// All chains (names, signatures, CA flags, pinned root), both lists, both documents, and all of
/// them in date at `now`. Nothing that the root's list names may have signed.
/// Errors: collateral_malformed, certificate_malformed, root_untrusted, certificate_chain_invalid,
/// certificate_revoked, collateral_signature_invalid, collateral_mismatch, collateral_expired.
Result<VerifiedCollateral> verify_collateral(const Collateral& collateral,
                                             const TrustedRoots& roots, UnixSeconds now);

/// For collateral that was verified earlier. Error: collateral_expired, with the part that is out
/// of date or not valid yet.
Result<void> verify_in_date(const VerifiedCollateral& collateral, UnixSeconds now);

}  // namespace teetee::attest
