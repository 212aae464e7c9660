// SPDX-License-Identifier: Apache-2.0
#include "attest/certificate_builder.hpp"

#include <cstdio>
#include <ctime>

#include "attest/der.hpp"
#include "attest/limits.hpp"

namespace teetee::attest {
namespace {

// Contents octets of object identifiers.
constexpr ByteArray<8> ecdsa_with_sha256_oid = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
constexpr ByteArray<3> common_name_oid = {0x55, 0x04, 0x03};
constexpr ByteArray<3> key_usage_oid = {0x55, 0x1d, 0x0f};
constexpr ByteArray<3> basic_constraints_oid = {0x55, 0x1d, 0x13};

constexpr ByteArray<1> der_true = {0xff};
constexpr ByteArray<1> version_3 = {2};
constexpr ByteArray<1> crl_version_2 = {1};
// BIT STRINGs: unused bits, then keyCertSign and cRLSign (CA) or digitalSignature.
constexpr ByteArray<2> key_usage_ca = {0x01, 0x06};
constexpr ByteArray<2> key_usage_end_entity = {0x07, 0x80};
constexpr ByteArray<1> no_unused_bits = {0};

Bytes encode_oid(ByteView contents) {
    return der_encode(DerTag::object_identifier, {contents});
}

Bytes encode_algorithm() {
    return der_encode(DerTag::sequence, {encode_oid(ecdsa_with_sha256_oid)});
}

Bytes encode_name(std::string_view common_name) {
    const Bytes attribute = der_encode(
        DerTag::sequence,
        {encode_oid(common_name_oid), der_encode(DerTag::utf8_string, {as_bytes(common_name)})});
    return der_encode(DerTag::sequence, {der_encode(DerTag::set, {attribute})});
}

// UTCTime up to 2049, GeneralizedTime from then on (RFC 5280 section 4.1.2.5).
Result<Bytes> encode_time(UnixSeconds time) {
    if (time < 0 || time > unix_seconds_max) {
        return fail(ErrorCode::invalid_argument, "certificate time: have " + std::to_string(time) +
                                                     ", need 0 to " +
                                                     std::to_string(unix_seconds_max));
    }
    const time_t seconds = time;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y%m%d%H%M%SZ", &parts);
    const std::string_view generalized(text.data());
    if (parts.tm_year >= 150) return der_encode(DerTag::generalized_time, {as_bytes(generalized)});
    return der_encode(DerTag::utc_time, {as_bytes(generalized.substr(2))});
}

Bytes encode_serial(ByteArray<16> serial) {
    // Positive and without leading zeros, whatever the bytes are.
    serial[0] = static_cast<uint8_t>((serial[0] & 0x3f) | 0x40);
    return der_encode(DerTag::integer, {serial});
}

Bytes encode_critical_extension(ByteView oid, const Bytes& value) {
    return der_encode(DerTag::sequence, {encode_oid(oid), der_encode(DerTag::boolean, {der_true}),
                                         der_encode(DerTag::octet_string, {value})});
}

Bytes encode_extensions(const CertificateFields& fields) {
    Bytes list;
    const auto append = [&](const Bytes& one) { list.insert(list.end(), one.begin(), one.end()); };
    if (fields.ca_path_length) {
        const ByteArray<1> path_length = {*fields.ca_path_length};
        append(encode_critical_extension(
            basic_constraints_oid,
            der_encode(DerTag::sequence, {der_encode(DerTag::boolean, {der_true}),
                                          der_encode(DerTag::integer, {path_length})})));
    }
    append(encode_critical_extension(
        key_usage_oid,
        der_encode(DerTag::bit_string,
                   {fields.ca_path_length ? ByteView(key_usage_ca) : key_usage_end_entity})));
    for (const CertificateExtension& extension : fields.extensions) {
        append(der_encode(DerTag::sequence, {encode_oid(extension.oid),
                                             der_encode(DerTag::octet_string, {extension.value})}));
    }
    return der_encode(DerTag::context_3, {der_encode(DerTag::sequence, {list})});
}

// SEQUENCE of what is signed, algorithm, signature.
Bytes encode_signed(const Bytes& to_sign, const crypto::P256Signature& signature) {
    return der_encode(
        DerTag::sequence,
        {to_sign, encode_algorithm(),
         der_encode(DerTag::bit_string, {no_unused_bits, crypto::p256_signature_der(signature)})});
}

Bytes encode_revoked(const CrlFields& fields, const Bytes& revocation_date) {
    Bytes entries;
    for (const ByteArray<16>& serial : fields.revoked_serials) {
        const Bytes entry = der_encode(DerTag::sequence, {encode_serial(serial), revocation_date});
        entries.insert(entries.end(), entry.begin(), entry.end());
    }
    // An empty list must not stand there.
    return entries.empty() ? Bytes() : der_encode(DerTag::sequence, {entries});
}

}  // namespace

Result<Bytes> build_certificate(const CertificateFields& fields, const crypto::P256Key& issuer_key,
                                SignatureMode mode) {
    TT_TRY(const Bytes not_before, encode_time(fields.not_before));
    TT_TRY(const Bytes not_after, encode_time(fields.not_after));
    const Bytes to_sign = der_encode(
        DerTag::sequence,
        {der_encode(DerTag::context_0, {der_encode(DerTag::integer, {version_3})}),
         encode_serial(fields.serial), encode_algorithm(), encode_name(fields.issuer_name),
         der_encode(DerTag::sequence, {not_before, not_after}), encode_name(fields.subject_name),
         fields.spki_der, encode_extensions(fields)});
    TT_TRY(const auto signature, mode == SignatureMode::deterministic
                                     ? issuer_key.sign_deterministic(to_sign)
                                     : issuer_key.sign(to_sign));
    return encode_signed(to_sign, signature);
}

Result<Bytes> build_crl(const CrlFields& fields, const crypto::P256Key& issuer_key) {
    TT_TRY(const Bytes this_update, encode_time(fields.this_update));
    TT_TRY(const Bytes next_update, encode_time(fields.next_update));
    Bytes extensions;
    for (const CertificateExtension& extension : fields.critical_extensions) {
        const Bytes one = encode_critical_extension(extension.oid, extension.value);
        extensions.insert(extensions.end(), one.begin(), one.end());
    }
    if (!extensions.empty()) {
        extensions = der_encode(DerTag::context_0, {der_encode(DerTag::sequence, {extensions})});
    }
    const Bytes to_sign = der_encode(
        DerTag::sequence, {der_encode(DerTag::integer, {crl_version_2}), encode_algorithm(),
                           encode_name(fields.issuer_name), this_update, next_update,
                           encode_revoked(fields, this_update), extensions});
    TT_TRY(const auto signature, issuer_key.sign_deterministic(to_sign));
    return encode_signed(to_sign, signature);
}

}  // namespace teetee::attest
