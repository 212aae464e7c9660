// SPDX-License-Identifier: Apache-2.0
#include "attest/ra_certificate.hpp"

#include <algorithm>

#include "attest/certificate_builder.hpp"
#include "attest/der.hpp"
#include "attest/limits.hpp"
#include "attest/statement.hpp"
#include "crypto/hash.hpp"

namespace teetee::attest {
namespace {

constexpr std::string_view certificate_name = "TeeTee node";

// Contents octets of the identifiers in the header.
constexpr ByteArray<10> quote_oid = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xe7, 0x3d, 0x01, 0x01};
constexpr ByteArray<20> statement_oid = {0x69, 0x83, 0xb1, 0xaa, 0x9c, 0x8c, 0x81,
                                         0xe5, 0xfa, 0x8a, 0xfb, 0x91, 0xde, 0xdb,
                                         0xb9, 0xa2, 0xb0, 0xfd, 0x87, 0x4d};

CertificateExtension octet_extension(ByteView oid, ByteView contents) {
    return {.oid = Bytes(oid.begin(), oid.end()),
            .value = der_encode(DerTag::octet_string, {contents})};
}

struct OctetExtension {
    ByteView oid;
    std::string_view name;
    size_t bytes_max = 0;
};

Result<Bytes> read_octet_extension(const Certificate& certificate, const OctetExtension& wanted) {
    TT_TRY(const auto value, find_extension(certificate, wanted.oid));
    if (!value) {
        return fail(ErrorCode::evidence_missing,
                    "certificate: has no " + std::string(wanted.name) + " extension");
    }
    DerReader reader(*value);
    TT_TRY(const ByteView contents, reader.read(DerTag::octet_string));
    if (!reader.at_end() || contents.size() > wanted.bytes_max) {
        return fail(ErrorCode::certificate_malformed,
                    std::string(wanted.name) + " extension: have " + std::to_string(value->size()) +
                        " bytes, need one OCTET STRING of at most " +
                        std::to_string(wanted.bytes_max));
    }
    return Bytes(contents.begin(), contents.end());
}

}  // namespace

Result<Bytes> make_ra_certificate(const crypto::P256Key& tls_key, const Evidence& evidence) {
    TT_TRY(const Statement statement, decode_statement(evidence.statement));
    if (statement.tls_spki != tls_key.spki_der()) {
        return fail(ErrorCode::statement_mismatch,
                    "tls_spki: have another key, need the certificate's");
    }
    if (evidence.quote.size() > quote_bytes_max) {
        return fail(ErrorCode::limit_exceeded,
                    "quote: have " + std::to_string(evidence.quote.size()) +
                        " bytes, need at most " + std::to_string(quote_bytes_max));
    }
    CertificateFields fields;
    fields.subject_name = certificate_name;
    fields.issuer_name = certificate_name;
    fields.not_before = statement.not_before;
    fields.not_after = statement.not_after;
    fields.spki_der = statement.tls_spki;
    fields.extensions = {octet_extension(quote_oid, evidence.quote),
                         octet_extension(statement_oid, evidence.statement)};
    const Digest unique = crypto::sha256(evidence.quote);
    std::copy_n(unique.begin(), fields.serial.size(), fields.serial.begin());
    return build_certificate(fields, tls_key, SignatureMode::random);
}

Result<RaCertificate> parse_ra_certificate(ByteView der) {
    RaCertificate out;
    TT_TRY(out.certificate, parse_certificate(der));
    TT_TRY(out.evidence.quote,
           read_octet_extension(out.certificate,
                                {.oid = quote_oid, .name = "quote", .bytes_max = quote_bytes_max}));
    TT_TRY(out.evidence.statement,
           read_octet_extension(
               out.certificate,
               {.oid = statement_oid, .name = "statement", .bytes_max = statement_bytes_max}));
    return out;
}

}  // namespace teetee::attest
