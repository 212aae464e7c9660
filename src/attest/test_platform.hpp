// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: a platform of the dev PKI whose quote and collateral are right until a test changes
// them. What is changed is signed again, so that only the change itself can be found.

#include <boost/json.hpp>

#include "attest/dev_node.hpp"
#include "attest/policy.hpp"

namespace teetee::attest::test {

namespace json = boost::json;

class TestPlatform {
  public:
    static constexpr size_t header_bytes = 48;

    explicit TestPlatform(uint16_t version = 4, TeeType tee = TeeType::tdx)
        : header(header_bytes), qe_report(384) {
        header[0] = static_cast<uint8_t>(version);
        header[2] = 2;
        header[4] = static_cast<uint8_t>(tee);
        std::copy(intel_qe_vendor_id.begin(), intel_qe_vendor_id.end(), header.begin() + 12);
        report.resize(tee == TeeType::sgx ? 384 : version == 5 ? 648 : 584);
        if (tee == TeeType::tdx) report[123] = 0x10;  // SEPT_VE_DISABLE
        std::copy(tdqe_mrsigner.begin(), tdqe_mrsigner.end(), qe_report.begin() + 128);
        qe_report[256] = tdqe_isvprodid;
        if (tee == TeeType::sgx) {
            tcb_info["id"] = "SGX";
            tcb_info.erase("tdxModule");
            level(0)["tcb"].as_object().erase("tdxtcbcomponents");
            qe_identity["id"] = "QE";
        }
    }

    // What a test may change.
    Bytes header;
    Bytes report;
    Bytes qe_report;
    DevPki pki = DevPki::create(ByteArray<32>{1}).value();
    CertificateFields pck = pki.pck_fields(now);
    CertificateFields platform_ca = pki.platform_ca_fields(now);
    CertificateFields signer = pki.document_signer_fields(now);
    CrlFields root_crl = DevPki::root_crl_fields(now);
    CrlFields pck_crl = DevPki::pck_crl_fields(now);
    json::object tcb_info = json::parse(DevPki::tcb_info(now)).as_object();
    json::object qe_identity = json::parse(DevPki::qe_identity(now)).as_object();

    json::object& level(size_t index) {
        return tcb_info["tcbLevels"].as_array()[index].as_object();
    }
    json::object& qe_level(size_t index) {
        return qe_identity["tcbLevels"].as_array()[index].as_object();
    }
    json::array& sgx_components(size_t index) {
        return level(index)["tcb"].as_object()["sgxtcbcomponents"].as_array();
    }
    json::array& tdx_components(size_t index) {
        return level(index)["tcb"].as_object()["tdxtcbcomponents"].as_array();
    }
    // A copy of the first level behind the others.
    json::object& add_level(const char* status) {
        json::array& levels = tcb_info["tcbLevels"].as_array();
        levels.push_back(levels[0]);
        json::object& added = levels.back().as_object();
        added["tcbStatus"] = status;
        return added;
    }
    static json::object isv_level(int isvsvn, const char* status) {
        return {{"tcb", {{"isvsvn", isvsvn}}},
                {"tcbDate", "2026-01-01T00:00:00Z"},
                {"tcbStatus", status}};
    }
    // Module TDX_01 with these levels, and a TD under it at `isvsvn`.
    void use_module(json::array levels, uint8_t isvsvn) {
        tcb_info["tdxModuleIdentities"] = {{{"id", "TDX_01"},
                                            {"mrsigner", std::string(96, '0')},
                                            {"attributes", std::string(16, '0')},
                                            {"attributesMask", std::string(16, 'F')},
                                            {"tcbLevels", std::move(levels)}}};
        report[0] = isvsvn;
        report[1] = 1;
    }

    static std::string pem(const CertificateFields& fields, const crypto::P256Key& issuer) {
        return pem_of_certificate(
            build_certificate(fields, issuer, SignatureMode::deterministic).value());
    }
    std::string root_pem() const { return pki.root_pem().value(); }
    std::string chain() const {
        return pem(pck, pki.platform_ca_key()) + pem(platform_ca, pki.root_key()) + root_pem();
    }

    Bytes quote() const {
        const auto attestation = crypto::P256Key::derive(ByteArray<32>{9}).value();
        ByteWriter to_sign;
        to_sign.bytes(header);
        if (header[0] == 5) {
            to_sign.u16(report.size() == 384 ? 1 : report.size() == 584 ? 2 : 3);
            to_sign.u32(static_cast<uint32_t>(report.size()));
        }
        to_sign.bytes(report);

        Bytes bound_report = qe_report;
        const Digest binding = crypto::sha256(attestation.point());
        std::copy(binding.begin(), binding.end(), bound_report.begin() + 320);
        ByteWriter certification;
        certification.bytes(bound_report);
        certification.bytes(pki.pck_key().sign_deterministic(bound_report).value());
        certification.u16(0);  // no auth data
        certification.u16(5);
        certification.length_prefixed(as_bytes(chain()));

        ByteWriter signature;
        signature.bytes(attestation.sign_deterministic(to_sign.view()).value());
        signature.bytes(attestation.point());
        if (header[0] == 3) {
            signature.bytes(certification.view());
        } else {
            signature.u16(6);
            signature.length_prefixed(certification.view());
        }
        ByteWriter out;
        out.bytes(to_sign.view());
        out.length_prefixed(signature.view());
        return out.take();
    }

    Collateral collateral() const {
        Collateral out;
        out.pck_crl_issuer_chain = pem(platform_ca, pki.root_key()) + root_pem();
        out.tcb_info_issuer_chain = pem(signer, pki.root_key()) + root_pem();
        out.qe_identity_issuer_chain = out.tcb_info_issuer_chain;
        out.root_ca_crl = build_crl(root_crl, pki.root_key()).value();
        out.pck_crl = build_crl(pck_crl, pki.platform_ca_key()).value();
        out.tcb_info = pki.sign_document(json::serialize(tcb_info)).value();
        out.qe_identity = pki.sign_document(json::serialize(qe_identity)).value();
        return out;
    }

    TrustedRoots roots() const {
        TrustedRoots out;
        (void)out.add_pem(root_pem());
        return out;
    }

    // The whole way without a policy.
    Verdict judge(UnixSeconds time = now) const {
        const auto verified = verify_collateral(collateral(), roots(), time);
        if (!verified) return {.quote = std::nullopt, .error = verified.error()};
        return verify({.quote = quote(), .collateral = &*verified}, roots(), time);
    }
    TcbEvaluation evaluation() const { return *judge().quote.value().tcb; }
    TcbStatus status() const { return evaluation().status; }
    ErrorCode code() const { return judge().error.value().code; }
    std::string detail() const { return judge().error.value().detail; }
};

}  // namespace teetee::attest::test
