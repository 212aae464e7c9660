// SPDX-License-Identifier: Apache-2.0
#include "attest/certificate_builder.hpp"

#include <gtest/gtest.h>

#include "attest/crl.hpp"
#include "attest/limits.hpp"

namespace teetee::attest {
namespace {

crypto::P256Key key() {
    return crypto::P256Key::derive({1}).value();
}

CertificateFields fields() {
    CertificateFields out;
    out.subject_name = "subject";
    out.issuer_name = "issuer";
    out.not_before = 1'000'000'000;
    out.not_after = 2'000'000'000;
    out.spki_der = key().spki_der();
    return out;
}

CrlFields list_fields(const Validity& validity) {
    CrlFields out;
    out.issuer_name = "issuer";
    out.this_update = validity.not_before;
    out.next_update = validity.not_after;
    return out;
}

TEST(certificate_builder, writes_times_of_both_forms) {
    for (const UnixSeconds time :
         {UnixSeconds{0}, UnixSeconds{2524607999}, UnixSeconds{2524608000}, unix_seconds_max}) {
        CertificateFields one = fields();
        one.not_before = time;
        one.not_after = time;
        const Bytes der = build_certificate(one, key(), SignatureMode::random).value();
        EXPECT_EQ(parse_certificate(der).value().validity.not_before, time);
        const Bytes list = build_crl(list_fields({time, time}), key()).value();
        EXPECT_EQ(parse_crl(list).value().validity.not_after, time);
    }
}

TEST(certificate_builder, refuses_times_that_x509_cannot_write) {
    for (const UnixSeconds time : {UnixSeconds{-1}, unix_seconds_max + 1}) {
        CertificateFields early = fields();
        early.not_before = time;
        CertificateFields late = fields();
        late.not_after = time;
        for (const CertificateFields& one : {early, late}) {
            const auto refused = build_certificate(one, key(), SignatureMode::deterministic);
            EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
        }
        for (const Validity& validity : {Validity{time, 0}, Validity{0, time}}) {
            const auto refused = build_crl(list_fields(validity), key());
            EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
            EXPECT_TRUE(refused.error().detail.starts_with("certificate time: have "));
        }
    }
}

}  // namespace
}  // namespace teetee::attest
