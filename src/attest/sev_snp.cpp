// SPDX-License-Identifier: Apache-2.0
#include "attest/sev_snp.hpp"

#include <algorithm>

namespace teetee::attest {
namespace {

constexpr uint32_t version_min = 2;
constexpr uint32_t version_max = 5;
constexpr uint32_t algorithm_ecdsa_p384 = 1;
constexpr size_t signature_offset = 0x2a0;
/// r and s each, little-endian; a P-384 number fills the first 48.
constexpr size_t signature_part_bytes = 72;
constexpr size_t number_bytes = 48;

Error mismatch(std::string_view component, std::string_view have, std::string_view need) {
    return fail(
        ErrorCode::snp_report_mismatch,
        std::string(component) + ": have " + std::string(have) + ", need " + std::string(need));
}

Error rejected(std::string_view component, std::string_view have, std::string_view need) {
    return fail(
        ErrorCode::snp_policy_rejected,
        std::string(component) + ": have " + std::string(have) + ", need " + std::string(need));
}

Error malformed(std::string_view component, uint64_t have, std::string_view need) {
    return fail(ErrorCode::snp_report_malformed, "SNP report: " + std::string(component) +
                                                     ": have " + std::to_string(have) + ", need " +
                                                     std::string(need));
}

// Fields at fixed places of a report whose size has been checked.
template <size_t N>
ByteArray<N> array_at(ByteView report, size_t offset) {
    ByteArray<N> out;
    std::copy_n(report.begin() + static_cast<std::ptrdiff_t>(offset), N, out.begin());
    return out;
}

template <class T>
T integer_at(ByteView report, size_t offset) {
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(T); ++i) value |= uint64_t{report[offset + i]} << (8 * i);
    return static_cast<T>(value);
}

Result<crypto::P384Signature> read_signature(ByteView report) {
    crypto::P384Signature out{};
    for (size_t part = 0; part < 2; ++part) {
        const ByteView bytes =
            report.subspan(signature_offset + part * signature_part_bytes, signature_part_bytes);
        const ByteView number = bytes.first(number_bytes);
        const ByteView rest = bytes.subspan(number_bytes);
        if (std::any_of(rest.begin(), rest.end(), [](uint8_t byte) { return byte != 0; })) {
            return fail(ErrorCode::snp_report_malformed,
                        "SNP report: signature: have a number above 384 bits, need P-384");
        }
        std::reverse_copy(number.begin(), number.end(),
                          out.begin() + static_cast<std::ptrdiff_t>(part * number_bytes));
    }
    return out;
}

SnpTcb decode_tcb(const ByteArray<8>& bytes, SnpProduct product) {
    if (product == SnpProduct::turin) {
        return {.fmc = bytes[0],
                .bootloader = bytes[1],
                .tee = bytes[2],
                .snp = bytes[3],
                .microcode = bytes[7]};
    }
    return {.bootloader = bytes[0], .tee = bytes[1], .snp = bytes[6], .microcode = bytes[7]};
}

/// Bits 4:2 of the key info: 0 VCEK, 1 VLEK, 7 none.
Result<void> check_key_kind(const SnpReport& report, SnpKeyKind kind) {
    const uint32_t named = report.key_info >> 2 & 7;
    if (named == (kind == SnpKeyKind::vcek ? 0u : 1u)) return {};
    return mismatch("signing key of the report", std::to_string(named),
                    kind == SnpKeyKind::vcek ? "0 for a VCEK" : "1 for a VLEK");
}

// The key is derived from the firmware's versions: with other ones it would be another key.
Result<void> check_tcb(const SnpTcb& reported, const SnpSigner& signer) {
    if (reported == signer.tcb) return {};
    return mismatch("reported TCB", describe_tcb(reported, signer.product),
                    describe_tcb(signer.tcb, signer.product) + " as the certificate says");
}

Result<void> check_chip(const SnpReport& report, const SnpSigner& signer) {
    if (!signer.chip_id || report.chip_id == *signer.chip_id) return {};
    return mismatch("chip id", to_hex(report.chip_id),
                    to_hex(*signer.chip_id) + " as the certificate says");
}

Result<void> check_tcb_min(const VerifiedSnpReport& verified, const SnpTcb& need) {
    const SnpTcb& have = verified.reported_tcb;
    const bool enough = have.fmc >= need.fmc && have.bootloader >= need.bootloader &&
                        have.tee >= need.tee && have.snp >= need.snp &&
                        have.microcode >= need.microcode;
    if (enough) return {};
    return rejected("reported TCB", describe_tcb(have, verified.signer.product),
                    "at least " + describe_tcb(need, verified.signer.product));
}

}  // namespace

Result<SnpReport> parse_snp_report(ByteView bytes) {
    if (bytes.size() != snp_report_bytes) {
        return malformed("size", bytes.size(), std::to_string(snp_report_bytes));
    }
    SnpReport report;
    report.version = integer_at<uint32_t>(bytes, 0x00);
    if (report.version < version_min || report.version > version_max) {
        return malformed("version", report.version, "2 to 5");
    }
    const auto algorithm = integer_at<uint32_t>(bytes, 0x34);
    if (algorithm != algorithm_ecdsa_p384) {
        return malformed("signature algorithm", algorithm, "1, ECDSA P-384 with SHA-384");
    }
    report.guest_svn = integer_at<uint32_t>(bytes, 0x04);
    report.policy = integer_at<uint64_t>(bytes, 0x08);
    report.family_id = array_at<16>(bytes, 0x10);
    report.image_id = array_at<16>(bytes, 0x20);
    report.vmpl = integer_at<uint32_t>(bytes, 0x30);
    report.current_tcb = array_at<8>(bytes, 0x38);
    report.platform_info = integer_at<uint64_t>(bytes, 0x40);
    report.key_info = integer_at<uint32_t>(bytes, 0x48);
    report.report_data = array_at<64>(bytes, 0x50);
    report.measurement = array_at<48>(bytes, 0x90);
    report.host_data = array_at<32>(bytes, 0xc0);
    report.id_key_digest = array_at<48>(bytes, 0xe0);
    report.author_key_digest = array_at<48>(bytes, 0x110);
    report.report_id = array_at<32>(bytes, 0x140);
    report.reported_tcb = array_at<8>(bytes, 0x180);
    report.chip_id = array_at<64>(bytes, 0x1a0);
    report.committed_tcb = array_at<8>(bytes, 0x1e0);
    report.launch_tcb = array_at<8>(bytes, 0x1f0);
    report.signed_bytes = array_at<signature_offset>(bytes, 0);
    TT_TRY(report.signature, read_signature(bytes));
    return report;
}

Result<VerifiedSnpReport> verify_snp_report(const SnpEvidence& evidence,
                                            const std::vector<SnpPins>& pins, UnixSeconds now) {
    TT_TRY(const SnpReport report, parse_snp_report(evidence.report));
    TT_TRY(const SnpSigner signer, verify_snp_chain(evidence.chain, pins, now));
    const SnpTcb reported = decode_tcb(report.reported_tcb, signer.product);
    TT_CHECK(check_key_kind(report, signer.kind));
    TT_CHECK(check_tcb(reported, signer));
    TT_CHECK(check_chip(report, signer));
    const auto verified = crypto::verify_p384(
        signer.key, {.message = report.signed_bytes, .signature = report.signature});
    if (!verified) return in_context("SNP report", verified.error());
    return VerifiedSnpReport{.report = report, .signer = signer, .reported_tcb = reported};
}

Result<void> check_snp_policy(const VerifiedSnpReport& verified, const SnpPolicy& policy) {
    const SnpReport& report = verified.report;
    if ((report.policy & snp_policy_debug) != 0 && !policy.allow_debug) {
        return rejected("guest policy", "DEBUG on", "off");
    }
    if ((report.policy & snp_policy_migrate_ma) != 0 && !policy.allow_migration) {
        return rejected("guest policy", "MIGRATE_MA on", "off");
    }
    if (report.vmpl > policy.vmpl_max) {
        return rejected("VMPL", std::to_string(report.vmpl),
                        "at most " + std::to_string(policy.vmpl_max));
    }
    TT_CHECK(check_tcb_min(verified, policy.tcb_min));
    const auto& accepted = policy.measurements;
    if (std::find(accepted.begin(), accepted.end(), report.measurement) == accepted.end()) {
        return rejected("measurement", to_hex(report.measurement),
                        accepted.empty() ? "a policy with at least one"
                                         : to_hex(accepted.front()) + " or another accepted one");
    }
    return {};
}

}  // namespace teetee::attest
