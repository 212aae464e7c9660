// SPDX-License-Identifier: Apache-2.0
#include "attest/dev_pki.hpp"

#include <algorithm>

#include <boost/json.hpp>

#include "attest/der.hpp"
#include "attest/intel.hpp"
#include "attest/time_text.hpp"
#include "crypto/hash.hpp"

namespace teetee::attest {
namespace {

namespace json = boost::json;

constexpr std::string_view root_name = "TeeTee DEV Root CA SIMULATED";
constexpr std::string_view platform_ca_name = "TeeTee DEV PCK Platform CA SIMULATED";
constexpr std::string_view pck_name = "TeeTee DEV PCK Certificate SIMULATED";
constexpr std::string_view document_signer_name = "TeeTee DEV TCB Signing SIMULATED";

constexpr UnixSeconds day_s = 24 * 3600;
// 2049-12-31T23:59:59Z, as far as UTCTime reaches; any clock of a test lies before.
constexpr UnixSeconds root_not_after = 2524607999;
constexpr std::string_view dev_fmspc = "DEVTEE";
// A day that every document may name as that of its levels.
constexpr std::string_view level_date = "2024-01-01T00:00:00Z";

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
    const Digest identity = derive_dev_seed(seed, "ppid");
    const Bytes value = der_encode(
        DerTag::sequence, {sgx_entry(sgx_extension_oid, 1, octets(ByteView(identity).first(16))),
                           sgx_entry(sgx_extension_oid, 2, sgx_tcb()),
                           sgx_entry(sgx_extension_oid, 3, octets(ByteArray<2>{})),
                           sgx_entry(sgx_extension_oid, 4, octets(as_bytes(dev_fmspc)))});
    return {.oid = Bytes(sgx_extension_oid.begin(), sgx_extension_oid.end()), .value = value};
}

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

// From a day before: clocks differ.
Validity validity_of_days(UnixSeconds now, int64_t days) {
    return {std::max<UnixSeconds>(0, now - day_s), now + days * day_s};
}

void set_validity(CertificateFields& fields, UnixSeconds now) {
    const Validity year = validity_of_days(now, 365);
    fields.not_before = year.not_before;
    fields.not_after = year.not_after;
}

CrlFields crl_fields(std::string_view issuer_name, UnixSeconds now) {
    const Validity month = validity_of_days(now, 29);
    CrlFields fields;
    fields.issuer_name = issuer_name;
    fields.this_update = month.not_before;
    fields.next_update = month.not_after;
    return fields;
}

json::array components(uint8_t svn) {
    return json::array(16, json::object{{"svn", svn}});
}

json::array one_level(json::object tcb) {
    return {{{"tcb", std::move(tcb)}, {"tcbDate", level_date}, {"tcbStatus", "UpToDate"}}};
}

// Key, version and validity of a document.
json::object document_head(std::string_view id, int version, UnixSeconds now) {
    const Validity month = validity_of_days(now, 29);
    return {{"id", id},
            {"version", version},
            {"issueDate", format_utc(month.not_before)},
            {"nextUpdate", format_utc(month.not_after)},
            {"tcbEvaluationDataNumber", 1}};
}

Result<std::string> build_pem(const CertificateFields& fields, const crypto::P256Key& issuer_key) {
    TT_TRY(const Bytes der, build_certificate(fields, issuer_key, SignatureMode::deterministic));
    return pem_of_certificate(der);
}

}  // namespace

Digest derive_dev_seed(const ByteArray<32>& seed, std::string_view purpose) {
    ByteWriter out;
    out.length_prefixed(as_bytes("teetee dev tee v1"));
    out.length_prefixed(as_bytes(purpose));
    out.length_prefixed(seed);
    return crypto::sha256(out.view());
}

Result<DevPki> DevPki::create(const ByteArray<32>& seed) {
    TT_TRY(auto root, crypto::P256Key::derive(derive_dev_seed(seed, "root")));
    TT_TRY(auto platform_ca, crypto::P256Key::derive(derive_dev_seed(seed, "platform ca")));
    TT_TRY(auto pck, crypto::P256Key::derive(derive_dev_seed(seed, "pck")));
    TT_TRY(auto documents, crypto::P256Key::derive(derive_dev_seed(seed, "documents")));
    return DevPki(seed, std::move(root), std::move(platform_ca), std::move(pck),
                  std::move(documents));
}

CertificateFields DevPki::root_fields() const {
    CertificateFields fields = certificate_fields(root_, root_name, root_name);
    fields.not_after = root_not_after;
    fields.ca_path_length = 1;
    return fields;
}

CertificateFields DevPki::platform_ca_fields(UnixSeconds now) const {
    CertificateFields fields = certificate_fields(platform_ca_, platform_ca_name, root_name);
    set_validity(fields, now);
    fields.ca_path_length = 0;
    return fields;
}

CertificateFields DevPki::pck_fields(UnixSeconds now) const {
    CertificateFields fields = certificate_fields(pck_, pck_name, platform_ca_name);
    set_validity(fields, now);
    fields.extensions = {sgx_extension(seed_)};
    return fields;
}

CertificateFields DevPki::document_signer_fields(UnixSeconds now) const {
    CertificateFields fields = certificate_fields(documents_, document_signer_name, root_name);
    set_validity(fields, now);
    return fields;
}

CrlFields DevPki::root_crl_fields(UnixSeconds now) {
    return crl_fields(root_name, now);
}

CrlFields DevPki::pck_crl_fields(UnixSeconds now) {
    return crl_fields(platform_ca_name, now);
}

std::string DevPki::tcb_info(UnixSeconds now) {
    const json::object module = {{"mrsigner", std::string(96, '0')},
                                 {"attributes", std::string(16, '0')},
                                 {"attributesMask", std::string(16, 'F')}};
    json::object document = document_head("TDX", 3, now);
    document["fmspc"] = to_hex(as_bytes(dev_fmspc));
    document["pceId"] = "0000";
    document["tcbType"] = 0;
    document["tdxModule"] = module;
    document["tcbLevels"] = one_level(
        {{"sgxtcbcomponents", components(1)}, {"pcesvn", 1}, {"tdxtcbcomponents", components(0)}});
    return json::serialize(document);
}

std::string DevPki::qe_identity(UnixSeconds now) {
    json::object document = document_head("TD_QE", 2, now);
    document["miscselect"] = "00000000";
    document["miscselectMask"] = "FFFFFFFF";
    document["attributes"] = std::string(32, '0');
    document["attributesMask"] = std::string(32, 'F');
    document["mrsigner"] = to_hex(tdqe_mrsigner);
    document["isvprodid"] = tdqe_isvprodid;
    document["tcbLevels"] = one_level({{"isvsvn", 0}});
    return json::serialize(document);
}

Result<SignedDocument> DevPki::sign_document(std::string body) const {
    SignedDocument document;
    TT_TRY(document.signature, documents_.sign_deterministic(as_bytes(body)));
    document.body = std::move(body);
    return document;
}

Result<std::string> DevPki::root_pem() const {
    return build_pem(root_fields(), root_);
}

Result<std::string> DevPki::pck_chain(UnixSeconds now) const {
    TT_TRY(const std::string leaf, build_pem(pck_fields(now), platform_ca_));
    TT_TRY(const std::string ca, build_pem(platform_ca_fields(now), root_));
    TT_TRY(const std::string root, root_pem());
    return leaf + ca + root;
}

Result<Collateral> DevPki::collateral(UnixSeconds now) const {
    TT_TRY(const std::string root, root_pem());
    TT_TRY(const std::string ca, build_pem(platform_ca_fields(now), root_));
    TT_TRY(const std::string signer, build_pem(document_signer_fields(now), root_));
    Collateral out;
    out.pck_crl_issuer_chain = ca + root;
    out.tcb_info_issuer_chain = signer + root;
    out.qe_identity_issuer_chain = signer + root;
    TT_TRY(out.root_ca_crl, build_crl(root_crl_fields(now), root_));
    TT_TRY(out.pck_crl, build_crl(pck_crl_fields(now), platform_ca_));
    TT_TRY(out.tcb_info, sign_document(tcb_info(now)));
    TT_TRY(out.qe_identity, sign_document(qe_identity(now)));
    return out;
}

}  // namespace teetee::attest
