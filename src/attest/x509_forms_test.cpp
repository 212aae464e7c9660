// SPDX-License-Identifier: Apache-2.0
// Certificates and revocation lists in forms that Intel does not use: all refused.
#include <functional>

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "attest/dev_node.hpp"
#include "attest/limits.hpp"
#include "attest/openssl_test_certificate.hpp"

namespace teetee::attest {
namespace {

using test::OpensslCertificate;
using test::OpensslCrl;

const crypto::P256Key& issuer_key() {
    static const crypto::P256Key key = crypto::P256Key::derive({1}).value();
    return key;
}

const crypto::P256Key& subject_key() {
    static const crypto::P256Key key = crypto::P256Key::derive({2}).value();
    return key;
}

OpensslCertificate good_certificate() {
    OpensslCertificate out;
    out.key = subject_key().handle();
    out.issuer_key = issuer_key().handle();
    out.not_before = test::now - 10;
    out.not_after = test::now + 10;
    return out;
}

OpensslCertificate good_issuer() {
    OpensslCertificate out = good_certificate();
    out.subject = out.issuer;
    out.key = out.issuer_key;
    out.known_extensions = {{NID_basic_constraints, "critical,CA:TRUE"},
                            {NID_key_usage, "critical,keyCertSign,cRLSign"}};
    return out;
}

Certificate parsed(const OpensslCertificate& certificate) {
    return parse_certificate(certificate.build()).value();
}

// The detail of a refusal with this code; OpenSSL's own words of it must be gone by then.
template <class T>
std::string refusal(const Result<T>& result, ErrorCode code) {
    EXPECT_EQ(ERR_peek_error(), 0u);
    if (result) return "accepted";
    EXPECT_EQ(result.error().code, code);
    return result.error().detail;
}

TEST(x509, takes_what_openssl_writes) {
    const Certificate certificate = parsed(good_certificate());
    EXPECT_EQ(certificate.public_key, subject_key().point());
    EXPECT_EQ(certificate.validity.not_before, test::now - 10);
    EXPECT_EQ(certificate.validity.not_after, test::now + 10);
    EXPECT_EQ(certificate.serial, Bytes{7});
    EXPECT_EQ(display_name(certificate), "'subject'");
    EXPECT_TRUE(verify_issued({.subject = certificate, .issuer = parsed(good_issuer())}));
}

TEST(x509, rejects_certificates_of_another_form) {
    const crypto::EvpPkeyPtr p384(EVP_EC_gen("secp384r1"));
    const struct {
        const char* detail;
        std::function<void(OpensslCertificate&)> change;
    } cases[] = {
        {"certificate: not of version 3", [](auto& one) { one.version = X509_VERSION_1; }},
        {"certificate: not signed with ECDSA and SHA-256",
         [](auto& one) { one.digest = EVP_sha384(); }},
        {"certificate: extensions not readable",
         [](auto& one) {
             // A key usage that is no BIT STRING.
             one.other_extensions = {{"2.5.29.15", {0x05, 0x00}}};
         }},
        {"certificate: unknown critical extension",
         [](auto& one) {
             one.known_extensions = {{NID_netscape_comment, "critical,x"}};
         }},
        {"certificate: public key: have another form", [&](auto& one) { one.key = p384.get(); }},
    };
    for (const auto& [detail, change] : cases) {
        OpensslCertificate certificate = good_certificate();
        change(certificate);
        const auto result = parse_certificate(certificate.build());
        EXPECT_TRUE(refusal(result, ErrorCode::certificate_malformed).starts_with(detail))
            << refusal(result, ErrorCode::certificate_malformed);
    }
}

TEST(x509, rejects_times_that_cannot_be_read) {
    const Bytes der = good_certificate().build();
    for (const size_t place : {0u, 1u}) {
        const auto result = parse_certificate(test::with_unreadable_time(der, place));
        EXPECT_EQ(refusal(result, ErrorCode::certificate_malformed),
                  "certificate: no readable validity");
    }
}

TEST(x509, a_certificate_may_have_no_common_name) {
    OpensslCertificate nameless = good_certificate();
    nameless.subject.clear();
    EXPECT_EQ(display_name(parsed(nameless)), "''");
}

TEST(x509, rejects_issuers_that_may_not_issue) {
    const Certificate subject = parsed(good_certificate());
    const std::vector<std::pair<int, const char*>> not_enough[] = {
        {},
        {{NID_basic_constraints, "critical,CA:FALSE"}, {NID_key_usage, "critical,keyCertSign"}},
        {{NID_basic_constraints, "critical,CA:TRUE"}, {NID_key_usage, "critical,cRLSign"}},
    };
    for (const auto& extensions : not_enough) {
        OpensslCertificate issuer = good_issuer();
        issuer.known_extensions = extensions;
        const auto result = verify_issued({.subject = subject, .issuer = parsed(issuer)});
        EXPECT_EQ(refusal(result, ErrorCode::certificate_chain_invalid),
                  "'issuer': may not issue certificates");
    }
}

OpensslCrl good_crl() {
    OpensslCrl out;
    out.issuer_key = issuer_key().handle();
    out.this_update = test::now - 10;
    out.next_update = test::now + 10;
    out.serials = {500, 3, 40};
    return out;
}

TEST(crl, takes_what_openssl_writes) {
    const Crl crl = parse_crl(good_crl().build()).value();
    EXPECT_TRUE(verify_crl_issued(crl, parsed(good_issuer())));
    EXPECT_EQ(crl.validity.not_after, test::now + 10);
    for (const Bytes& serial : {Bytes{3}, Bytes{40}, Bytes{1, 0xf4}}) {
        EXPECT_TRUE(crl.lists(serial));
    }
    EXPECT_FALSE(crl.lists(Bytes{4}));
    EXPECT_FALSE(crl.lists(Bytes{}));
}

TEST(crl, rejects_lists_of_another_form) {
    const struct {
        const char* detail;
        std::function<void(OpensslCrl&)> change;
    } cases[] = {
        {"CRL: not of version 2",
         [](auto& crl) {
             crl.version = X509_CRL_VERSION_1;
             crl.serials.clear();
         }},
        {"CRL: not signed with ECDSA and SHA-256", [](auto& crl) { crl.digest = EVP_sha384(); }},
        {"CRL: no readable thisUpdate and nextUpdate", [](auto& crl) { crl.next_update.reset(); }},
        {"CRL: unknown critical extension of an entry",
         [](auto& crl) { crl.critical_reasons = true; }},
    };
    for (const auto& [detail, change] : cases) {
        OpensslCrl crl = good_crl();
        change(crl);
        EXPECT_EQ(refusal(parse_crl(crl.build()), ErrorCode::collateral_malformed), detail);
    }
    // thisUpdate and nextUpdate; an entry's date is not asked about.
    for (const size_t place : {0u, 1u}) {
        const Bytes der = test::with_unreadable_time(good_crl().build(), place);
        EXPECT_EQ(refusal(parse_crl(der), ErrorCode::collateral_malformed),
                  "CRL: no readable thisUpdate and nextUpdate");
    }
}

TEST(crl, rejects_an_issuer_that_may_not_sign_lists) {
    const Crl crl = parse_crl(good_crl().build()).value();
    OpensslCertificate issuer = good_issuer();
    issuer.known_extensions[1].second = "critical,keyCertSign";
    EXPECT_EQ(
        refusal(verify_crl_issued(crl, parsed(issuer)), ErrorCode::collateral_signature_invalid),
        "CRL: 'issuer' may not sign lists");
}

}  // namespace
}  // namespace teetee::attest
