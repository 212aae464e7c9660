// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/request.hpp"
#include "base/world.hpp"
#include "crypto/openssl.hpp"
#include "crypto/p256.hpp"

namespace teetee::attest {

/// The first and the last second in which something signed counts.
struct Validity {
    UnixSeconds not_before = 0;
    UnixSeconds not_after = 0;

    bool contains(UnixSeconds time) const { return time >= not_before && time <= not_after; }
};

/// "have time .., need .. to ..", with dates (UTC) beside the numbers.
std::string describe_out_of_date(const Validity& validity, UnixSeconds now);

/// Seconds since 1970 of an X.509 time; none if OpenSSL cannot read it.
std::optional<UnixSeconds> to_unix_seconds(const ASN1_TIME& time);
/// From the one to the other time of a certificate; none if one of them cannot be read.
std::optional<Validity> validity_of(const X509& x509);

/// The SubjectPublicKeyInfo of a certificate that was read from DER.
Bytes spki_der_of(const X509& x509);

/// An X.509 v3 certificate (RFC 5280) with a P-256 key and an ECDSA-SHA256 signature, as parsed:
/// nothing in it is verified yet. `der` is exactly what came in.
struct Certificate {
    Bytes der;
    Bytes spki_der;
    crypto::P256Point public_key{};
    /// The serial number: contents octets of its INTEGER.
    Bytes serial;
    /// DER of the names.
    Bytes subject_der;
    Bytes issuer_der;
    Validity validity;
    /// Never changed, so that copies may share it.
    std::shared_ptr<X509> x509;
};

/// Error: certificate_malformed, also for other algorithms, for unknown critical extensions, for an
/// extension that is there twice, for fields beyond limits.hpp and for bytes behind the
/// certificate.
Result<Certificate> parse_certificate(ByteView der);

/// The certificates of a PEM text (RFC 7468) in order, with nothing but white space around them
/// and NUL bytes at the end. One that is among the `known` is copied from there: OpenSSL 3.0 parses
/// longer than it verifies a signature. Error: certificate_malformed, also for more than
/// `count_max`.
Result<std::vector<Certificate>> parse_pem_certificates(ByteView pem, size_t count_max,
                                                        std::span<const Certificate> known = {});

/// One PEM block, lines of 64.
std::string pem_of_certificate(ByteView der);

/// The value of the extension with this object identifier (contents octets), if there is one.
/// Error: certificate_malformed when there are more.
Result<std::optional<ByteView>> find_extension(const Certificate& certificate, ByteView oid);

struct CertificateLink {
    const Certificate& subject;
    const Certificate& issuer;
};

/// `issuer` is a CA, bears the issuer name of `subject` and has signed it. A certificate may be
/// its own issuer; then it need not be a CA. Error: certificate_chain_invalid.
Result<void> verify_issued(const CertificateLink& link);

/// Error: certificate_expired unless not_before <= now <= not_after.
Result<void> verify_in_date(const Certificate& certificate, UnixSeconds now);

/// The subject's common name made safe to quote, for error texts.
std::string display_name(const Certificate& certificate);

}  // namespace teetee::attest
