// SPDX-License-Identifier: Apache-2.0
#include "attest/sev_snp.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "attest/snp_test_pki.hpp"

namespace teetee::attest {
namespace {

using test::snp_now;
using test::SnpCertificate;
using test::SnpPki;

// Keys of 4096 bits take seconds: one set for all tests.
const SnpPki& pki() {
    static const SnpPki once;
    return once;
}

Bytes good_report() {
    return pki().sign(test::unsigned_snp_report());
}

struct Case {
    Bytes report = good_report();
    Bytes leaf = build(pki().vcek());
    std::string issuers = pki().issuers();
    std::vector<SnpPins> pins = pki().pins();
    UnixSeconds now = snp_now;

    Result<VerifiedSnpReport> verify() const {
        return verify_snp_report(
            {.report = report, .chain = {.leaf = leaf, .issuers = as_bytes(issuers)}}, pins, now);
    }
    ErrorCode refusal() const {
        const auto verified = verify();
        return verified ? ErrorCode::internal : verified.error().code;
    }
};

Case with_report(const std::function<void(Bytes&)>& change) {
    Case out;
    Bytes report = test::unsigned_snp_report();
    change(report);
    out.report = pki().sign(std::move(report));
    return out;
}

Case with_leaf(const std::function<void(SnpCertificate&)>& change) {
    Case out;
    SnpCertificate leaf = pki().vcek();
    change(leaf);
    out.leaf = build(leaf);
    return out;
}

TEST(sev_snp, verifies_a_report_of_a_chip) {
    const auto verified = Case().verify();
    ASSERT_TRUE(verified) << verified.error().message();
    EXPECT_EQ(verified->signer.kind, SnpKeyKind::vcek);
    EXPECT_EQ(to_string(verified->signer.kind), "VCEK");
    EXPECT_EQ(verified->signer.product, SnpProduct::milan);
    EXPECT_EQ(verified->report.report_data, [] {
        ByteArray<64> data;
        data.fill(0xda);
        return data;
    }());
    EXPECT_EQ(describe_tcb(verified->reported_tcb, SnpProduct::milan),
              "bootloader 3, tee 0, snp 8, microcode 115");
}

TEST(sev_snp, verifies_a_report_of_a_clouds_key) {
    Case vlek = with_report([](Bytes& report) {
        report[0x48] = 1 << 2;
        std::fill_n(report.begin() + 0x1a0, 64, uint8_t{0});  // the cloud hides its chips
    });
    vlek.leaf = build(pki().vlek());
    const auto verified = vlek.verify();
    ASSERT_TRUE(verified) << verified.error().message();
    EXPECT_EQ(to_string(verified->signer.kind), "VLEK");
    EXPECT_FALSE(verified->signer.chip_id);

    SnpCertificate nameless = pki().vlek();
    nameless.extensions.erase("5");
    vlek.leaf = build(nameless);
    EXPECT_EQ(vlek.refusal(), ErrorCode::certificate_malformed);
    SnpCertificate named_twice = pki().vlek();
    named_twice.repeated = "5";
    vlek.leaf = build(named_twice);
    EXPECT_EQ(vlek.refusal(), ErrorCode::certificate_malformed);
}

TEST(sev_snp, reads_the_other_byte_order_of_turin) {
    Case turin = with_report([](Bytes& report) {
        report[0x00] = 5;
        const ByteArray<8> tcb = {1, 3, 0, 8, 0, 0, 0, 115};
        std::copy(tcb.begin(), tcb.end(), report.begin() + 0x180);
        std::fill_n(report.begin() + 0x1a8, 56, uint8_t{0});
    });
    turin.pins[0].product = SnpProduct::turin;
    SnpCertificate leaf = pki().vcek();
    leaf.extensions["4"] = Bytes(8, 0xc1);
    turin.leaf = build(leaf);
    EXPECT_EQ(turin.refusal(), ErrorCode::certificate_malformed);  // no FMC version
    leaf.extensions["3.9"] = {2, 1, 1};
    turin.leaf = build(leaf);
    const auto verified = turin.verify();
    ASSERT_TRUE(verified) << verified.error().message();
    EXPECT_EQ(describe_tcb(verified->reported_tcb, SnpProduct::turin),
              "fmc 1, bootloader 3, tee 0, snp 8, microcode 115");
    leaf.extensions["4"] = Bytes(64, 0xc1);
    turin.leaf = build(leaf);
    EXPECT_EQ(turin.refusal(), ErrorCode::certificate_malformed);
}

TEST(sev_snp, rejects_any_changed_byte_of_the_report) {
    const Case good;
    for (size_t at = 0; at < snp_report_bytes; ++at) {
        if (at >= 0x2a0 + 144) continue;  // reserved, not signed
        Case changed = good;
        changed.report[at] ^= 0x40;
        EXPECT_NE(changed.refusal(), ErrorCode::internal) << at;
    }
}

TEST(sev_snp, rejects_a_report_of_another_form) {
    EXPECT_EQ(parse_snp_report(Bytes(snp_report_bytes - 1)).error().code,
              ErrorCode::snp_report_malformed);
    EXPECT_EQ(parse_snp_report(Bytes(snp_report_bytes + 1)).error().code,
              ErrorCode::snp_report_malformed);
    for (const int version : {0, 1, 6}) {
        EXPECT_EQ(with_report([&](Bytes& report) {
                      report[0] = static_cast<uint8_t>(version);
                  }).refusal(),
                  ErrorCode::snp_report_malformed);
    }
    EXPECT_EQ(with_report([](Bytes& report) { report[0x34] = 2; }).refusal(),
              ErrorCode::snp_report_malformed);
    for (const size_t at : {0x2a0u + 48, 0x2a0u + 143}) {
        Case large;
        large.report[at] = 1;
        EXPECT_EQ(large.refusal(), ErrorCode::snp_report_malformed);
    }
}

TEST(sev_snp, rejects_another_key_kind_tcb_or_chip) {
    for (const int kind : {1, 2, 7}) {
        const Case other =
            with_report([&](Bytes& report) { report[0x48] = static_cast<uint8_t>(kind << 2); });
        EXPECT_EQ(other.verify().error().detail, "signing key of the report: have " +
                                                     std::to_string(kind) + ", need 0 for a VCEK");
    }
    Case vlek;
    vlek.leaf = build(pki().vlek());
    EXPECT_EQ(vlek.refusal(), ErrorCode::snp_report_mismatch);
    EXPECT_EQ(vlek.verify().error().detail, "signing key of the report: have 0, need 1 for a VLEK");
    for (const size_t at : {0x180u, 0x181u, 0x186u, 0x187u}) {
        const Case other = with_report([&](Bytes& report) { ++report[at]; });
        EXPECT_EQ(other.refusal(), ErrorCode::snp_report_mismatch);
        EXPECT_TRUE(other.verify().error().detail.starts_with("reported TCB: have bootloader "));
    }
    const Case masked =
        with_report([](Bytes& report) { std::fill_n(report.begin() + 0x1a0, 64, uint8_t{0}); });
    EXPECT_EQ(masked.refusal(), ErrorCode::snp_report_mismatch);
    EXPECT_TRUE(masked.verify().error().detail.starts_with("chip id: have 00"));
}

TEST(sev_snp, rejects_a_leaf_of_another_form) {
    EXPECT_EQ(with_leaf([](auto& leaf) { leaf.subject = "SEV-VCEL"; }).refusal(),
              ErrorCode::certificate_chain_invalid);
    for (const char* arcs : {"3.1", "3.2", "3.3", "3.8", "4"}) {
        EXPECT_EQ(with_leaf([&](auto& leaf) { leaf.extensions.erase(arcs); }).refusal(),
                  ErrorCode::certificate_malformed)
            << arcs;
    }
    const std::vector<Bytes> no_versions = {{}, {2, 1}, {2, 2, 1, 0}, {2, 1, 3, 0}, {4, 1, 3}};
    for (const Bytes& value : no_versions) {
        EXPECT_EQ(with_leaf([&](auto& leaf) { leaf.extensions["3.1"] = value; }).refusal(),
                  ErrorCode::certificate_malformed);
    }
    EXPECT_EQ(with_leaf([](auto& leaf) { leaf.extensions["4"] = Bytes(63); }).refusal(),
              ErrorCode::certificate_malformed);
    EXPECT_EQ(with_leaf([](auto& leaf) { leaf.key = pki().rsa.get(); }).refusal(),
              ErrorCode::certificate_malformed);
    EXPECT_EQ(with_leaf([](auto& leaf) { leaf.is_ca = true; }).refusal(),
              ErrorCode::certificate_chain_invalid);
    for (const Bytes& der : {Bytes(), Bytes(100, 0x30), Bytes(128 * 1024)}) {
        Case other;
        other.leaf = der;
        EXPECT_EQ(other.refusal(), ErrorCode::certificate_malformed);
    }
    Case longer;
    longer.leaf.push_back(0);
    EXPECT_EQ(longer.refusal(), ErrorCode::certificate_malformed);
}

TEST(sev_snp, rejects_certificates_that_openssl_reads_only_in_part) {
    const struct {
        const char* detail;
        std::function<void(SnpCertificate&)> change;
    } cases[] = {
        {"'SEV-VCEK': have unreadable extensions", [](auto& leaf) { leaf.version = 0; }},
        {"'SEV-VCEK': have unreadable extensions",
         [](auto& leaf) {
             leaf.known_extensions = {{NID_key_usage, "digitalSignature"},
                                      {NID_key_usage, "digitalSignature"}};
         }},
        {"'SEV-VCEK': have unreadable extensions",
         [](auto& leaf) {
             leaf.known_extensions = {{NID_netscape_comment, "critical,x"}};
         }},
        {"'SEV-VCEK': extension twice: ", [](auto& leaf) { leaf.repeated = "3.1"; }},
        {"'SEV-VCEK': extension twice: ", [](auto& leaf) { leaf.repeated = "4"; }},
    };
    for (const auto& [detail, change] : cases) {
        const Case other = with_leaf(change);
        EXPECT_EQ(other.refusal(), ErrorCode::certificate_malformed);
        EXPECT_TRUE(other.verify().error().detail.starts_with(detail))
            << other.verify().error().detail;
    }
    for (const size_t place : {0u, 1u}) {
        Case other;
        other.leaf = test::with_unreadable_time(other.leaf, place);
        EXPECT_EQ(other.refusal(), ErrorCode::certificate_malformed);
        EXPECT_EQ(other.verify().error().detail, "'SEV-VCEK': have no readable validity, need one");
    }
}

TEST(sev_snp, rejects_a_nameless_leaf) {
    EXPECT_EQ(with_leaf([](auto& leaf) { leaf.subject.clear(); }).verify().error().detail,
              "leaf: have '', need 'SEV-VCEK' or 'SEV-VLEK'");
    const Case no_issuer = with_leaf([](auto& leaf) { leaf.issuer.clear(); });
    EXPECT_EQ(no_issuer.refusal(), ErrorCode::certificate_chain_invalid);
    EXPECT_EQ(no_issuer.verify().error().detail,
              "'SEV-VCEK': have no certificate of its issuer, need that of ''");
}

TEST(sev_snp, rejects_a_leaf_that_its_issuer_did_not_sign) {
    EXPECT_EQ(with_leaf([](auto& leaf) { leaf.issuer_key = pki().other_rsa.get(); }).refusal(),
              ErrorCode::certificate_chain_invalid);
    EXPECT_EQ(with_leaf([](auto& leaf) { leaf.signs_with_pss = false; }).refusal(),
              ErrorCode::certificate_chain_invalid);
    EXPECT_EQ(with_leaf([](auto& leaf) { leaf.digest = EVP_sha256(); }).refusal(),
              ErrorCode::certificate_chain_invalid);
    // A VLEK may not come from the issuer of VCEKs, nor the other way round.
    EXPECT_EQ(with_leaf([](auto& leaf) { leaf.issuer = "SEV-VLEK-Test"; }).refusal(),
              ErrorCode::root_untrusted);
    EXPECT_EQ(with_leaf([](auto& leaf) { leaf.subject = "SEV-VLEK"; }).refusal(),
              ErrorCode::root_untrusted);
}

TEST(sev_snp, rejects_issuers_of_another_form) {
    const auto refusal = [](const std::vector<SnpCertificate>& issuers) {
        Case other;
        std::vector<Bytes> ders;
        other.issuers.clear();
        for (const SnpCertificate& issuer : issuers) {
            ders.push_back(build(issuer));
            other.issuers += pem_of_certificate(ders.back());
        }
        // Pinned as they are, so that the pins are not what refuses them.
        other.pins[0].ark = crypto::sha256(ders.front());
        other.pins[0].ask = crypto::sha256(ders.back());
        return other.refusal();
    };
    const SnpCertificate ark = pki().ark();
    const SnpCertificate ask = pki().ask();
    EXPECT_EQ(refusal({ark}), ErrorCode::certificate_chain_invalid);
    EXPECT_EQ(refusal({ask}), ErrorCode::certificate_chain_invalid);
    SnpCertificate no_ca = ask;
    no_ca.is_ca = false;
    EXPECT_EQ(refusal({ark, no_ca}), ErrorCode::certificate_chain_invalid);
    SnpCertificate no_issuer = ask;
    no_issuer.ca_key_usage = "critical,cRLSign";
    EXPECT_EQ(refusal({ark, no_issuer}), ErrorCode::certificate_chain_invalid);
    SnpCertificate forged = ask;
    forged.issuer_key = pki().other_rsa.get();
    EXPECT_EQ(refusal({ark, forged}), ErrorCode::certificate_chain_invalid);
    SnpCertificate other_root = ark;
    other_root.issuer_key = pki().other_rsa.get();
    EXPECT_EQ(refusal({other_root, ask}), ErrorCode::certificate_chain_invalid);
    const crypto::EvpPkeyPtr short_key(EVP_RSA_gen(2048));
    SnpCertificate weak = ask;
    weak.key = short_key.get();
    EXPECT_EQ(refusal({ark, weak}), ErrorCode::certificate_chain_invalid);
    SnpCertificate curve = ask;
    curve.key = pki().chip.get();
    EXPECT_EQ(refusal({ark, curve}), ErrorCode::certificate_chain_invalid);
    SnpCertificate expired = ask;
    expired.not_after = snp_now - 1;
    EXPECT_EQ(refusal({ark, expired}), ErrorCode::certificate_expired);
    EXPECT_EQ(refusal({ark, ark, ark, ark, ask}), ErrorCode::certificate_malformed);

    for (const std::string_view text : {"x", "-----BEGIN CERTIFICATE-----",
                                        "-----BEGIN CERTIFICATE-----\n!\n"
                                        "-----END CERTIFICATE-----",
                                        "-----BEGIN CERTIFICATE-----\nAAAA\n"
                                        "-----END CERTIFICATE-----"}) {
        Case other;
        other.issuers = text;
        EXPECT_EQ(other.refusal(), ErrorCode::certificate_malformed) << text;
    }
}

// RSA-PSS with a hash that nobody knows.
TEST(sev_snp, rejects_a_signature_whose_parameters_nobody_can_read) {
    Case other;
    const Bytes sha384 = from_hex("608648016503040202").value();
    auto at = std::search(other.leaf.begin(), other.leaf.end(), sha384.begin(), sha384.end());
    ASSERT_NE(at, other.leaf.end());
    for (; at != other.leaf.end();
         at = std::search(at, other.leaf.end(), sha384.begin(), sha384.end())) {
        at[8] = 0x7e;
    }
    EXPECT_EQ(other.refusal(), ErrorCode::certificate_chain_invalid);
    EXPECT_TRUE(other.verify().error().detail.starts_with("'SEV-VCEK': have another signature"))
        << other.verify().error().detail;
}

TEST(sev_snp, rejects_a_root_whose_key_nobody_can_read) {
    Case other;
    Bytes ark = pki().ark_der;
    const Bytes rsa_encryption = from_hex("2a864886f70d010101").value();
    const auto at =
        std::search(ark.begin(), ark.end(), rsa_encryption.begin(), rsa_encryption.end());
    ASSERT_NE(at, ark.end());
    at[8] = 0x7f;
    other.issuers = pem_of_certificate(pki().ask_der) + pem_of_certificate(ark);
    other.pins[0].ark = crypto::sha256(ark);
    EXPECT_EQ(other.refusal(), ErrorCode::certificate_chain_invalid);
    EXPECT_TRUE(other.verify().error().detail.starts_with("'ARK-Test': have another key"))
        << other.verify().error().detail;
}

TEST(sev_snp, rejects_issuers_that_are_not_pinned) {
    Case other;
    other.pins = amd_pins();
    EXPECT_EQ(other.refusal(), ErrorCode::root_untrusted);
    other.pins = {};
    EXPECT_EQ(other.refusal(), ErrorCode::root_untrusted);
    other.pins = pki().pins();
    other.pins[0].ask[0] ^= 1;
    EXPECT_EQ(other.refusal(), ErrorCode::root_untrusted);
}

TEST(sev_snp, rejects_certificates_out_of_date) {
    for (const UnixSeconds now : {snp_now - 1001, snp_now + 1001}) {
        Case other;
        other.now = now;
        EXPECT_EQ(other.refusal(), ErrorCode::certificate_expired);
        EXPECT_NE(other.verify().error().detail.find("have time " + std::to_string(now)),
                  std::string::npos);
    }
    for (const UnixSeconds now : {snp_now - 1000, snp_now + 1000}) {
        Case edge;
        edge.now = now;
        EXPECT_TRUE(edge.verify());
    }
}

TEST(sev_snp, pins_amds_certificates_of_three_products) {
    ASSERT_EQ(amd_pins().size(), 3u);
    EXPECT_EQ(to_string(amd_pins()[0].product), "Milan");
    EXPECT_EQ(to_string(amd_pins()[1].product), "Genoa");
    EXPECT_EQ(to_string(amd_pins()[2].product), "Turin");
}

SnpPolicy usual_policy() {
    SnpPolicy policy;
    policy.measurements.emplace_back().fill(0xa0);
    return policy;
}

std::string policy_refusal(const VerifiedSnpReport& verified, const SnpPolicy& policy) {
    const auto checked = check_snp_policy(verified, policy);
    if (checked) return "accepted";
    EXPECT_EQ(checked.error().code, ErrorCode::snp_policy_rejected);
    return checked.error().detail;
}

TEST(snp_policy, accepts_what_it_names) {
    EXPECT_TRUE(check_snp_policy(Case().verify().value(), usual_policy()));
}

TEST(snp_policy, refuses_debug_and_migration) {
    VerifiedSnpReport verified = Case().verify().value();
    verified.report.policy |= snp_policy_debug;
    EXPECT_EQ(policy_refusal(verified, usual_policy()), "guest policy: have DEBUG on, need off");
    SnpPolicy allows = usual_policy();
    allows.allow_debug = true;
    EXPECT_EQ(policy_refusal(verified, allows), "accepted");
    verified.report.policy = snp_policy_migrate_ma;
    EXPECT_EQ(policy_refusal(verified, allows), "guest policy: have MIGRATE_MA on, need off");
    allows.allow_migration = true;
    EXPECT_EQ(policy_refusal(verified, allows), "accepted");
}

TEST(snp_policy, refuses_lower_levels_old_firmware_and_other_code) {
    VerifiedSnpReport verified = Case().verify().value();
    verified.report.vmpl = 1;
    EXPECT_EQ(policy_refusal(verified, usual_policy()), "VMPL: have 1, need at most 0");
    verified.report.vmpl = 0;
    for (const SnpTcb& need : {SnpTcb{.fmc = 1}, SnpTcb{.bootloader = 4}, SnpTcb{.tee = 1},
                               SnpTcb{.snp = 9}, SnpTcb{.microcode = 116}}) {
        SnpPolicy policy = usual_policy();
        policy.tcb_min = need;
        EXPECT_TRUE(policy_refusal(verified, policy).starts_with("reported TCB: have bootloader"));
    }
    SnpPolicy exact = usual_policy();
    exact.tcb_min = verified.reported_tcb;
    EXPECT_EQ(policy_refusal(verified, exact), "accepted");
    verified.report.measurement[0] ^= 1;
    EXPECT_TRUE(policy_refusal(verified, exact).starts_with("measurement: have a1a0"));
    EXPECT_NE(policy_refusal(verified, SnpPolicy()).find("need a policy with at least one"),
              std::string::npos);
}

}  // namespace
}  // namespace teetee::attest
