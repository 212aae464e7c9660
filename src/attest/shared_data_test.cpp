// SPDX-License-Identifier: Apache-2.0
// Real quotes, mutated real quotes and quotes of a test PKI from the shared data folder. Cases that
// are wrong in their collateral only are not this module's yet: counted as skipped.
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "attest/intel.hpp"
#include "attest/policy.hpp"
#include "attest/verify.hpp"
#include "crypto/hash.hpp"

namespace teetee::attest {
namespace {

namespace json = boost::json;

const std::string folder = std::string(TEETEE_SHARED_DATA) + "/attestation/";

std::string read_file(const std::string& name) {
    std::ifstream file(folder + name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

Bytes read_bytes(const std::string& name) {
    const std::string text = read_file(name);
    return Bytes(text.begin(), text.end());
}

std::string text_of(const json::value& object, const char* key) {
    return std::string(object.at(key).as_string());
}

#define TT_REQUIRE_SHARED_DATA() \
    if (read_file("manifest.json").empty()) GTEST_SKIP() << "no shared data"

TEST(shared_data, verifies_every_real_tdx_quote) {
    TT_REQUIRE_SHARED_DATA();
    const auto manifest = json::parse(read_file("manifest.json"));
    size_t verified_count = 0;
    size_t unsupported_count = 0;
    std::map<std::string, json::value> quotes;
    for (const auto& entry : manifest.at("quotes").as_array()) {
        quotes[text_of(entry, "file")] = entry;
    }
    for (const auto& set : manifest.at("sets").as_array()) {
        SCOPED_TRACE(text_of(set, "id"));
        const auto& entry = quotes.at(text_of(set, "quote"));
        const auto verified = verify_quote(read_bytes(text_of(set, "quote")), TrustedRoots::intel(),
                                           set.at("time").as_int64());
        if (text_of(entry, "tee") != "tdx") {
            EXPECT_EQ(verified.error().code, ErrorCode::quote_unsupported);
            ++unsupported_count;
            continue;
        }
        ASSERT_TRUE(verified) << verified.error().message();
        ++verified_count;
        EXPECT_FALSE(verified->simulated);
        const TdReport& report = verified->report;
        EXPECT_EQ(to_hex(report.tee_tcb_svn), text_of(entry, "tee_tcb_svn"));
        EXPECT_EQ(to_hex(report.mrseam), text_of(entry, "mrseam"));
        EXPECT_EQ(to_hex(report.mrtd), text_of(entry, "mrtd"));
        EXPECT_EQ(to_hex(report.mrconfigid), text_of(entry, "mrconfigid"));
        EXPECT_EQ(to_hex(report.mrowner), text_of(entry, "mrowner"));
        EXPECT_EQ(to_hex(report.mrownerconfig), text_of(entry, "mrownerconfig"));
        EXPECT_EQ(to_hex(report.report_data), text_of(entry, "report_data"));
        for (size_t i = 0; i < 4; ++i) {
            EXPECT_EQ(to_hex(report.rtmr[i]), std::string(entry.at("rtmr").at(i).as_string()));
        }
        EXPECT_EQ(to_hex(verified->platform.fmspc), text_of(entry, "fmspc"));
        EXPECT_EQ(to_hex(verified->platform.ppid), text_of(entry, "ppid"));
        EXPECT_EQ(to_hex(verified->platform.pceid), text_of(entry, "pceid"));
        EXPECT_EQ(to_hex(verified->platform.cpusvn), text_of(entry, "pck_cpusvn"));
        EXPECT_EQ(verified->platform.pcesvn, entry.at("pck_pcesvn").as_int64());
    }
    std::cout << verified_count << " sets verified, " << unsupported_count << " SGX\n";
    EXPECT_GT(verified_count, 100u);
}

TEST(shared_data, every_real_quote_without_a_set_verifies_too) {
    TT_REQUIRE_SHARED_DATA();
    constexpr UnixSeconds in_every_chain = 1780000000;
    const auto manifest = json::parse(read_file("manifest.json"));
    size_t count = 0;
    for (const auto& entry : manifest.at("quotes").as_array()) {
        if (text_of(entry, "tee") != "tdx") continue;
        const auto verified =
            verify_quote(read_bytes(text_of(entry, "file")), TrustedRoots::intel(), in_every_chain);
        EXPECT_TRUE(verified) << text_of(entry, "file") << ": " << verified.error().message();
        ++count;
    }
    std::cout << count << " TDX quotes verified\n";
    EXPECT_GT(count, 30u);
}

TEST(shared_data, the_pinned_root_is_intels_certificate) {
    TT_REQUIRE_SHARED_DATA();
    const auto root = parse_certificate(read_bytes("roots/intel_sgx_root_ca.der")).value();
    EXPECT_EQ(crypto::sha256(root.der), intel_root_fingerprint);
    EXPECT_EQ(to_hex(root.public_key),
              "0ba9c4c0c0c86193a3fe23d6b02cda10a8bbd4e88e48b4458561a36e705525f5"
              "67918e2edc88e40d860bd0cc4ee26aacc988e505a953558c453f6b0904ae7394");
    TrustedRoots by_pem;
    ASSERT_TRUE(by_pem.add_pem(read_file("roots/intel_sgx_root_ca.pem")));
    EXPECT_TRUE(by_pem.contains(intel_root_fingerprint));
}

// Codes of the index whose fault lies in the quote or in its certificate chain.
const std::map<std::string, std::set<ErrorCode>> quote_faults = {
    {"ATT_KEY_TYPE", {ErrorCode::quote_unsupported}},
    {"BODY_SIZE", {ErrorCode::quote_malformed}},
    {"BODY_TYPE", {ErrorCode::quote_unsupported}},
    {"CERT_DATA_SIZE", {ErrorCode::quote_malformed}},
    {"CERT_DATA_TYPE", {ErrorCode::quote_unsupported, ErrorCode::quote_malformed}},
    {"CERT_DATA_TYPE_UNSUPPORTED", {ErrorCode::quote_unsupported}},
    {"PARSE",
     {ErrorCode::quote_malformed, ErrorCode::quote_unsupported, ErrorCode::certificate_malformed}},
    {"PCK_CHAIN_EXPIRED", {ErrorCode::certificate_expired}},
    {"PCK_CHAIN_ROOT", {ErrorCode::root_untrusted}},
    {"PCK_CHAIN_SHORT", {ErrorCode::certificate_chain_invalid, ErrorCode::certificate_malformed}},
    {"PCK_CHAIN_SIG", {ErrorCode::certificate_chain_invalid, ErrorCode::certificate_malformed}},
    {"PCK_EXT", {ErrorCode::certificate_malformed}},
    {"QE_ATTRIBUTES", {ErrorCode::qe_report_invalid}},
    {"QE_MRSIGNER", {ErrorCode::qe_report_invalid}},
    {"QE_REPORT_DATA", {ErrorCode::qe_report_invalid}},
    {"QE_REPORT_SIG", {ErrorCode::qe_report_invalid}},
    {"QE_VENDOR", {ErrorCode::quote_unsupported}},
    {"QUOTE_SIG", {ErrorCode::quote_signature_invalid}},
    {"QUOTE_VERSION", {ErrorCode::quote_unsupported}},
    {"TEE_TYPE", {ErrorCode::quote_unsupported}},
};

struct Counts {
    size_t accepted = 0;
    size_t rejected = 0;
    size_t sgx = 0;
    size_t skipped_collateral = 0;
};

void check_case(const json::value& test, ByteView quote, const TrustedRoots& roots,
                Counts& counts) {
    const auto verified = verify_quote(quote, roots, test.at("time").as_int64());
    const auto& expected = test.at("expected");
    if (text_of(expected, "verdict") == "accept") {
        EXPECT_TRUE(verified) << verified.error().message();
        ++counts.accepted;
        return;
    }
    const auto fault = quote_faults.find(text_of(expected, "code"));
    if (fault == quote_faults.end()) {
        ++counts.skipped_collateral;
        return;
    }
    ASSERT_FALSE(verified) << fault->first;
    EXPECT_TRUE(fault->second.contains(verified.error().code))
        << fault->first << " gave " << verified.error().message();
    ++counts.rejected;
}

std::string summary(const Counts& counts) {
    return std::to_string(counts.accepted) + " accepted, " + std::to_string(counts.rejected) +
           " rejected, " + std::to_string(counts.sgx) + " SGX, " +
           std::to_string(counts.skipped_collateral) + " skipped: collateral only\n";
}

TEST(shared_data, agrees_on_mutated_real_quotes) {
    TT_REQUIRE_SHARED_DATA();
    const auto index = json::parse(read_file("negative/index.json"));
    const Bytes blob = read_bytes("negative/quotes.blob");
    const TrustedRoots intel = TrustedRoots::intel();
    Counts counts;
    for (const auto& test : index.as_array()) {
        SCOPED_TRACE(text_of(test, "id") + " " + text_of(test, "kind") + " " +
                     text_of(test, "desc"));
        Bytes quote;
        if (const auto* offset = test.as_object().if_contains("offset")) {
            const auto part =
                ByteView(blob).subspan(static_cast<size_t>(offset->as_int64()),
                                       static_cast<size_t>(test.at("length").as_int64()));
            quote.assign(part.begin(), part.end());
        } else {
            quote = read_bytes(text_of(test, "quote"));
        }
        if (text_of(test, "base") == "f8b81014-f93593") {  // SGX
            EXPECT_FALSE(verify_quote(quote, intel, test.at("time").as_int64()));
            ++counts.sgx;
            continue;
        }
        check_case(test, quote, intel, counts);
    }
    std::cout << summary(counts);
    EXPECT_GT(counts.rejected, 250u);
    EXPECT_GT(counts.accepted, 20u);
}

TEST(shared_data, agrees_on_quotes_of_the_test_pki) {
    TT_REQUIRE_SHARED_DATA();
    TrustedRoots roots;
    ASSERT_TRUE(roots.add_pem(read_file("roots/synthetic_test_root.pem")));
    Counts counts;
    const auto index = json::parse(read_file("synthetic/index.json"));
    for (const auto& test : index.as_array()) {
        const std::string name = text_of(test, "name");
        SCOPED_TRACE(name);
        const Bytes quote = read_bytes("synthetic/" + name + ".quote.bin");
        if (name.starts_with("sgx")) {
            EXPECT_EQ(verify_quote(quote, roots, test.at("time").as_int64()).error().code,
                      ErrorCode::quote_unsupported);
            ++counts.sgx;
            continue;
        }
        check_case(test, quote, roots, counts);
        EXPECT_FALSE(verify_quote(quote, TrustedRoots::intel(), test.at("time").as_int64()));
    }
    std::cout << summary(counts);
    EXPECT_GT(counts.accepted, 30u);
}

// What Intel's library accepts and a policy must not.
TEST(shared_data, the_policy_refuses_unsafe_attributes) {
    TT_REQUIRE_SHARED_DATA();
    Policy policy;
    ASSERT_TRUE(policy.roots.add_pem(read_file("roots/synthetic_test_root.pem")));
    policy.allow_simulated = true;
    for (const char* name : {"tdx4_debug", "tdx4_no_septve", "tdx4_reserved_attr", "tdx5_servicetd",
                             "tdx4_mrsignerseam", "tdx4_uptodate"}) {
        SCOPED_TRACE(name);
        constexpr UnixSeconds time = 1793534400;
        const Bytes quote = read_bytes(std::string("synthetic/") + name + ".quote.bin");
        const auto verified = verify_quote(quote, policy.roots, time).value();
        policy.measurements = {{.mrtd = verified.report.mrtd, .rtmr = {}, .mrconfigid = {}}};
        const auto accepted = check_policy(verified, policy);
        if (std::string_view(name) == "tdx4_uptodate") {
            EXPECT_TRUE(accepted) << accepted.error().message();
        } else {
            EXPECT_EQ(accepted.error().code, ErrorCode::attributes_rejected);
        }
    }
}

// A certificate that dstack's guest agent made: the quote lies where ours does.
TEST(shared_data, dstack_certificates_are_chains_of_their_own) {
    TT_REQUIRE_SHARED_DATA();
    const auto certificates =
        parse_pem_certificates(as_bytes(read_file("dstack/nearai-app_cert.pem")), 8);
    ASSERT_TRUE(certificates) << certificates.error().message();
    constexpr ByteArray<10> quote_oid = {0x2b, 0x06, 0x01, 0x04, 0x01,
                                         0x83, 0xe7, 0x3d, 0x01, 0x01};
    size_t quote_count = 0;
    for (const Certificate& certificate : *certificates) {
        quote_count += find_extension(certificate, quote_oid).value() ? 1 : 0;
    }
    EXPECT_GT(quote_count, 0u);
}

}  // namespace
}  // namespace teetee::attest
