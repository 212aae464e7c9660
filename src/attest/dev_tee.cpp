// SPDX-License-Identifier: Apache-2.0
#include "attest/dev_tee.hpp"

#include <algorithm>

#include "attest/intel.hpp"
#include "crypto/hash.hpp"
#include "crypto/hmac.hpp"

namespace teetee::attest {
namespace {

constexpr std::string_view auth_data = "TeeTee DEV QE SIMULATED";

constexpr uint64_t xfam_usual = 0x0602e7;

// Fields of a quote are written at their offsets (quote.cpp reads them there).
template <class Part>
void put(Bytes& out, size_t offset, const Part& part) {
    std::copy(part.begin(), part.end(), out.begin() + static_cast<std::ptrdiff_t>(offset));
}

void put_u64(Bytes& out, size_t offset, uint64_t value) {
    ByteWriter writer;
    writer.u64(value);
    put(out, offset, writer.view());
}

// The simulated quoting enclave: it has the identity of Intel's, since the verifier asks for it;
// that it is none shows in the root.
Bytes build_qe_report(const crypto::P256Point& attestation_key) {
    crypto::Sha256 binding;
    binding.update(attestation_key);
    binding.update(as_bytes(auth_data));
    Bytes report(384);
    put(report, 128, tdqe_mrsigner);
    report[256] = tdqe_isvprodid;
    put(report, 320, binding.finish());
    return report;
}

Result<Bytes> build_certification(const DevPki& pki, const crypto::P256Point& attestation_key,
                                  std::string_view chain) {
    const Bytes report = build_qe_report(attestation_key);
    TT_TRY(const auto signature, pki.pck_key().sign_deterministic(report));
    ByteWriter out;
    out.bytes(report);
    out.bytes(signature);
    out.u16(static_cast<uint16_t>(auth_data.size()));
    out.bytes(as_bytes(auth_data));
    out.u16(5);  // certification data type: PCK chain, PEM
    out.length_prefixed(as_bytes(chain));
    return out.take();
}

// Header and TD report 1.0 of a version 4 quote: what the attestation key signs.
Bytes build_signed_part(const DevMeasurements& measurements, const ByteArray<64>& report_data) {
    constexpr size_t header_bytes = 48;
    Bytes header(header_bytes);
    header[0] = 4;     // version
    header[2] = 2;     // attestation key: ECDSA P-256
    header[4] = 0x81;  // TEE: TDX
    put(header, 12, intel_qe_vendor_id);

    Bytes report(584);
    put_u64(report, 120, measurements.tdattributes);
    put_u64(report, 128, xfam_usual);
    put(report, 136, measurements.mrtd);
    put(report, 184, measurements.mrconfigid);
    for (size_t i = 0; i < 4; ++i) put(report, 328 + 48 * i, measurements.rtmr[i]);
    put(report, 520, report_data);

    header.insert(header.end(), report.begin(), report.end());
    return header;
}

}  // namespace

Result<DevTee> DevTee::create(const ByteArray<32>& seed, const DevMeasurements& measurements,
                              UnixSeconds now) {
    TT_TRY(auto pki, DevPki::create(seed));
    TT_TRY(auto attestation, crypto::P256Key::derive(derive_dev_seed(seed, "attestation")));
    DevTee tee(measurements, std::move(pki), std::move(attestation),
               crypto::Secret<32>(derive_dev_seed(seed, "sealing")));
    TT_TRY(tee.root_pem_, tee.pki_.root_pem());
    TT_TRY(const std::string chain, tee.pki_.pck_chain(now));
    TT_TRY(tee.certification_, build_certification(tee.pki_, tee.attestation_key_.point(), chain));
    return tee;
}

Result<crypto::Secret<32>> DevTee::sealing_key(std::string_view purpose) {
    ByteWriter context;
    context.length_prefixed(as_bytes(purpose));
    context.bytes(measurements_.mrtd);
    for (const Measurement& rtmr : measurements_.rtmr) context.bytes(rtmr);
    context.bytes(measurements_.mrconfigid);
    context.u64(measurements_.tdattributes);
    return crypto::Secret<32>(crypto::hmac_sha256(sealing_root_.view(), context.view()));
}

Result<Bytes> DevTee::quote(const ByteArray<64>& report_data) {
    const Bytes signed_part = build_signed_part(measurements_, report_data);
    TT_TRY(const auto signature, attestation_key_.sign_deterministic(signed_part));
    ByteWriter signature_part;
    signature_part.bytes(signature);
    signature_part.bytes(attestation_key_.point());
    signature_part.u16(6);  // certification data type: QE report and what certifies it
    signature_part.length_prefixed(certification_);
    ByteWriter out;
    out.bytes(signed_part);
    out.length_prefixed(signature_part.view());
    return out.take();
}

}  // namespace teetee::attest
