// SPDX-License-Identifier: Apache-2.0
// Real SEV-SNP reports of Milan and Genoa from the shared data folder.
#include <fstream>
#include <iterator>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "attest/sev_snp.hpp"

namespace teetee::attest {
namespace {

namespace json = boost::json;

const std::string folder = std::string(TEETEE_SHARED_DATA) + "/attestation/sevsnp/";

std::string read_text(const std::string& name) {
    std::ifstream file(folder + name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string text_of(const json::value& object, const char* key) {
    return std::string(object.at(key).as_string());
}

Bytes read_report(const std::string& name) {
    const std::string text = read_text(name);
    if (name.ends_with(".hex")) return from_hex(text.substr(0, 2 * snp_report_bytes)).value();
    return Bytes(text.begin(), text.end());
}

void expect_fields(const SnpReport& report, const json::value& need) {
    EXPECT_EQ(report.version, need.at("version").as_int64());
    EXPECT_EQ(report.guest_svn, need.at("guest_svn").as_int64());
    EXPECT_EQ(report.vmpl, need.at("vmpl").as_int64());
    EXPECT_EQ(report.key_info, need.at("flags").as_int64());
    ByteWriter policy;
    policy.u64(report.policy);
    Bytes policy_bytes = policy.take();
    std::reverse(policy_bytes.begin(), policy_bytes.end());
    EXPECT_EQ(to_hex(policy_bytes), text_of(need, "policy"));
    EXPECT_EQ(to_hex(report.family_id), text_of(need, "family_id"));
    EXPECT_EQ(to_hex(report.image_id), text_of(need, "image_id"));
    EXPECT_EQ(to_hex(report.report_data), text_of(need, "report_data"));
    EXPECT_EQ(to_hex(report.measurement), text_of(need, "measurement"));
    EXPECT_EQ(to_hex(report.host_data), text_of(need, "host_data"));
    EXPECT_EQ(to_hex(report.id_key_digest), text_of(need, "id_key_digest"));
    EXPECT_EQ(to_hex(report.author_key_digest), text_of(need, "author_key_digest"));
    EXPECT_EQ(to_hex(report.report_id), text_of(need, "report_id"));
    EXPECT_EQ(to_hex(report.chip_id), text_of(need, "chip_id"));
    EXPECT_EQ(to_hex(report.current_tcb), text_of(need, "current_tcb"));
    EXPECT_EQ(to_hex(report.reported_tcb), text_of(need, "reported_tcb"));
    EXPECT_EQ(to_hex(report.committed_tcb), text_of(need, "committed_tcb"));
    EXPECT_EQ(to_hex(report.launch_tcb), text_of(need, "launch_tcb"));
}

TEST(shared_snp, verdicts_are_the_expected_ones) {
    if (read_text("expected.json").empty()) GTEST_SKIP() << "no shared data";
    // Within every validity; the VLEK's ended in December 2025.
    constexpr UnixSeconds in_2026 = 1790000000;
    constexpr UnixSeconds in_2025 = 1740000000;
    size_t accepted_count = 0;
    size_t refused_count = 0;
    const json::value expected_json = json::parse(read_text("expected.json"));
    for (const json::value& entry : expected_json.as_array()) {
        const std::string leaf = text_of(entry, "leaf");
        SCOPED_TRACE(text_of(entry, "report") + " " + leaf);
        const Bytes report = read_report(text_of(entry, "report"));
        const auto parsed = parse_snp_report(report);
        ASSERT_TRUE(parsed) << parsed.error().message();
        expect_fields(*parsed, entry.at("fields"));
        const bool must_verify = entry.at("signature_valid").as_bool();
        const std::string leaf_der = read_text(leaf);
        for (const char* product : {"milan", "genoa", "turin"}) {
            const std::string issuers = read_text(std::string(product) + "_ask_ark_asvk.pem");
            const auto verified = verify_snp_report(
                {.report = report,
                 .chain = {.leaf = as_bytes(leaf_der), .issuers = as_bytes(issuers)}},
                amd_pins(), leaf.find("vlek") == std::string::npos ? in_2026 : in_2025);
            const bool expected =
                must_verify && text_of(entry, "leaf_issued_by").starts_with(product);
            EXPECT_EQ(bool(verified), expected)
                << product << (verified ? "" : verified.error().message());
            ++(expected ? accepted_count : refused_count);
        }
    }
    std::cout << accepted_count << " reports verified, " << refused_count << " refused\n";
    EXPECT_GE(accepted_count, 5u);
}

}  // namespace
}  // namespace teetee::attest
