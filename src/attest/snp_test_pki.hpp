// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: certificates in the form of AMD's and reports signed under them, with keys made for
// each run.

#include <algorithm>
#include <map>

#include <openssl/rsa.h>

#include "attest/openssl_test_certificate.hpp"
#include "attest/sev_snp.hpp"
#include "crypto/hash.hpp"

namespace teetee::attest::test {

inline constexpr UnixSeconds snp_now = 1'800'000'000;

struct SnpCertificate {
    std::string subject;
    std::string issuer;
    EVP_PKEY* key = nullptr;
    EVP_PKEY* issuer_key = nullptr;
    bool is_ca = false;
    const char* ca_key_usage = "critical,keyCertSign";
    long version = X509_VERSION_3;
    const EVP_MD* digest = EVP_sha384();
    bool signs_with_pss = true;
    UnixSeconds not_before = snp_now - 1000;
    UnixSeconds not_after = snp_now + 1000;
    /// By the arcs below 1.3.6.1.4.1.3704.1, as text.
    std::map<std::string, Bytes> extensions;
    /// Arcs of an extension that stands there twice.
    std::string repeated;
    std::vector<std::pair<int, const char*>> known_extensions;
};

inline Bytes build(const SnpCertificate& wanted) {
    const crypto::X509Ptr x509(X509_new());
    X509_set_version(x509.get(), wanted.version);
    ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 7);
    ASN1_TIME_set(X509_getm_notBefore(x509.get()), wanted.not_before);
    ASN1_TIME_set(X509_getm_notAfter(x509.get()), wanted.not_after);
    set_common_name(X509_get_subject_name(x509.get()), wanted.subject);
    set_common_name(X509_get_issuer_name(x509.get()), wanted.issuer);
    X509_set_pubkey(x509.get(), wanted.key);
    if (wanted.is_ca) {
        add_known_extension(x509.get(), NID_basic_constraints, "critical,CA:TRUE");
        add_known_extension(x509.get(), NID_key_usage, wanted.ca_key_usage);
    }
    for (const auto& [nid, value] : wanted.known_extensions) {
        add_known_extension(x509.get(), nid, value);
    }
    for (const auto& [arcs, value] : wanted.extensions) {
        const std::string oid = "1.3.6.1.4.1.3704.1." + arcs;
        add_extension(x509.get(), oid, value);
        if (arcs == wanted.repeated) add_extension(x509.get(), oid, value);
    }
    const crypto::EvpMdCtxPtr context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* padding = nullptr;
    EVP_DigestSignInit(context.get(), &padding, wanted.digest, nullptr, wanted.issuer_key);
    if (wanted.signs_with_pss) {
        EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, 48);
    }
    X509_sign_ctx(x509.get(), context.get());
    Bytes der(static_cast<size_t>(i2d_X509(x509.get(), nullptr)));
    uint8_t* cursor = der.data();
    i2d_X509(x509.get(), &cursor);
    return der;
}

/// A root, its two issuers and a chip, as they should be; tests change what they are about.
struct SnpPki {
    // One RSA key for all issuers: generating them is what takes the time.
    crypto::EvpPkeyPtr rsa{EVP_RSA_gen(4096)};
    crypto::EvpPkeyPtr other_rsa{EVP_RSA_gen(4096)};
    crypto::EvpPkeyPtr chip{EVP_EC_gen("secp384r1")};

    SnpCertificate ark() const { return authority("ARK-Test"); }
    SnpCertificate ask() const { return authority("SEV-Test"); }
    SnpCertificate asvk() const { return authority("SEV-VLEK-Test"); }
    SnpCertificate vcek() const {
        SnpCertificate out;
        out.subject = "SEV-VCEK";
        out.issuer = "SEV-Test";
        out.key = chip.get();
        out.issuer_key = rsa.get();
        out.extensions = {{"3.1", {2, 1, 3}},
                          {"3.2", {2, 1, 0}},
                          {"3.3", {2, 1, 8}},
                          {"3.8", {2, 1, 115}},
                          {"4", Bytes(64, 0xc1)}};
        return out;
    }
    SnpCertificate vlek() const {
        SnpCertificate out = vcek();
        out.subject = "SEV-VLEK";
        out.issuer = "SEV-VLEK-Test";
        out.extensions.erase("4");
        out.extensions["5"] = {0x16, 1, 'x'};
        return out;
    }

    // Built once: a PSS signature is another one each time.
    Bytes ark_der = build(ark());
    Bytes ask_der = build(ask());
    Bytes asvk_der = build(asvk());

    std::string issuers() const {
        return pem_of_certificate(ask_der) + pem_of_certificate(ark_der) +
               pem_of_certificate(asvk_der);
    }
    std::vector<SnpPins> pins() const {
        return {{.product = SnpProduct::milan,
                 .ark = crypto::sha256(ark_der),
                 .ask = crypto::sha256(ask_der),
                 .asvk = crypto::sha256(asvk_der)}};
    }

    SnpCertificate authority(const std::string& name) const {
        SnpCertificate out;
        out.subject = name;
        out.issuer = "ARK-Test";
        out.key = rsa.get();
        out.issuer_key = rsa.get();
        out.is_ca = true;
        return out;
    }

    Bytes sign(Bytes report) const {
        const crypto::EvpMdCtxPtr context(EVP_MD_CTX_new());
        ByteArray<128> der;
        size_t der_bytes = der.size();
        EVP_DigestSignInit(context.get(), nullptr, EVP_sha384(), nullptr, chip.get());
        EVP_DigestSign(context.get(), der.data(), &der_bytes, report.data(), 0x2a0);
        const uint8_t* cursor = der.data();
        const crypto::EcdsaSigPtr parts(
            d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der_bytes)));
        BN_bn2lebinpad(ECDSA_SIG_get0_r(parts.get()), report.data() + 0x2a0, 72);
        BN_bn2lebinpad(ECDSA_SIG_get0_s(parts.get()), report.data() + 0x2a0 + 72, 72);
        return report;
    }
};

/// A report of the chip of vcek(), not yet signed.
inline Bytes unsigned_snp_report() {
    Bytes report(snp_report_bytes);
    report[0x00] = 2;
    report[0x08 + 2] = 3;  // SMT, and the bit that is always set
    report[0x34] = 1;
    std::fill_n(report.begin() + 0x50, 64, uint8_t{0xda});
    std::fill_n(report.begin() + 0x90, 48, uint8_t{0xa0});
    report[0x180] = 3;
    report[0x186] = 8;
    report[0x187] = 115;
    std::fill_n(report.begin() + 0x1a0, 64, uint8_t{0xc1});
    return report;
}

}  // namespace teetee::attest::test
