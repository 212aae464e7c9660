// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/request.hpp"
#include "base/world.hpp"
#include "crypto/p384.hpp"

namespace teetee::attest {

// AMD's certificates for SEV-SNP: "Versioned Chip Endorsement Key (VCEK) Certificate and KDS
// Interface Specification" (57230). Chains of three: the AMD root key (ARK), the AMD SEV key (ASK,
// or ASVK for loaded keys), and the key that signs reports (VCEK of a chip, VLEK of a cloud).

/// Processor families; they order the bytes of a TCB version differently.
enum class SnpProduct { milan, genoa, turin };

std::string_view to_string(SnpProduct product);

/// Whose key signs reports: the chip's own, or one that AMD lent to a cloud.
enum class SnpKeyKind { vcek, vlek };

std::string_view to_string(SnpKeyKind kind);

/// Security versions of the platform's firmware. Milan and Genoa have no FMC: 0.
struct SnpTcb {
    uint8_t fmc = 0;
    uint8_t bootloader = 0;
    uint8_t tee = 0;
    uint8_t snp = 0;
    uint8_t microcode = 0;

    bool operator==(const SnpTcb&) const = default;
};

/// "bootloader 3, tee 0, snp 8, microcode 115", and "fmc 1, " before it on Turin.
std::string describe_tcb(const SnpTcb& tcb, SnpProduct product);

/// The certificates in which chains may end, pinned by the SHA-256 of their whole DER.
struct SnpPins {
    SnpProduct product{};
    Digest ark{};
    Digest ask{};
    Digest asvk{};
};

/// AMD's own, of Milan, Genoa and Turin.
const std::vector<SnpPins>& amd_pins();

/// What a chain that verifies proves of the key that signs reports.
struct SnpSigner {
    SnpProduct product{};
    SnpKeyKind kind{};
    crypto::P384Point key{};
    SnpTcb tcb;
    /// Only of a VCEK: the chip it belongs to. Turin writes 8 bytes, the rest is zero.
    std::optional<ByteArray<64>> chip_id;
};

struct SnpChain {
    /// DER of a VCEK or VLEK certificate.
    ByteView leaf;
    /// PEM of its ASK or ASVK and of the ARK, in any order, as AMD's cert_chain serves them; others
    /// may be among them.
    ByteView issuers;
};

/// Names, RSA-PSS signatures with SHA-384 by keys of 4096 bits, CA flags, validity at `now`, both
/// issuers pinned, AMD's extensions (1.3.6.1.4.1.3704.1). Revocation lists are not looked at.
/// Errors: certificate_malformed, certificate_chain_invalid, certificate_expired, root_untrusted.
Result<SnpSigner> verify_snp_chain(const SnpChain& chain, const std::vector<SnpPins>& pins,
                                   UnixSeconds now);

}  // namespace teetee::attest
