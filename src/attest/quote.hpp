// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <variant>

#include "base/bytes.hpp"
#include "crypto/p256.hpp"

namespace teetee::attest {

// The binary quote of Intel's DCAP, little-endian; layouts and offsets as in Intel's "TDX DCAP
// Quote Generation Library and Quote Verification Library" reference, appendix A.3 (versions 4 and
// 5), and the "Intel SGX ECDSA Quote Library Reference", appendix A.4 (version 3); names as Intel
// writes them. Parsed here, believed nowhere: see verify.hpp.

/// A SHA-384 measurement register.
using Measurement = ByteArray<48>;

/// Which kind of TEE a quote is of; collateral is of one kind too.
enum class TeeType : uint32_t { sgx = 0x00, tdx = 0x81 };

std::string_view to_string(TeeType tee);

/// 48 bytes. `qe_svn` and `pce_svn` are reserved since version 4.
struct QuoteHeader {
    uint16_t version = 0;
    uint16_t attestation_key_type = 0;
    TeeType tee_type = TeeType::tdx;
    uint16_t qe_svn = 0;
    uint16_t pce_svn = 0;
    ByteArray<16> qe_vendor_id{};
    ByteArray<20> user_data{};
};

/// What TDX module 1.5 adds behind the TD report (64 bytes).
struct TdReportSince15 {
    ByteArray<16> tee_tcb_svn_2{};
    Measurement mrservicetd{};
};

/// The TD report (584 bytes).
struct TdReport {
    ByteArray<16> tee_tcb_svn{};
    Measurement mrseam{};
    Measurement mrsignerseam{};
    uint64_t seamattributes = 0;
    uint64_t tdattributes = 0;
    uint64_t xfam = 0;
    Measurement mrtd{};
    Measurement mrconfigid{};
    Measurement mrowner{};
    Measurement mrownerconfig{};
    std::array<Measurement, 4> rtmr{};
    ByteArray<64> report_data{};
    std::optional<TdReportSince15> since_15;
};

/// An enclave report (384 bytes): what an SGX quote is about, and with which the quoting enclave
/// vouches for its key.
struct SgxReport {
    ByteArray<16> cpusvn{};
    uint32_t miscselect = 0;
    ByteArray<16> attributes{};
    ByteArray<32> mrenclave{};
    ByteArray<32> mrsigner{};
    uint16_t isvprodid = 0;
    uint16_t isvsvn = 0;
    ByteArray<64> report_data{};
};

/// The signature part. All signatures r || s, keys x || y, big-endian.
struct QuoteSignature {
    crypto::P256Signature signature{};
    crypto::P256Point attestation_key{};
    SgxReport qe_report;
    ByteArray<384> qe_report_bytes{};
    crypto::P256Signature qe_report_signature{};
    Bytes qe_auth_data;
    /// The PCK certificate chain, PEM: leaf, intermediate, root.
    Bytes pck_chain;
};

/// What a quote is about: of the kind that its header names.
using QuoteReport = std::variant<TdReport, SgxReport>;

struct Quote {
    QuoteHeader header;
    QuoteReport report;
    /// Header and report as they came: what the attestation key signed.
    Bytes signed_bytes;
    QuoteSignature signature;
    /// From the header to the signature's end.
    size_t size_bytes = 0;
};

/// A quote of version 3 (SGX), 4 or 5 (TDX with a report of 1.0 or 1.5, or SGX) with an ECDSA P-256
/// key and a PEM certificate chain. Bytes behind the signature part are dropped: platforms pad
/// their buffers.
/// Errors: quote_malformed, quote_unsupported (other versions, TEEs, keys, certification data).
Result<Quote> parse_quote(ByteView bytes);

}  // namespace teetee::attest
