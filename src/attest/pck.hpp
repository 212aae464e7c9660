// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attest/x509.hpp"
#include "base/bytes.hpp"
#include "base/request.hpp"
#include "base/world.hpp"
#include "crypto/p256.hpp"

namespace teetee::attest {

/// What Intel says of the platform in the SGX extension 1.2.840.113741.1.13.1 of its PCK
/// certificate ("Intel SGX PCK Certificate and CRL Profile Specification", section 1.3.5).
struct PckPlatform {
    /// The hardware's identity.
    ByteArray<16> ppid{};
    ByteArray<16> tcb_components{};
    uint16_t pcesvn = 0;
    ByteArray<16> cpusvn{};
    ByteArray<2> pceid{};
    ByteArray<6> fmspc{};
    /// Only on multi-package platforms.
    std::optional<ByteArray<16>> platform_instance_id;
};

/// The root certificates in which chains may end, pinned by the SHA-256 of their whole DER.
class TrustedRoots {
  public:
    struct Root {
        Digest fingerprint{};
        /// Empty for Intel's, of which only the fingerprint is kept here.
        std::string pem;
    };

    static TrustedRoots intel();

    void add_intel();
    /// Error: certificate_malformed unless the text holds exactly one certificate.
    Result<void> add_pem(std::string_view pem);

    bool contains(const Digest& fingerprint) const;
    const std::vector<Root>& roots() const { return roots_; }

  private:
    std::vector<Root> roots_;
};

/// Error: root_untrusted unless the certificate is one of the roots, byte by byte.
Result<void> verify_pinned(const Certificate& root, const TrustedRoots& roots);

/// A CA or a signer of documents, and the root that has issued its certificate.
struct IssuerChain {
    Certificate signer;
    Certificate root;
};

/// A PCK certificate and the two above it, as parsed.
struct PckChain {
    Certificate leaf;
    Certificate intermediate;
    Certificate root;
};

/// Exactly leaf, intermediate and root, PEM, in this order.
/// Certificates of the `known` CA are not parsed again.
/// Error: certificate_malformed; certificate_chain_invalid on another count.
Result<PckChain> parse_pck_chain(ByteView pem, const IssuerChain* known = nullptr);

/// What a chain that verifies proves.
struct VerifiedPck {
    crypto::P256Point key{};
    PckPlatform platform;
    Digest root_fingerprint{};
    /// What revocation lists know certificates by; see Certificate.
    Bytes serial;
    Bytes ca_serial;
    /// The CA that issued the PCK certificate: Intel has one for platforms, one for processors.
    Bytes ca_name_der;
    crypto::P256Point ca_key{};
    /// When all certificates of the chain are in date.
    Validity validity;
};

/// Root pinned, names, signatures, CA flags and path length, validity at `now`, SGX extension.
/// That its root has issued `verified_ca` has been verified before.
/// Errors: root_untrusted, certificate_chain_invalid, certificate_expired, certificate_malformed.
Result<VerifiedPck> verify_pck_chain(const PckChain& chain, const TrustedRoots& roots,
                                     UnixSeconds now, const IssuerChain* verified_ca = nullptr);

/// Decodes the SGX extension's contents. Error: certificate_malformed.
Result<PckPlatform> parse_sgx_extension(ByteView der);

}  // namespace teetee::attest
