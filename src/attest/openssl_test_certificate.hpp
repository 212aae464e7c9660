// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: certificates and revocation lists by OpenSSL, in forms that certificate_builder.hpp
// never writes.

#include <utility>
#include <vector>

#include <openssl/x509v3.h>

#include "attest/crl.hpp"
#include "attest/x509.hpp"

namespace teetee::attest::test {

/// `value` as in OpenSSL's configuration files: "critical,CA:TRUE".
inline void add_known_extension(X509* x509, int nid, const char* value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
    X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
}

/// `oid` in dotted numbers.
inline void add_extension(X509* x509, const std::string& oid, const Bytes& value) {
    const std::unique_ptr<ASN1_OBJECT, crypto::OpensslFree<ASN1_OBJECT_free>> object(
        OBJ_txt2obj(oid.c_str(), 1));
    const std::unique_ptr<ASN1_OCTET_STRING, crypto::OpensslFree<ASN1_OCTET_STRING_free>> data(
        ASN1_OCTET_STRING_new());
    ASN1_OCTET_STRING_set(data.get(), value.data(), static_cast<int>(value.size()));
    X509_EXTENSION* extension = X509_EXTENSION_create_by_OBJ(nullptr, object.get(), 0, data.get());
    X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
}

/// No entry for an empty text.
inline void set_common_name(X509_NAME* name, const std::string& text) {
    if (text.empty()) return;
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const uint8_t*>(text.c_str()), -1, -1, 0);
}

struct OpensslCertificate {
    std::string subject = "subject";
    std::string issuer = "issuer";
    EVP_PKEY* key = nullptr;
    EVP_PKEY* issuer_key = nullptr;
    long version = X509_VERSION_3;
    const EVP_MD* digest = EVP_sha256();
    UnixSeconds not_before = 0;
    UnixSeconds not_after = 0;
    std::vector<std::pair<int, const char*>> known_extensions;
    std::vector<std::pair<std::string, Bytes>> other_extensions;

    Bytes build() const {
        const crypto::X509Ptr x509(X509_new());
        X509_set_version(x509.get(), version);
        ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 7);
        ASN1_TIME_set(X509_getm_notBefore(x509.get()), not_before);
        ASN1_TIME_set(X509_getm_notAfter(x509.get()), not_after);
        set_common_name(X509_get_subject_name(x509.get()), subject);
        set_common_name(X509_get_issuer_name(x509.get()), issuer);
        X509_set_pubkey(x509.get(), key);
        for (const auto& [nid, value] : known_extensions) {
            add_known_extension(x509.get(), nid, value);
        }
        for (const auto& [oid, value] : other_extensions) add_extension(x509.get(), oid, value);
        X509_sign(x509.get(), issuer_key, digest);
        Bytes der(static_cast<size_t>(i2d_X509(x509.get(), nullptr)));
        uint8_t* cursor = der.data();
        i2d_X509(x509.get(), &cursor);
        return der;
    }
};

struct OpensslCrl {
    std::string issuer = "issuer";
    EVP_PKEY* issuer_key = nullptr;
    long version = X509_CRL_VERSION_2;
    const EVP_MD* digest = EVP_sha256();
    UnixSeconds this_update = 0;
    std::optional<UnixSeconds> next_update = 0;
    std::vector<long> serials;
    /// Of every entry: why it was revoked.
    bool critical_reasons = false;

    Bytes build() const {
        const X509CrlPtr crl(X509_CRL_new());
        X509_CRL_set_version(crl.get(), version);
        const std::unique_ptr<X509_NAME, crypto::OpensslFree<X509_NAME_free>> name(X509_NAME_new());
        set_common_name(name.get(), issuer);
        X509_CRL_set_issuer_name(crl.get(), name.get());
        const std::unique_ptr<ASN1_TIME, crypto::OpensslFree<ASN1_TIME_free>> time(
            ASN1_TIME_set(nullptr, this_update));
        X509_CRL_set1_lastUpdate(crl.get(), time.get());
        for (const long serial : serials) add_entry(crl.get(), serial, time.get());
        if (next_update) {
            ASN1_TIME_set(time.get(), *next_update);
            X509_CRL_set1_nextUpdate(crl.get(), time.get());
        }
        X509_CRL_sign(crl.get(), issuer_key, digest);
        Bytes der(static_cast<size_t>(i2d_X509_CRL(crl.get(), nullptr)));
        uint8_t* cursor = der.data();
        i2d_X509_CRL(crl.get(), &cursor);
        return der;
    }

  private:
    void add_entry(X509_CRL* crl, long serial, ASN1_TIME* time) const {
        X509_REVOKED* entry = X509_REVOKED_new();
        const std::unique_ptr<ASN1_INTEGER, crypto::OpensslFree<ASN1_INTEGER_free>> number(
            ASN1_INTEGER_new());
        ASN1_INTEGER_set(number.get(), serial);
        X509_REVOKED_set_serialNumber(entry, number.get());
        X509_REVOKED_set_revocationDate(entry, time);
        const std::unique_ptr<ASN1_ENUMERATED, crypto::OpensslFree<ASN1_ENUMERATED_free>> reason(
            ASN1_ENUMERATED_new());
        ASN1_ENUMERATED_set(reason.get(), CRL_REASON_KEY_COMPROMISE);
        X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, reason.get(), critical_reasons ? 1 : 0, 0);
        X509_CRL_add0_revoked(crl, entry);
    }
};

/// The time at this place among those in the DER, made one that nobody can read.
inline Bytes with_unreadable_time(Bytes der, size_t place) {
    // UTCTime of 13 characters; nothing else in these certificates looks like it.
    const ByteArray<2> head = {0x17, 0x0d};
    auto at = std::search(der.begin(), der.end(), head.begin(), head.end());
    for (size_t i = 0; i < place; ++i) {
        at = std::search(at + head.size(), der.end(), head.begin(), head.end());
    }
    at[head.size()] = 'x';
    return der;
}

}  // namespace teetee::attest::test
