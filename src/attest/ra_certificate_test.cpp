// SPDX-License-Identifier: Apache-2.0
#include "attest/ra_certificate.hpp"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "attest/certificate_builder.hpp"
#include "attest/der.hpp"
#include "attest/dev_node.hpp"
#include "attest/limits.hpp"

namespace teetee::attest {
namespace {

/// A node's certificate with these extensions before its own.
Result<RaCertificate> parse_with(const std::vector<CertificateExtension>& extensions,
                                 const std::string& name = "x") {
    const auto node = test::make_node();
    const auto extension = [](const char* oid, const Bytes& contents) {
        return CertificateExtension{.oid = from_hex(oid).value(),
                                    .value = der_encode(DerTag::octet_string, {contents})};
    };
    CertificateFields fields;
    fields.subject_name = name;
    fields.issuer_name = name;
    fields.not_before = node.statement.not_before;
    fields.not_after = node.statement.not_after;
    fields.spki_der = node.tls_key.spki_der();
    fields.extensions = extensions;
    fields.extensions.push_back(extension("2b0601040183e73d0101", node.quote()));
    fields.extensions.push_back(
        extension("6983b1aa9c8c81e5fa8afb91dedbb9a2b0fd874d", node.encoded()));
    return parse_ra_certificate(
        build_certificate(fields, node.tls_key, SignatureMode::random).value());
}

/// The certificate after a change that its signature no longer covers: parsing does not ask.
ErrorCode code_after(const std::function<void(X509*)>& change) {
    const Bytes der = test::make_node().certificate();
    const uint8_t* cursor = der.data();
    const crypto::X509Ptr x509(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
    change(x509.get());
    // Forgets the bytes that were read.
    uint8_t* tbs = nullptr;
    EXPECT_GT(i2d_re_X509_tbs(x509.get(), &tbs), 0);
    OPENSSL_free(tbs);
    Bytes changed(static_cast<size_t>(i2d_X509(x509.get(), nullptr)));
    uint8_t* position = changed.data();
    i2d_X509(x509.get(), &position);
    const auto parsed = parse_ra_certificate(changed);
    return parsed ? ErrorCode{} : parsed.error().code;
}

void set_serial(X509* x509, const char* hex) {
    BIGNUM* number = nullptr;
    BN_hex2bn(&number, hex);
    ASN1_INTEGER* serial = BN_to_ASN1_INTEGER(number, nullptr);
    X509_set_serialNumber(x509, serial);
    ASN1_INTEGER_free(serial);
    BN_free(number);
}

void set_key(X509* x509, EVP_PKEY* key) {
    X509_set_pubkey(x509, key);
    EVP_PKEY_free(key);
}

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

// 1.3.6.1.4.1.62397.1: event log, app id, usage, attestation, app info. Nobody asks for them here.
TEST(ra_certificate, passes_over_the_other_extensions_of_dstack) {
    std::vector<CertificateExtension> extensions;
    for (const uint8_t arc : Bytes{2, 3, 4, 8, 9}) {
        Bytes oid = from_hex("2b0601040183e73d0101").value();
        oid.back() = arc;
        extensions.push_back({.oid = oid, .value = Bytes(1000, arc)});
    }
    const auto parsed = parse_with(extensions);
    ASSERT_TRUE(parsed) << parsed.error().message();
    EXPECT_EQ(parsed->evidence.statement, test::make_node().encoded());
}

TEST(ra_certificate, rejects_extensions_beyond_size_and_number) {
    const Bytes oid = from_hex("2b0601040183e73d0102").value();
    EXPECT_TRUE(parse_with({{.oid = oid, .value = Bytes(certificate_extension_bytes_max)}}));
    const auto long_one =
        parse_with({{.oid = oid, .value = Bytes(certificate_extension_bytes_max + 1)}});
    EXPECT_EQ(long_one.error().code, ErrorCode::certificate_malformed);
    EXPECT_NE(long_one.error().detail.find("bytes of an extension"), std::string::npos);

    std::vector<CertificateExtension> many;
    for (uint8_t i = 0; i < certificate_extensions_max; ++i)
        many.push_back({.oid = {0x2b, 0x06, 0x01, i}, .value = {0x05, 0x00}});
    EXPECT_EQ(parse_with(many).error().code, ErrorCode::certificate_malformed);
    many.resize(certificate_extensions_max / 2);
    EXPECT_TRUE(parse_with(many));
}

TEST(ra_certificate, rejects_any_extension_that_is_there_twice) {
    // Ours, so that nobody can choose; and one that nobody knows.
    for (const char* oid : {"2b0601040183e73d0101", "6983b1aa9c8c81e5fa8afb91dedbb9a2b0fd874d"}) {
        const auto twice = parse_with({{.oid = from_hex(oid).value(), .value = {0x04, 0x00}}});
        EXPECT_EQ(twice.error().code, ErrorCode::certificate_malformed);
        EXPECT_NE(twice.error().detail.find("extension twice"), std::string::npos) << oid;
    }
    const CertificateExtension unknown = {.oid = {0x2b, 0x06, 0x01, 0x07}, .value = {0x05, 0x00}};
    EXPECT_TRUE(parse_with({unknown}));
    EXPECT_EQ(parse_with({unknown, unknown}).error().code, ErrorCode::certificate_malformed);
}

TEST(ra_certificate, rejects_an_unknown_critical_extension) {
    EXPECT_EQ(code_after([](X509* x509) {
                  X509_EXTENSION_set_critical(X509_get_ext(x509, X509_get_ext_count(x509) - 1), 1);
              }),
              ErrorCode::certificate_malformed);
}

TEST(ra_certificate, rejects_a_name_beyond_its_size) {
    EXPECT_TRUE(parse_with({}, std::string(64, 'n')));
    EXPECT_EQ(code_after([](X509* x509) {
                  X509_NAME* name = X509_get_subject_name(x509);
                  for (int i = 0; i < 20; ++i) {
                      X509_NAME_add_entry_by_txt(
                          name, "OU", MBSTRING_ASC,
                          reinterpret_cast<const uint8_t*>(std::string(60, 'n').c_str()), -1, -1,
                          0);
                  }
              }),
              ErrorCode::certificate_malformed);
}

TEST(ra_certificate, rejects_a_serial_that_is_too_long_or_negative) {
    EXPECT_EQ(code_after([](X509* x509) { set_serial(x509, "7f"); }), ErrorCode{});
    EXPECT_EQ(code_after([](X509* x509) { set_serial(x509, std::string(40, 'f').c_str()); }),
              ErrorCode{});
    EXPECT_EQ(code_after([](X509* x509) { set_serial(x509, std::string(42, '1').c_str()); }),
              ErrorCode::certificate_malformed);
    EXPECT_EQ(code_after([](X509* x509) { set_serial(x509, "-7f"); }),
              ErrorCode::certificate_malformed);
}

TEST(ra_certificate, rejects_other_keys_than_p256) {
    EXPECT_EQ(code_after([](X509* x509) { set_key(x509, EVP_EC_gen("P-384")); }),
              ErrorCode::certificate_malformed);
    EXPECT_EQ(code_after([](X509* x509) { set_key(x509, EVP_RSA_gen(2048)); }),
              ErrorCode::certificate_malformed);
}

TEST(ra_certificate, rejects_a_signature_that_is_too_long) {
    EXPECT_EQ(code_after([](X509* x509) {
                  const ASN1_BIT_STRING* signature = nullptr;
                  X509_get0_signature(&signature, nullptr, x509);
                  const Bytes longer(certificate_signature_bytes_max + 1, 0x30);
                  ASN1_STRING_set(const_cast<ASN1_BIT_STRING*>(signature), longer.data(),
                                  static_cast<int>(longer.size()));
              }),
              ErrorCode::certificate_malformed);
}

// [1] issuerUniqueID and [2] subjectUniqueID (RFC 5280 section 4.1.2.8): nobody makes them.
TEST(ra_certificate, rejects_unique_identifiers) {
    const Bytes der = test::make_node().certificate();
    DerReader outer(der);
    DerReader fields(outer.read(DerTag::sequence).value());
    DerReader tbs(fields.read(DerTag::sequence).value());
    const auto copy = [](DerReader& from, DerTag tag) {
        return der_encode(tag, {from.read(tag).value()});
    };
    const auto with = [&](const Bytes& unique_id) {
        Bytes inside;
        DerReader rest = tbs;
        for (const DerTag tag :
             {DerTag::context_0, DerTag::integer, DerTag::sequence, DerTag::sequence,
              DerTag::sequence, DerTag::sequence, DerTag::sequence, DerTag::context_3}) {
            if (tag == DerTag::context_3)
                inside.insert(inside.end(), unique_id.begin(), unique_id.end());
            const Bytes field = copy(rest, tag);
            inside.insert(inside.end(), field.begin(), field.end());
        }
        DerReader behind = fields;
        const Bytes algorithm = copy(behind, DerTag::sequence);
        const Bytes signature = copy(behind, DerTag::bit_string);
        return parse_ra_certificate(der_encode(
            DerTag::sequence, {der_encode(DerTag::sequence, {inside}), algorithm, signature}));
    };
    EXPECT_TRUE(with({}));
    EXPECT_EQ(with({0x81, 0x02, 0x00, 0x42}).error().code, ErrorCode::certificate_malformed);
    EXPECT_EQ(with({0x82, 0x02, 0x00, 0x42}).error().code, ErrorCode::certificate_malformed);
}

}  // namespace
}  // namespace teetee::attest
