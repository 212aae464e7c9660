// SPDX-License-Identifier: Apache-2.0
#include "attest/crl.hpp"

#include <algorithm>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "attest/limits.hpp"
#include "base/assert.hpp"

namespace teetee::attest {
namespace {

Error malformed(std::string detail) {
    return fail(ErrorCode::collateral_malformed, "CRL: " + std::move(detail));
}

Bytes contents_of(const ASN1_INTEGER* integer) {
    const uint8_t* data = ASN1_STRING_get0_data(integer);
    return Bytes(data, data + ASN1_STRING_length(integer));
}

Result<std::vector<Bytes>> parse_revoked(X509_CRL* crl) {
    std::vector<Bytes> serials;
    STACK_OF(X509_REVOKED)* entries = X509_CRL_get_REVOKED(crl);
    for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
        const X509_REVOKED* entry = sk_X509_REVOKED_value(entries, i);
        if (X509_REVOKED_get_ext_by_critical(entry, 1, -1) >= 0) {
            return malformed("unknown critical extension of an entry");
        }
        serials.push_back(contents_of(X509_REVOKED_get0_serialNumber(entry)));
    }
    std::sort(serials.begin(), serials.end());
    return serials;
}

}  // namespace

bool Crl::lists(ByteView serial) const {
    return std::binary_search(revoked.begin(), revoked.end(), Bytes(serial.begin(), serial.end()));
}

Result<Crl> parse_crl(ByteView der) {
    if (der.size() > crl_bytes_max) {
        return malformed("have " + std::to_string(der.size()) + " bytes, need at most " +
                         std::to_string(crl_bytes_max));
    }
    Crl out;
    const uint8_t* cursor = der.data();
    out.crl.reset(d2i_X509_CRL(nullptr, &cursor, static_cast<long>(der.size())));
    X509_CRL* crl = out.crl.get();
    if (crl == nullptr) {
        return crypto::openssl_fail(ErrorCode::collateral_malformed, "CRL: not DER");
    }
    // It is read in spite of extensions that cannot be.
    ERR_clear_error();
    if (cursor != der.data() + der.size()) return malformed("bytes behind its end");
    if (X509_CRL_get_version(crl) != X509_CRL_VERSION_2) return malformed("not of version 2");
    if (X509_CRL_get_signature_nid(crl) != NID_ecdsa_with_SHA256) {
        return malformed("not signed with ECDSA and SHA-256");
    }
    if (X509_CRL_get_ext_by_critical(crl, 1, -1) >= 0) {
        return malformed("unknown critical extension");
    }
    const ASN1_TIME* next_update = X509_CRL_get0_nextUpdate(crl);
    const auto not_before = to_unix_seconds(*X509_CRL_get0_lastUpdate(crl));
    const auto not_after = next_update == nullptr ? std::nullopt : to_unix_seconds(*next_update);
    if (!not_before || !not_after) return malformed("no readable thisUpdate and nextUpdate");
    out.validity = {*not_before, *not_after};
    TT_TRY(out.revoked, parse_revoked(crl));
    const uint8_t* name = nullptr;
    size_t name_bytes = 0;
    // It is kept as it was read.
    TT_ASSERT(X509_NAME_get0_der(X509_CRL_get_issuer(crl), &name, &name_bytes) == 1);
    out.issuer_der.assign(name, name + name_bytes);
    return out;
}

Result<void> verify_crl_issued(const Crl& crl, const Certificate& issuer) {
    const std::string name = display_name(issuer);
    if (crl.issuer_der != issuer.subject_der) {
        return fail(ErrorCode::collateral_mismatch, "CRL: have another issuer, need " + name);
    }
    if ((X509_get_key_usage(issuer.x509.get()) & KU_CRL_SIGN) == 0) {
        return fail(ErrorCode::collateral_signature_invalid,
                    "CRL: " + name + " may not sign lists");
    }
    if (X509_CRL_verify(crl.crl.get(), X509_get0_pubkey(issuer.x509.get())) != 1) {
        return crypto::openssl_fail(ErrorCode::collateral_signature_invalid,
                                    "CRL of " + name + ": signature does not verify");
    }
    return {};
}

}  // namespace teetee::attest
