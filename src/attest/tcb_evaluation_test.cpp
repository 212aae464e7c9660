// SPDX-License-Identifier: Apache-2.0
#include "attest/tcb_evaluation.hpp"

#include <gtest/gtest.h>

#include "attest/test_platform.hpp"

namespace teetee::attest {
namespace {

using test::TestPlatform;

TEST(tcb_status, words_and_only_those) {
    for (const TcbStatus status : every_tcb_status) {
        EXPECT_EQ(parse_tcb_status(to_string(status)), status);
    }
    for (const char* word : {"", "uptodate", "UpToDate ", "Nonsense"}) {
        EXPECT_FALSE(parse_tcb_status(word)) << word;
    }
}

TEST(tcb_status, a_component_lowers_the_platform_as_intels_library_does) {
    using enum TcbStatus;
    const struct {
        TcbStatus platform, component, together;
    } cases[] = {
        {up_to_date, up_to_date, up_to_date},
        {configuration_needed, up_to_date, configuration_needed},
        {up_to_date, out_of_date, out_of_date},
        {sw_hardening_needed, out_of_date, out_of_date},
        {configuration_needed, out_of_date, out_of_date_configuration_needed},
        {configuration_and_sw_hardening_needed, out_of_date, out_of_date_configuration_needed},
        {out_of_date, out_of_date, out_of_date},
        {out_of_date_configuration_needed, out_of_date, out_of_date_configuration_needed},
        {td_relaunch_advised, out_of_date, td_relaunch_advised},
        {revoked, out_of_date, revoked},
        {revoked, up_to_date, revoked},
        {up_to_date, revoked, revoked},
        {out_of_date, revoked, revoked},
        {up_to_date, configuration_needed, out_of_date},
    };
    for (const auto& one : cases) {
        EXPECT_EQ(converge(one.platform, one.component), one.together)
            << to_string(one.platform) << " with " << to_string(one.component);
    }
}

TEST(tcb_status, says_what_is_to_be_done) {
    using enum TcbStatus;
    const struct {
        TcbStatus status;
        bool is_outdated, wants_configuration;
    } cases[] = {
        {up_to_date, false, false},
        {sw_hardening_needed, false, false},
        {configuration_needed, false, true},
        {configuration_and_sw_hardening_needed, false, true},
        {out_of_date, true, false},
        {out_of_date_configuration_needed, true, true},
        {revoked, false, false},
        {td_relaunch_advised, false, false},
        {td_relaunch_advised_configuration_needed, false, true},
    };
    for (const auto& one : cases) {
        EXPECT_EQ(is_out_of_date(one.status), one.is_outdated) << to_string(one.status);
        EXPECT_EQ(needs_configuration(one.status), one.wants_configuration)
            << to_string(one.status);
    }
}

TEST(tcb_evaluation, the_dev_tee_is_up_to_date_under_its_own_collateral) {
    auto tee = test::make_tee();
    const auto collateral =
        verify_collateral(tee.collateral(test::now).value(), test::make_policy().roots, test::now)
            .value();
    Policy policy = test::make_policy();
    policy.require_collateral = true;
    const Bytes quote = tee.quote({}).value();
    const auto verdict = verify({.quote = quote, .collateral = &collateral}, policy, test::now);
    ASSERT_TRUE(verdict.accepted()) << verdict.error->message();
    EXPECT_EQ(verdict.quote->tcb->status, TcbStatus::up_to_date);
    EXPECT_TRUE(verdict.quote->simulated);
    EXPECT_EQ(verify({.quote = quote}, policy, test::now).error->code,
              ErrorCode::collateral_missing);
}

TEST(tcb_evaluation, every_kind_of_quote_is_judged) {
    EXPECT_EQ(TestPlatform(4).status(), TcbStatus::up_to_date);
    EXPECT_EQ(TestPlatform(5).status(), TcbStatus::up_to_date);
    EXPECT_EQ(TestPlatform(5).judge().quote->tee(), TeeType::tdx);
    for (const uint16_t version : {uint16_t{3}, uint16_t{4}, uint16_t{5}}) {
        const TestPlatform sgx(version, TeeType::sgx);
        EXPECT_EQ(sgx.status(), TcbStatus::up_to_date) << version;
        EXPECT_EQ(sgx.judge().quote->tee(), TeeType::sgx);
        EXPECT_EQ(sgx.judge().quote->td_report(), nullptr);
        EXPECT_FALSE(sgx.evaluation().module_status);
    }
}

TEST(tcb_evaluation, reads_the_older_form_of_tcb_info_for_sgx_only) {
    TestPlatform sgx(3, TeeType::sgx);
    sgx.tcb_info.erase("id");
    sgx.tcb_info["version"] = 2;
    auto& tcb = sgx.level(0)["tcb"].as_object();
    tcb.erase("sgxtcbcomponents");
    for (int i = 1; i <= 16; ++i) {
        tcb["sgxtcbcomp" + std::string(i < 10 ? "0" : "") + std::to_string(i) + "svn"] = 1;
    }
    EXPECT_EQ(sgx.status(), TcbStatus::up_to_date);
    tcb["sgxtcbcomp16svn"] = 2;
    EXPECT_EQ(sgx.code(), ErrorCode::tcb_level_missing);
    tcb.erase("sgxtcbcomp16svn");
    EXPECT_EQ(sgx.code(), ErrorCode::collateral_malformed);
    TestPlatform tdx;
    tdx.tcb_info["version"] = 2;
    EXPECT_FALSE(tdx.judge().accepted());
}

TEST(tcb_evaluation, rejects_documents_of_another_tee_or_platform) {
    TestPlatform info;
    info.tcb_info = TestPlatform(3, TeeType::sgx).tcb_info;
    EXPECT_EQ(info.code(), ErrorCode::collateral_mismatch);
    TestPlatform identity;
    identity.qe_identity["id"] = "QE";
    EXPECT_EQ(identity.code(), ErrorCode::collateral_mismatch);
    TestPlatform fmspc;
    fmspc.tcb_info["fmspc"] = "00806f050000";
    EXPECT_EQ(fmspc.code(), ErrorCode::collateral_mismatch);
    EXPECT_TRUE(fmspc.detail().starts_with("TCB info.fmspc")) << fmspc.detail();
    TestPlatform pceid;
    pceid.tcb_info["pceId"] = "0001";
    EXPECT_EQ(pceid.code(), ErrorCode::collateral_mismatch);
}

TEST(tcb_evaluation, rejects_a_foreign_quoting_enclave) {
    for (const size_t offset : {16u, 48u, 128u, 256u}) {
        TestPlatform platform;
        platform.qe_report[offset] ^= 4;
        EXPECT_EQ(platform.code(), ErrorCode::qe_identity_mismatch) << offset;
    }
    TestPlatform masked;
    masked.qe_report[48] = 4;
    masked.qe_identity["attributesMask"] = "FB" + std::string(30, 'F');
    EXPECT_EQ(masked.status(), TcbStatus::up_to_date);
}

TEST(tcb_evaluation, takes_the_highest_level_that_is_reached_whatever_the_order) {
    TestPlatform platform;
    // First in the document, lower in rank.
    platform.level(0)["tcbStatus"] = "OutOfDate";
    platform.sgx_components(0)[0] = {{"svn", 0}};
    platform.level(0)["advisoryIDs"] = {"INTEL-SA-2", "INTEL-SA-1"};
    auto& top = platform.add_level("UpToDate");
    top["tcb"].as_object()["sgxtcbcomponents"].as_array()[0] = {{"svn", 1}};
    top.erase("advisoryIDs");
    EXPECT_EQ(platform.status(), TcbStatus::up_to_date);
    EXPECT_TRUE(platform.evaluation().advisories.empty());
    // Out of reach: the next one counts, and it is said what lacks.
    top["tcb"].as_object()["pcesvn"] = 7;
    top["tcb"].as_object()["tdxtcbcomponents"].as_array()[3] = {{"svn", 2}};
    top["tcbDate"] = "2026-05-13T00:00:00Z";
    const TcbEvaluation lower = platform.evaluation();
    EXPECT_EQ(lower.status, TcbStatus::out_of_date);
    EXPECT_EQ(lower.advisories, (std::vector<std::string>{"INTEL-SA-1", "INTEL-SA-2"}));
    EXPECT_EQ(describe(lower.shortfalls),
              "pcesvn have 1, need 7; tdxtcbcomponents[3] have 0, need 2");
    EXPECT_EQ(lower.out_of_date_since, 1778630400);
}

TEST(tcb_evaluation, each_component_must_reach_its_level) {
    for (size_t i = 0; i < 16; ++i) {
        TestPlatform sgx;
        sgx.sgx_components(0)[i] = {{"svn", 2}};
        EXPECT_EQ(sgx.code(), ErrorCode::tcb_level_missing) << i;
        EXPECT_NE(sgx.detail().find("sgxtcbcomponents[" + std::to_string(i) + "] have 1, need 2"),
                  std::string::npos)
            << sgx.detail();
        TestPlatform tdx;
        tdx.tdx_components(0)[i] = {{"svn", 1}};
        EXPECT_EQ(tdx.code(), ErrorCode::tcb_level_missing) << i;
    }
    TestPlatform pcesvn;
    pcesvn.level(0)["tcb"].as_object()["pcesvn"] = 2;
    EXPECT_EQ(pcesvn.code(), ErrorCode::tcb_level_missing);
    TestPlatform qe;
    qe.qe_level(0)["tcb"].as_object()["isvsvn"] = 1;
    EXPECT_EQ(qe.code(), ErrorCode::tcb_level_missing);
    EXPECT_EQ(qe.detail(), "QE isvsvn: have 0, need at least 1");
}

TEST(tcb_evaluation, the_modules_own_levels_stand_for_the_first_two_components) {
    TestPlatform platform;
    platform.use_module({TestPlatform::isv_level(3, "UpToDate")}, 5);
    platform.tdx_components(0)[0] = {{"svn", 9}};
    platform.tdx_components(0)[1] = {{"svn", 9}};
    EXPECT_EQ(platform.status(), TcbStatus::up_to_date);
    EXPECT_EQ(platform.evaluation().module_status, TcbStatus::up_to_date);
    platform.tdx_components(0)[2] = {{"svn", 1}};
    EXPECT_EQ(platform.code(), ErrorCode::tcb_level_missing);
}

TEST(tcb_evaluation, a_module_has_a_signer_an_identity_and_a_level) {
    TestPlatform platform;
    platform.use_module(
        {TestPlatform::isv_level(3, "OutOfDate"), TestPlatform::isv_level(6, "UpToDate"),
         TestPlatform::isv_level(2, "Revoked")},
        4);
    EXPECT_EQ(platform.status(), TcbStatus::out_of_date);
    EXPECT_EQ(describe(platform.evaluation().shortfalls),
              "TDX module TDX_01 isvsvn have 4, need 6");
    platform.report[0] = 2;
    EXPECT_EQ(platform.status(), TcbStatus::revoked);
    EXPECT_EQ(platform.code(), ErrorCode::tcb_status_rejected);
    platform.report[0] = 1;
    EXPECT_EQ(platform.code(), ErrorCode::tcb_level_missing);
    platform.report[0] = 6;
    platform.report[1] = 0x2a;
    EXPECT_EQ(platform.code(), ErrorCode::tdx_module_mismatch);
    EXPECT_TRUE(platform.detail().starts_with("TDX module: have TDX_2A")) << platform.detail();
    platform.report[1] = 1;
    platform.tcb_info["tdxModuleIdentities"].as_array()[0].as_object()["id"] = "tdx_01";
    EXPECT_EQ(platform.status(), TcbStatus::up_to_date);
    platform.report[64] = 1;  // MRSIGNERSEAM
    EXPECT_EQ(platform.code(), ErrorCode::tdx_module_mismatch);
    platform.report[64] = 0;
    platform.report[112] = 1;  // SEAMATTRIBUTES
    EXPECT_EQ(platform.code(), ErrorCode::tdx_module_mismatch);
    // Attributes other than zero are none even where the identity names them.
    platform.tcb_info["tdxModuleIdentities"].as_array()[0].as_object()["attributes"] =
        "01" + std::string(14, '0');
    EXPECT_EQ(platform.code(), ErrorCode::tdx_module_mismatch);
    platform.report[112] = 0;
    EXPECT_EQ(platform.code(), ErrorCode::tdx_module_mismatch);
}

TEST(tcb_evaluation, a_module_of_version_0_has_the_signer_of_the_tcb_info) {
    TestPlatform platform;
    platform.tcb_info["tdxModule"].as_object()["mrsigner"] = "01" + std::string(94, '0');
    EXPECT_EQ(platform.code(), ErrorCode::tdx_module_mismatch);
    platform.report[64] = 1;
    EXPECT_EQ(platform.status(), TcbStatus::up_to_date);
}

// A TD that began under module isvsvn 4, on a machine where isvsvn `now` runs.
TestPlatform relaunch_case(uint8_t module_now) {
    TestPlatform platform(5);
    platform.use_module(
        {TestPlatform::isv_level(6, "UpToDate"), TestPlatform::isv_level(3, "OutOfDate")}, 4);
    platform.report[584] = module_now;
    platform.report[585] = 1;
    return platform;
}

TEST(tcb_evaluation, advises_a_relaunch_where_only_the_td_is_older_than_its_module) {
    EXPECT_EQ(relaunch_case(6).status(), TcbStatus::td_relaunch_advised);
    EXPECT_EQ(relaunch_case(5).status(), TcbStatus::out_of_date);
    TestPlatform configuration = relaunch_case(6);
    configuration.level(0)["tcbStatus"] = "ConfigurationNeeded";
    EXPECT_EQ(configuration.status(), TcbStatus::td_relaunch_advised_configuration_needed);
    TestPlatform platform = relaunch_case(6);
    platform.level(0)["tcbStatus"] = "OutOfDate";
    EXPECT_EQ(platform.status(), TcbStatus::out_of_date);
    TestPlatform qe = relaunch_case(6);
    qe.qe_level(0)["tcbStatus"] = "OutOfDate";
    EXPECT_EQ(qe.status(), TcbStatus::out_of_date);
    TestPlatform loader = relaunch_case(6);
    loader.report[2] = 3;
    loader.tdx_components(0)[2] = {{"svn", 3}};
    EXPECT_EQ(loader.status(), TcbStatus::out_of_date);
    loader.report[586] = 3;
    EXPECT_EQ(loader.status(), TcbStatus::td_relaunch_advised);
    TestPlatform unknown = relaunch_case(6);
    unknown.report[585] = 7;
    EXPECT_EQ(unknown.code(), ErrorCode::tdx_module_mismatch);
    TestPlatform version_0 = relaunch_case(6);
    version_0.report[585] = 0;
    EXPECT_EQ(version_0.status(), TcbStatus::td_relaunch_advised);
}

TEST(tcb_evaluation, the_quoting_enclave_lowers_the_status) {
    TestPlatform platform;
    platform.qe_identity["tcbLevels"] = {TestPlatform::isv_level(2, "UpToDate"),
                                         TestPlatform::isv_level(0, "OutOfDate")};
    platform.qe_level(1)["advisoryIDs"] = boost::json::array{"INTEL-SA-00477"};
    const TcbEvaluation evaluation = platform.evaluation();
    EXPECT_EQ(evaluation.status, TcbStatus::out_of_date);
    EXPECT_EQ(evaluation.qe_status, TcbStatus::out_of_date);
    EXPECT_EQ(evaluation.advisories, std::vector<std::string>{"INTEL-SA-00477"});
    EXPECT_EQ(describe(evaluation.shortfalls), "QE isvsvn have 0, need 2");
    platform.qe_level(1)["tcbStatus"] = "Revoked";
    EXPECT_EQ(platform.status(), TcbStatus::revoked);
    // Nothing is current any more: nobody can say since when.
    platform.qe_identity["tcbLevels"] = boost::json::array{TestPlatform::isv_level(0, "OutOfDate")};
    EXPECT_FALSE(platform.evaluation().out_of_date_since);
    EXPECT_EQ(platform.status(), TcbStatus::out_of_date);
}

// The level that the SGX part alone reaches is up to date, the one that both parts reach is not.
TEST(tcb_evaluation, advises_configuration_with_a_relaunch_where_the_tds_level_needs_it) {
    TestPlatform platform = relaunch_case(6);
    platform.level(0)["tcbStatus"] = "ConfigurationNeeded";
    platform.add_level("UpToDate");
    platform.tdx_components(1)[3] = {{"svn", 2}};
    EXPECT_EQ(platform.status(), TcbStatus::td_relaunch_advised_configuration_needed);
    // And a level between them changes nothing.
    platform.add_level("UpToDate");
    platform.tdx_components(2)[3] = {{"svn", 1}};
    EXPECT_EQ(platform.status(), TcbStatus::td_relaunch_advised_configuration_needed);
}

TEST(tcb_evaluation, names_the_nearest_of_the_levels_out_of_reach) {
    TestPlatform platform;
    platform.level(0)["tcb"].as_object()["pcesvn"] = 3;
    platform.sgx_components(0)[1] = {{"svn", 2}};
    platform.add_level("UpToDate");
    platform.sgx_components(1)[1] = {{"svn", 1}};
    platform.add_level("UpToDate");
    platform.sgx_components(2)[2] = {{"svn", 2}};
    EXPECT_EQ(platform.code(), ErrorCode::tcb_level_missing);
    EXPECT_EQ(platform.detail(),
              "platform: below every TCB level; for the nearest: pcesvn have 1, need 3");
}

// Out of date since the first of the days on which something newer was current.
TEST(tcb_evaluation, is_out_of_date_since_the_earliest_of_its_parts) {
    const auto since = [](const char* platform_day, const char* module_day) {
        TestPlatform platform;
        platform.level(0)["tcbStatus"] = "OutOfDate";
        auto& later = platform.add_level("UpToDate");
        later["tcb"].as_object()["pcesvn"] = 3;
        later["tcbDate"] = "2026-09-01T00:00:00Z";
        auto& current = platform.add_level("SWHardeningNeeded");
        current["tcb"].as_object()["pcesvn"] = 2;
        current["tcbDate"] = platform_day;
        auto module = TestPlatform::isv_level(6, "UpToDate");
        module["tcbDate"] = module_day;
        platform.use_module({module, TestPlatform::isv_level(3, "OutOfDate")}, 4);
        return platform.evaluation().out_of_date_since;
    };
    constexpr UnixSeconds january = 1767225600;
    EXPECT_EQ(since("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"), january);
    EXPECT_EQ(since("2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z"), january);
}

TEST(tcb_evaluation, a_module_is_judged_by_the_identity_of_its_version) {
    TestPlatform platform;
    platform.use_module(boost::json::array{TestPlatform::isv_level(3, "OutOfDate")}, 5);
    auto& identities = platform.tcb_info["tdxModuleIdentities"].as_array();
    identities.push_back(identities[0]);
    identities[1].as_object()["id"] = "TDX_03";
    identities[1].as_object()["tcbLevels"] =
        boost::json::array{TestPlatform::isv_level(5, "UpToDate")};
    EXPECT_EQ(platform.status(), TcbStatus::out_of_date);
    platform.report[1] = 3;
    EXPECT_EQ(platform.status(), TcbStatus::up_to_date);
    platform.report[1] = 2;
    EXPECT_EQ(platform.code(), ErrorCode::tdx_module_mismatch);
}

TEST(tcb_evaluation, reports_the_lower_evaluation_number) {
    TestPlatform platform;
    platform.tcb_info["tcbEvaluationDataNumber"] = 20;
    platform.qe_identity["tcbEvaluationDataNumber"] = 17;
    EXPECT_EQ(platform.evaluation().evaluation_number, 17u);
}

}  // namespace
}  // namespace teetee::attest
