// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "attest/quote.hpp"
#include "attest/snp_certificates.hpp"

namespace teetee::attest {

// AMD SEV-SNP attestation reports: "SEV Secure Nested Paging Firmware ABI Specification" (56860),
// table ATTESTATION_REPORT, versions 2 to 5; names as AMD writes them.

inline constexpr size_t snp_report_bytes = 1184;

/// A report as parsed: believed nowhere, see verify_snp_report. Its TCB versions stay bytes, for
/// which byte is which depends on the product.
struct SnpReport {
    uint32_t version = 0;
    uint32_t guest_svn = 0;
    uint64_t policy = 0;
    ByteArray<16> family_id{};
    ByteArray<16> image_id{};
    uint32_t vmpl = 0;
    ByteArray<8> current_tcb{};
    uint64_t platform_info = 0;
    uint32_t key_info = 0;
    ByteArray<64> report_data{};
    Measurement measurement{};
    ByteArray<32> host_data{};
    Measurement id_key_digest{};
    Measurement author_key_digest{};
    ByteArray<32> report_id{};
    ByteArray<8> reported_tcb{};
    ByteArray<64> chip_id{};
    ByteArray<8> committed_tcb{};
    ByteArray<8> launch_tcb{};
    /// What was signed, and by which key: r || s, big-endian.
    ByteArray<672> signed_bytes{};
    crypto::P384Signature signature{};
};

/// Exactly 1184 bytes, signed with ECDSA P-384 and SHA-384. Error: snp_report_malformed.
Result<SnpReport> parse_snp_report(ByteView bytes);

/// Bits of a guest's policy that give its memory away.
inline constexpr uint64_t snp_policy_migrate_ma = uint64_t{1} << 18;
inline constexpr uint64_t snp_policy_debug = uint64_t{1} << 19;

/// A report whose signature leads to a pinned root. Only verify_snp_report makes one.
struct VerifiedSnpReport {
    SnpReport report;
    SnpSigner signer;
    SnpTcb reported_tcb;
};

struct SnpEvidence {
    ByteView report;
    SnpChain chain;
};

/// Chain (snp_certificates.hpp), that the key is of the kind, the TCB and the chip that the report
/// names, and the signature over the exact bytes. A chip that hides its identity (MASK_CHIP_ID)
/// cannot be matched with a VCEK and is refused.
/// Errors: those of both parts; snp_report_mismatch; signature_invalid.
Result<VerifiedSnpReport> verify_snp_report(const SnpEvidence& evidence,
                                            const std::vector<SnpPins>& pins, UnixSeconds now);

/// What reports are accepted.
struct SnpPolicy {
    /// Launch measurements; empty accepts none.
    std::vector<Measurement> measurements;
    bool allow_debug = false;
    /// A migration agent may carry the guest, memory and all, to another chip.
    bool allow_migration = false;
    /// What runs at levels above 0 is below the measured code's guard.
    uint32_t vmpl_max = 0;
    /// Each security version at least so high.
    SnpTcb tcb_min;
};

/// Error: snp_policy_rejected, with field, have and need.
Result<void> check_snp_policy(const VerifiedSnpReport& verified, const SnpPolicy& policy);

}  // namespace teetee::attest
