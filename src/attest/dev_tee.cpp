// SPDX-License-Identifier: Apache-2.0
#include "attest/dev_tee.hpp"

#include <algorithm>

#include "attest/certificate_builder.hpp"
#include "attest/der.hpp"
#include "attest/x509.hpp"
#include "crypto/hash.hpp"
#include "crypto/hmac.hpp"

namespace teetee::attest {
namespace {

constexpr std::string_view root_name = "TeeTee DEV Root CA SIMULATED";
constexpr std::string_view platform_ca_name = "TeeTee DEV PCK Platform CA SIMULATED";
constexpr std::string_view pck_name = "TeeTee DEV PCK Certificate SIMULATED";
constexpr std::string_view auth_data = "TeeTee DEV QE SIMULATED";

constexpr UnixSeconds day_s = 24 * 3600;
// 2049-12-31T23:59:59Z, as far as UTCTime reaches; any clock of a test lies before.
constexpr UnixSeconds root_not_after = 2524607999;

constexpr uint64_t xfam_usual = 0x0602e7;

Digest derive_seed(const ByteArray<32>& seed, std::string_view purpose) {
    ByteWriter out;
    out.length_prefixed(as_bytes("teetee dev tee v1"));
    out.length_prefixed(as_bytes(purpose));
    out.length_prefixed(seed);
    return crypto::sha256(out.view());
}

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

Bytes sgx_entry(ByteView parent_oid, uint8_t arc, const Bytes& value) {
    const ByteArray<1> last = {arc};
    return der_encode(DerTag::sequence,
                      {der_encode(DerTag::object_identifier, {parent_oid, last}), value});
}

Bytes octets(ByteView bytes) {
    return der_encode(DerTag::octet_string, {bytes});
}

// A platform whose every SVN is 1: 16 components, PCESVN, CPUSVN.
Bytes sgx_tcb() {
    const ByteArray<1> one = {1};
    const Bytes svn = der_encode(DerTag::integer, {one});
    Bytes entries;
    for (uint8_t arc = 1; arc <= 17; ++arc) {
        const Bytes entry = sgx_entry(sgx_tcb_oid, arc, svn);
        entries.insert(entries.end(), entry.begin(), entry.end());
    }
    const Bytes cpusvn = sgx_entry(sgx_tcb_oid, 18, octets(Bytes(16, 1)));
    return der_encode(DerTag::sequence, {entries, cpusvn});
}

CertificateExtension sgx_extension(const ByteArray<32>& seed) {
    const Digest identity = derive_seed(seed, "ppid");
    const Bytes value = der_encode(
        DerTag::sequence, {sgx_entry(sgx_extension_oid, 1, octets(ByteView(identity).first(16))),
                           sgx_entry(sgx_extension_oid, 2, sgx_tcb()),
                           sgx_entry(sgx_extension_oid, 3, octets(ByteArray<2>{})),
                           sgx_entry(sgx_extension_oid, 4, octets(as_bytes("DEVTEE")))});
    return {.oid = Bytes(sgx_extension_oid.begin(), sgx_extension_oid.end()), .value = value};
}

struct DevKeys {
    crypto::P256Key root;
    crypto::P256Key platform_ca;
    crypto::P256Key pck;
};

CertificateFields certificate_fields(const crypto::P256Key& key, std::string_view subject_name,
                                     std::string_view issuer_name) {
    CertificateFields fields;
    fields.subject_name = subject_name;
    fields.issuer_name = issuer_name;
    fields.spki_der = key.spki_der();
    const Digest unique = crypto::sha256(fields.spki_der);
    std::copy_n(unique.begin(), fields.serial.size(), fields.serial.begin());
    return fields;
}

Result<Bytes> build_root(const DevKeys& keys) {
    CertificateFields fields = certificate_fields(keys.root, root_name, root_name);
    fields.not_after = root_not_after;
    fields.ca_path_length = 1;
    return build_certificate(fields, keys.root, SignatureMode::deterministic);
}

// Leaf, platform CA, root, as a quote carries them.
Result<std::string> build_chain(const DevKeys& keys, const ByteArray<32>& seed, UnixSeconds now) {
    CertificateFields ca = certificate_fields(keys.platform_ca, platform_ca_name, root_name);
    CertificateFields leaf = certificate_fields(keys.pck, pck_name, platform_ca_name);
    for (CertificateFields* fields : {&ca, &leaf}) {
        fields->not_before = std::max<UnixSeconds>(0, now - day_s);
        fields->not_after = now + 365 * day_s;
    }
    ca.ca_path_length = 0;
    leaf.extensions = {sgx_extension(seed)};
    TT_TRY(const Bytes root_der, build_root(keys));
    TT_TRY(const Bytes ca_der, build_certificate(ca, keys.root, SignatureMode::deterministic));
    TT_TRY(const Bytes leaf_der,
           build_certificate(leaf, keys.platform_ca, SignatureMode::deterministic));
    return pem_of_certificate(leaf_der) + pem_of_certificate(ca_der) + pem_of_certificate(root_der);
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

Result<Bytes> build_certification(const DevKeys& keys, const crypto::P256Point& attestation_key,
                                  std::string_view chain) {
    const Bytes report = build_qe_report(attestation_key);
    TT_TRY(const auto signature, keys.pck.sign_deterministic(report));
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
    TT_TRY(auto root, crypto::P256Key::derive(derive_seed(seed, "root")));
    TT_TRY(auto platform_ca, crypto::P256Key::derive(derive_seed(seed, "platform ca")));
    TT_TRY(auto pck, crypto::P256Key::derive(derive_seed(seed, "pck")));
    TT_TRY(auto attestation, crypto::P256Key::derive(derive_seed(seed, "attestation")));
    const DevKeys keys{std::move(root), std::move(platform_ca), std::move(pck)};
    DevTee tee(measurements, std::move(attestation),
               crypto::Secret<32>(derive_seed(seed, "sealing")));
    TT_TRY(const Bytes root_der, build_root(keys));
    tee.root_pem_ = pem_of_certificate(root_der);
    TT_TRY(const std::string chain, build_chain(keys, seed, now));
    TT_TRY(tee.certification_, build_certification(keys, tee.attestation_key_.point(), chain));
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
