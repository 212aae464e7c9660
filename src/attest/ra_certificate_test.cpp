// SPDX-License-Identifier: Apache-2.0
#include "attest/ra_certificate.hpp"

#include <gtest/gtest.h>

#include "attest/certificate_builder.hpp"
#include "attest/dev_node.hpp"
#include "attest/limits.hpp"

namespace teetee::attest {
namespace {

TEST(ra_certificate, round_trip) {
    const auto node = test::make_node();
    const Bytes quote = node.quote();
    const Bytes der =
        make_ra_certificate(node.tls_key, {.statement = node.encoded(), .quote = quote}).value();
    const auto parsed = parse_ra_certificate(der).value();
    EXPECT_EQ(parsed.evidence.quote, quote);
    EXPECT_EQ(parsed.evidence.statement, node.encoded());
    EXPECT_EQ(parsed.certificate.spki_der, node.tls_key.spki_der());
    EXPECT_EQ(parsed.certificate.validity.not_before, node.statement.not_before);
    EXPECT_EQ(parsed.certificate.validity.not_after, node.statement.not_after);
    EXPECT_TRUE(verify_issued({.subject = parsed.certificate, .issuer = parsed.certificate}));
}

TEST(ra_certificate, is_made_only_for_the_statements_key) {
    const auto node = test::make_node();
    const auto other = test::make_node(2);
    const auto made =
        make_ra_certificate(other.tls_key, {.statement = node.encoded(), .quote = node.quote()});
    EXPECT_EQ(made.error().code, ErrorCode::statement_mismatch);
}

TEST(ra_certificate, is_not_made_from_bad_parts) {
    const auto node = test::make_node();
    EXPECT_EQ(make_ra_certificate(node.tls_key, {.statement = {}, .quote = {}}).error().code,
              ErrorCode::statement_malformed);
    EXPECT_EQ(make_ra_certificate(
                  node.tls_key, {.statement = node.encoded(), .quote = Bytes(quote_bytes_max + 1)})
                  .error()
                  .code,
              ErrorCode::limit_exceeded);
}

TEST(ra_certificate, holds_a_quote_of_the_largest_size) {
    const auto node = test::make_node();
    const Bytes quote(quote_bytes_max, 0x42);
    const Bytes der =
        make_ra_certificate(node.tls_key, {.statement = node.encoded(), .quote = quote}).value();
    EXPECT_EQ(parse_ra_certificate(der).value().evidence.quote, quote);
}

TEST(ra_certificate, rejects_a_certificate_without_evidence) {
    const auto root = parse_pem_certificates(as_bytes(test::make_tee().root_pem()), 1).value();
    EXPECT_EQ(parse_ra_certificate(root[0].der).error().code, ErrorCode::evidence_missing);
}

TEST(ra_certificate, rejects_truncation_and_trailing_bytes) {
    Bytes der = test::make_node().certificate();
    for (size_t size = 0; size < der.size(); size += 13) {
        EXPECT_EQ(parse_ra_certificate(ByteView(der).first(size)).error().code,
                  ErrorCode::certificate_malformed);
    }
    der.push_back(0);
    EXPECT_EQ(parse_ra_certificate(der).error().code, ErrorCode::certificate_malformed);
    EXPECT_EQ(parse_ra_certificate(Bytes(certificate_bytes_max + 1)).error().code,
              ErrorCode::certificate_malformed);
}

// An extension value that is too long, no OCTET STRING, or has bytes behind it.
TEST(ra_certificate, rejects_extensions_of_another_form) {
    const auto node = test::make_node();
    const Bytes oid = from_hex("2b0601040183e73d0101").value();
    for (const Bytes& value :
         {Bytes{}, Bytes{0x05, 0x00}, Bytes{0x04, 0x01, 0x42, 0x00}, Bytes{0x04, 0x02, 0x42}}) {
        CertificateFields fields;
        fields.subject_name = "x";
        fields.issuer_name = "x";
        fields.not_after = test::now;
        fields.spki_der = node.tls_key.spki_der();
        fields.extensions = {{.oid = oid, .value = value}};
        const Bytes der = build_certificate(fields, node.tls_key, SignatureMode::random).value();
        EXPECT_EQ(parse_ra_certificate(der).error().code, ErrorCode::certificate_malformed);
    }
}

}  // namespace
}  // namespace teetee::attest
