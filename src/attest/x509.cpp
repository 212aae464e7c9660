// SPDX-License-Identifier: Apache-2.0
#include "attest/x509.hpp"

#include <algorithm>
#include <ctime>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "attest/limits.hpp"
#include "attest/time_text.hpp"
#include "base/assert.hpp"

namespace teetee::attest {
namespace {

constexpr std::string_view pem_begin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view pem_end = "-----END CERTIFICATE-----";
constexpr std::string_view white_space = " \t\r\n";

Error malformed(std::string detail) {
    return fail(ErrorCode::certificate_malformed, "certificate: " + std::move(detail));
}

Bytes name_der(const X509_NAME* name) {
    const uint8_t* der = nullptr;
    size_t der_bytes = 0;
    // It is kept as it was read.
    TT_ASSERT(X509_NAME_get0_der(name, &der, &der_bytes) == 1);
    return Bytes(der, der + der_bytes);
}

Error out_of_bounds(std::string_view field, size_t have, size_t need_at_most) {
    return malformed(std::string(field) + ": have " + std::to_string(have) + ", need at most " +
                     std::to_string(need_at_most));
}

Result<void> ensure_extensions_bounded(const X509* x509) {
    const int count = X509_get_ext_count(x509);
    if (count > static_cast<int>(certificate_extensions_max)) {
        return out_of_bounds("extensions", static_cast<size_t>(count), certificate_extensions_max);
    }
    for (int i = 0; i < count; ++i) {
        X509_EXTENSION* extension = X509_get_ext(x509, i);
        const int value_bytes = ASN1_STRING_length(X509_EXTENSION_get_data(extension));
        if (value_bytes > static_cast<int>(certificate_extension_bytes_max)) {
            return out_of_bounds("bytes of an extension", static_cast<size_t>(value_bytes),
                                 certificate_extension_bytes_max);
        }
        // RFC 5280 section 4.2: each at most once. Two readers could choose different ones.
        const ASN1_OBJECT* oid = X509_EXTENSION_get_object(extension);
        if (X509_get_ext_by_OBJ(x509, oid, i) >= 0) {
            return malformed("extension twice: " +
                             to_hex(ByteView(OBJ_get0_data(oid), OBJ_length(oid))
                                        .first(std::min<size_t>(16, OBJ_length(oid)))));
        }
    }
    return {};
}

/// What the parser leaves to whoever made the certificate.
Result<void> ensure_bounded(const X509* x509) {
    const ASN1_INTEGER* serial = X509_get0_serialNumber(x509);
    const auto serial_bytes = static_cast<size_t>(ASN1_STRING_length(serial));
    if (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER) return malformed("serial: is negative");
    if (serial_bytes > certificate_serial_bytes_max) {
        return out_of_bounds("bytes of the serial", serial_bytes, certificate_serial_bytes_max);
    }
    for (const X509_NAME* name : {X509_get_subject_name(x509), X509_get_issuer_name(x509)}) {
        const size_t name_bytes = name_der(name).size();
        if (name_bytes > certificate_name_bytes_max) {
            return out_of_bounds("bytes of a name", name_bytes, certificate_name_bytes_max);
        }
    }
    const ASN1_BIT_STRING* signature = nullptr;
    X509_get0_signature(&signature, nullptr, x509);
    const auto signature_bytes = static_cast<size_t>(ASN1_STRING_length(signature));
    if (signature_bytes > certificate_signature_bytes_max) {
        return out_of_bounds("bytes of the signature", signature_bytes,
                             certificate_signature_bytes_max);
    }
    const ASN1_BIT_STRING* issuer_id = nullptr;
    const ASN1_BIT_STRING* subject_id = nullptr;
    X509_get0_uids(x509, &issuer_id, &subject_id);
    if (issuer_id != nullptr || subject_id != nullptr) return malformed("has unique identifiers");
    return ensure_extensions_bounded(x509);
}

void strip_white_space(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(white_space), text.size()));
}

Result<Certificate> parse_pem_block(std::string_view body, std::span<const Certificate> known) {
    std::string base64;
    for (const char c : body) {
        if (white_space.find(c) == std::string_view::npos) base64.push_back(c);
    }
    const auto der = from_base64(base64);
    if (!der) return malformed("PEM: " + der.error().detail);
    const auto same = std::find_if(known.begin(), known.end(),
                                   [&](const Certificate& one) { return one.der == *der; });
    return same != known.end() ? Result<Certificate>(*same) : parse_certificate(*der);
}

}  // namespace

std::string describe_out_of_date(const Validity& validity, UnixSeconds now) {
    return "have time " + describe_time(now) + ", need " + describe_time(validity.not_before) +
           " to " + describe_time(validity.not_after);
}

std::optional<UnixSeconds> to_unix_seconds(const ASN1_TIME& time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(&time, &parts) != 1) return std::nullopt;
    return timegm(&parts);
}

std::optional<Validity> validity_of(const X509& x509) {
    const auto not_before = to_unix_seconds(*X509_get0_notBefore(&x509));
    const auto not_after = to_unix_seconds(*X509_get0_notAfter(&x509));
    if (!not_before || !not_after) return std::nullopt;
    return Validity{*not_before, *not_after};
}

Bytes spki_der_of(const X509& x509) {
    uint8_t* der = nullptr;
    const int der_bytes = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&x509), &der);
    // What was read from DER has all its parts.
    TT_ASSERT(der_bytes > 0);
    const Bytes out(der, der + der_bytes);
    OPENSSL_free(der);
    return out;
}

Result<Certificate> parse_certificate(ByteView der) {
    if (der.size() > certificate_bytes_max) {
        return malformed("have " + std::to_string(der.size()) + " bytes, need at most " +
                         std::to_string(certificate_bytes_max));
    }
    Certificate out;
    out.der.assign(der.begin(), der.end());
    const uint8_t* cursor = der.data();
    out.x509 = crypto::X509Ptr(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
    if (out.x509 == nullptr) {
        return crypto::openssl_fail(ErrorCode::certificate_malformed, "certificate: not DER");
    }
    X509* x509 = out.x509.get();
    if (cursor != der.data() + der.size()) return malformed("bytes behind its end");
    if (X509_get_version(x509) != X509_VERSION_3) return malformed("not of version 3");
    if (X509_get_signature_nid(x509) != NID_ecdsa_with_SHA256) {
        return malformed("not signed with ECDSA and SHA-256");
    }
    TT_CHECK(ensure_bounded(x509));
    const uint32_t flags = X509_get_extension_flags(x509);
    ERR_clear_error();
    if ((flags & EXFLAG_INVALID) != 0) return malformed("extensions not readable");
    if ((flags & EXFLAG_CRITICAL) != 0) return malformed("unknown critical extension");

    out.spki_der = spki_der_of(*x509);
    const auto point = crypto::p256_point_from_spki(out.spki_der);
    if (!point) return malformed(point.error().detail);
    out.public_key = *point;

    const auto validity = validity_of(*x509);
    if (!validity) return malformed("no readable validity");
    out.validity = *validity;
    const ASN1_INTEGER* serial = X509_get0_serialNumber(x509);
    const uint8_t* serial_data = ASN1_STRING_get0_data(serial);
    out.serial.assign(serial_data, serial_data + ASN1_STRING_length(serial));
    out.subject_der = name_der(X509_get_subject_name(x509));
    out.issuer_der = name_der(X509_get_issuer_name(x509));
    return out;
}

Result<std::vector<Certificate>> parse_pem_certificates(ByteView pem, size_t count_max,
                                                        std::span<const Certificate> known) {
    std::string_view text = as_text(pem);
    while (text.ends_with('\0')) text.remove_suffix(1);
    std::vector<Certificate> out;
    for (strip_white_space(text); !text.empty(); strip_white_space(text)) {
        if (out.size() == count_max) {
            return malformed("PEM: have more than " + std::to_string(count_max) + " certificates");
        }
        if (!text.starts_with(pem_begin)) return malformed("PEM: bytes between certificates");
        text.remove_prefix(pem_begin.size());
        const size_t end = text.find(pem_end);
        if (end == std::string_view::npos) return malformed("PEM: certificate without an end");
        TT_TRY(auto certificate, parse_pem_block(text.substr(0, end), known));
        out.push_back(std::move(certificate));
        text.remove_prefix(end + pem_end.size());
    }
    return out;
}

std::string pem_of_certificate(ByteView der) {
    constexpr size_t line_chars = 64;
    const std::string base64 = to_base64(der);
    std::string out(pem_begin);
    for (size_t i = 0; i < base64.size(); i += line_chars) {
        out.append("\n").append(base64, i, line_chars);
    }
    return out.append("\n").append(pem_end).append("\n");
}

Result<std::optional<ByteView>> find_extension(const Certificate& certificate, ByteView oid) {
    std::optional<ByteView> found;
    const X509* x509 = certificate.x509.get();
    for (int i = 0; i < X509_get_ext_count(x509); ++i) {
        X509_EXTENSION* extension = X509_get_ext(x509, i);
        const ASN1_OBJECT* object = X509_EXTENSION_get_object(extension);
        const ByteView object_oid(OBJ_get0_data(object), OBJ_length(object));
        if (!std::equal(oid.begin(), oid.end(), object_oid.begin(), object_oid.end())) continue;
        if (found) return malformed("extension twice: " + to_hex(oid));
        const ASN1_OCTET_STRING* data = X509_EXTENSION_get_data(extension);
        found.emplace(ASN1_STRING_get0_data(data), static_cast<size_t>(ASN1_STRING_length(data)));
    }
    return found;
}

Result<void> verify_issued(const CertificateLink& link) {
    X509* subject = link.subject.x509.get();
    X509* issuer = link.issuer.x509.get();
    const std::string name = display_name(link.subject);
    if (X509_NAME_cmp(X509_get_issuer_name(subject), X509_get_subject_name(issuer)) != 0) {
        return fail(ErrorCode::certificate_chain_invalid,
                    name + ": its issuer's name is not that of " + display_name(link.issuer));
    }
    // Looks at the basic constraints and at the key usage.
    if (subject != issuer && X509_check_ca(issuer) != 1) {
        return fail(ErrorCode::certificate_chain_invalid,
                    display_name(link.issuer) + ": may not issue certificates");
    }
    if (X509_verify(subject, X509_get0_pubkey(issuer)) != 1) {
        return crypto::openssl_fail(ErrorCode::certificate_chain_invalid,
                                    name + ": signature does not verify");
    }
    return {};
}

Result<void> verify_in_date(const Certificate& certificate, UnixSeconds now) {
    if (certificate.validity.contains(now)) return {};
    return fail(ErrorCode::certificate_expired,
                display_name(certificate) + ": " + describe_out_of_date(certificate.validity, now));
}

std::string display_name(const Certificate& certificate) {
    const X509_NAME* name = X509_get_subject_name(certificate.x509.get());
    const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (at < 0) return quote_foreign("");
    const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    return quote_foreign(
        as_text({ASN1_STRING_get0_data(text), static_cast<size_t>(ASN1_STRING_length(text))}));
}

}  // namespace teetee::attest
