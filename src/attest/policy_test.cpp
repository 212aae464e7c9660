// SPDX-License-Identifier: Apache-2.0
#include "attest/policy.hpp"

#include <gtest/gtest.h>

#include "attest/limits.hpp"
#include "attest/test_platform.hpp"
#include "base/strict_json.hpp"

namespace teetee::attest {
namespace {

const std::string hex_48(96, 'a');
const std::string minimal = R"({"roots":["intel"],"measurements":[{"mrtd":")" + hex_48 + R"("}]})";

ErrorCode code_of(const std::string& json) {
    return parse_policy(json).error().code;
}

VerifiedQuote quote_of(const DevMeasurements& claimed) {
    const Bytes quote = test::make_tee(claimed).quote({}).value();
    return verify_quote(quote, test::make_policy().roots, test::now).value();
}

TdReport& td(VerifiedQuote& quote) {
    return std::get<TdReport>(quote.report);
}

TEST(policy, parses_with_safe_defaults) {
    const auto policy = parse_policy(minimal).value();
    EXPECT_TRUE(policy.roots.contains(intel_root_fingerprint));
    EXPECT_FALSE(policy.allow_simulated);
    EXPECT_FALSE(policy.allow_debug);
    EXPECT_TRUE(policy.require_sept_ve_disable);
    ASSERT_EQ(policy.measurements.size(), 1u);
    EXPECT_EQ(to_hex(*policy.measurements[0].mrtd), hex_48);
    EXPECT_FALSE(policy.measurements[0].rtmr[3]);
}

TEST(policy, defaults_accept_only_what_is_up_to_date) {
    const auto policy = parse_policy(minimal).value();
    EXPECT_TRUE(policy.require_collateral);
    EXPECT_EQ(policy.accepted_statuses, std::vector<TcbStatus>{TcbStatus::up_to_date});
    EXPECT_EQ(policy.grace_days, 0u);
    EXPECT_FALSE(policy.accepted_advisories);
    EXPECT_FALSE(policy.collateral_age_s_max);
    EXPECT_EQ(policy.tcb_evaluation_number_min, 0u);
    EXPECT_TRUE(policy.ppids.empty() && policy.mrseams.empty() && policy.mrservicetds.empty());
}

Policy full_policy() {
    Policy policy = test::make_policy();
    policy.roots.add_intel();
    policy.allow_debug = true;
    policy.require_sept_ve_disable = false;
    policy.accepted_statuses = {TcbStatus::up_to_date, TcbStatus::td_relaunch_advised};
    policy.grace_days = 14;
    policy.accepted_advisories = {{"INTEL-SA-00001"}};
    policy.collateral_age_s_max = 7 * 24 * 3600;
    policy.tcb_evaluation_number_min = 17;
    policy.ppids = {ByteArray<16>{1}};
    policy.mrseams = {Measurement{2}};
    policy.mrservicetds = {Measurement{3}};
    policy.measurements.push_back({.mrtd = std::nullopt, .rtmr = {}, .mrconfigid = Measurement{}});
    return policy;
}

TEST(policy, encoding_round_trip) {
    const Policy policy = full_policy();
    const std::string encoded = encode_policy(policy);
    const auto parsed = parse_policy(encoded).value();
    EXPECT_EQ(parsed.measurements, policy.measurements);
    EXPECT_TRUE(parsed.allow_simulated);
    EXPECT_TRUE(parsed.allow_debug);
    EXPECT_FALSE(parsed.require_sept_ve_disable);
    EXPECT_FALSE(parsed.require_collateral);
    EXPECT_EQ(parsed.accepted_statuses, policy.accepted_statuses);
    EXPECT_EQ(parsed.grace_days, policy.grace_days);
    EXPECT_EQ(parsed.accepted_advisories, policy.accepted_advisories);
    EXPECT_EQ(parsed.collateral_age_s_max, policy.collateral_age_s_max);
    EXPECT_EQ(parsed.tcb_evaluation_number_min, policy.tcb_evaluation_number_min);
    EXPECT_EQ(parsed.ppids, policy.ppids);
    EXPECT_EQ(parsed.mrseams, policy.mrseams);
    EXPECT_EQ(parsed.mrservicetds, policy.mrservicetds);
    EXPECT_EQ(encode_policy(parsed), encoded);
    EXPECT_EQ(parsed.roots.roots().size(), 2u);
    EXPECT_EQ(parsed.roots.roots()[0].fingerprint, policy.roots.roots()[0].fingerprint);
    EXPECT_EQ(encode_policy(parse_policy(minimal).value()),
              encode_policy(parse_policy(encode_policy(parse_policy(minimal).value())).value()));
}

TEST(policy, rejects_wrong_values_of_every_rule) {
    const auto with = [](const std::string& key, const std::string& value) {
        return R"({"roots":["intel"],"measurements":[{"mrtd":")" + hex_48 + R"("}],")" + key +
               "\":" + value + "}";
    };
    const std::pair<const char*, std::vector<std::string>> wrong[] = {
        {"require_collateral", {"1", "null"}},
        {"accepted_statuses",
         {"[]", "{}", "[1]", R"(["Revoked"])", R"(["uptodate"])", R"("UpToDate")"}},
        {"grace_days", {"-1", "367", "1.5", R"("7")"}},
        {"accepted_advisories", {"[1]", "{}"}},
        {"collateral_age_s_max", {"-1", "4294967296", "[]"}},
        {"tcb_evaluation_number_min", {"-1", "4294967296"}},
        {"ppids", {"[]", "[1]", R"(["aa"])", R"(["zz"])"}},
        {"mrseams", {"[]", R"(["aa"])"}},
        {"mrservicetds", {"[]", R"(["aa"])"}},
    };
    for (const auto& [key, values] : wrong) {
        for (const std::string& value : values) {
            EXPECT_EQ(code_of(with(key, value)), ErrorCode::policy_malformed) << key << value;
        }
    }
    EXPECT_TRUE(parse_policy(with("accepted_advisories", "[]")));
    EXPECT_TRUE(parse_policy(with("grace_days", "366")));
}

TEST(policy, rejects_unknown_repeated_and_missing_keys) {
    const std::string measurements = R"("measurements":[{"mrtd":")" + hex_48 + R"("}])";
    EXPECT_EQ(code_of("{" + measurements + "}"), ErrorCode::policy_malformed);
    EXPECT_EQ(code_of(R"({"roots":["intel"]})"), ErrorCode::policy_malformed);
    EXPECT_EQ(code_of(R"({"roots":["intel"],"extra":1,)" + measurements + "}"),
              ErrorCode::policy_malformed);
    EXPECT_EQ(code_of(R"({"roots":["intel"],"roots":["intel"],)" + measurements + "}"),
              ErrorCode::policy_malformed);
    EXPECT_EQ(code_of(R"({"roots":["intel"],"measurements":[{"mrtd":")" + hex_48 + R"(","mrtd":")" +
                      hex_48 + R"("}]})"),
              ErrorCode::policy_malformed);
    EXPECT_EQ(code_of(R"({"roots":["intel"],"measurements":[{"rtmr4":")" + hex_48 + R"("}]})"),
              ErrorCode::policy_malformed);
}

TEST(policy, rejects_a_repeated_key_behind_an_escape) {
    EXPECT_EQ(code_of(R"({"roots":["intel"],"r\u006fots":["intel"],"measurements":[{"mrtd":")" +
                      hex_48 + R"("}]})"),
              ErrorCode::policy_malformed);
}

TEST(policy, rejects_wrong_types_and_values) {
    const auto with = [](const std::string& member) {
        return R"({"roots":["intel"],"measurements":[{"mrtd":")" + hex_48 + R"("}],)" + member +
               "}";
    };
    EXPECT_EQ(code_of(with(R"("allow_debug":1)")), ErrorCode::policy_malformed);
    EXPECT_EQ(code_of(with(R"("allow_simulated":"true")")), ErrorCode::policy_malformed);
    EXPECT_EQ(code_of(with(R"("require_sept_ve_disable":null)")), ErrorCode::policy_malformed);
    const auto body = [](const std::string& roots, const std::string& measurements) {
        return R"({"roots":)" + roots + R"(,"measurements":)" + measurements + "}";
    };
    const std::string good = R"([{"mrtd":")" + hex_48 + R"("}])";
    EXPECT_TRUE(parse_policy(body(R"(["intel"])", good)));
    for (const char* roots : {R"("intel")", "[]", "[1]", R"(["Intel"])", R"([""])", "{}"}) {
        EXPECT_EQ(code_of(body(roots, good)), ErrorCode::policy_malformed) << roots;
    }
    for (const char* measurements : {"[]", "{}", "[{}]", "[1]", R"([{"mrtd":1}])",
                                     R"([{"mrtd":"aa"}])", R"([{"mrtd":"zz"}])"}) {
        EXPECT_EQ(code_of(body(R"(["intel"])", measurements)), ErrorCode::policy_malformed)
            << measurements;
    }
    for (const char* text : {"", "[]", "null", "{", "{}x", "{\"roots\":[\"intel\"],}", "// {}"}) {
        EXPECT_EQ(code_of(text), ErrorCode::policy_malformed) << text;
    }
}

TEST(policy, rejects_what_is_too_large_or_too_deep) {
    EXPECT_EQ(code_of(minimal + std::string(policy_bytes_max, ' ')), ErrorCode::policy_malformed);
    EXPECT_EQ(code_of(std::string(100, '[') + std::string(100, ']')), ErrorCode::policy_malformed);
}

TEST(policy, accepts_the_measured_td) {
    EXPECT_TRUE(check_policy(quote_of(test::measurements()), test::make_policy(), test::now));
}

TEST(policy, rejects_a_simulated_quote_unless_allowed) {
    Policy policy = test::make_policy();
    policy.allow_simulated = false;
    EXPECT_EQ(check_policy(quote_of(test::measurements()), policy, test::now).error().code,
              ErrorCode::simulated_rejected);
}

TEST(policy, rejects_each_other_register) {
    std::vector<DevMeasurements> wrong(6, test::measurements());
    wrong[0].mrtd[0] = 0;
    for (size_t i = 0; i < 4; ++i) wrong[1 + i].rtmr[i][47] = 0;
    wrong[5].mrconfigid[5] = 0;
    const char* names[] = {"mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3", "mrconfigid"};
    for (size_t i = 0; i < wrong.size(); ++i) {
        const auto checked = check_policy(quote_of(wrong[i]), test::make_policy(), test::now);
        EXPECT_EQ(checked.error().code, ErrorCode::measurement_rejected);
        EXPECT_TRUE(checked.error().detail.starts_with(names[i])) << checked.error().detail;
    }
}

TEST(policy, accepts_any_of_several_entries_and_ignores_registers_not_named) {
    Policy policy = test::make_policy();
    const VerifiedQuote quote = quote_of(test::measurements());
    policy.measurements = {{.mrtd = Measurement{}, .rtmr = {}, .mrconfigid = {}},
                           {.mrtd = test::measurements().mrtd, .rtmr = {}, .mrconfigid = {}}};
    EXPECT_TRUE(check_policy(quote, policy, test::now));
    policy.measurements[1].mrtd = Measurement{1};
    EXPECT_TRUE(check_policy(quote, policy, test::now)
                    .error()
                    .detail.ends_with(std::string(96, '0') + " or another of 2 entries"));
    policy.measurements.pop_back();
    EXPECT_EQ(check_policy(quote, policy, test::now).error().code, ErrorCode::measurement_rejected);
    policy.measurements.clear();
    EXPECT_EQ(check_policy(quote, policy, test::now).error().code, ErrorCode::measurement_rejected);
}

TEST(policy, rejects_debug_unless_allowed) {
    DevMeasurements claimed = test::measurements();
    claimed.tdattributes |= td_attribute_debug;
    Policy policy = test::make_policy();
    EXPECT_EQ(check_policy(quote_of(claimed), policy, test::now).error().code,
              ErrorCode::attributes_rejected);
    policy.allow_debug = true;
    EXPECT_TRUE(check_policy(quote_of(claimed), policy, test::now));
}

TEST(policy, rejects_reserved_attribute_bits_even_with_debug_allowed) {
    Policy policy = test::make_policy();
    policy.allow_debug = true;
    for (unsigned bit = 1; bit <= 7; ++bit) {
        DevMeasurements claimed = test::measurements();
        claimed.tdattributes |= uint64_t{1} << bit;
        EXPECT_EQ(check_policy(quote_of(claimed), policy, test::now).error().code,
                  ErrorCode::attributes_rejected);
    }
}

TEST(policy, needs_sept_ve_disable_unless_waived) {
    DevMeasurements claimed = test::measurements();
    claimed.tdattributes = 0;
    Policy policy = test::make_policy();
    EXPECT_EQ(check_policy(quote_of(claimed), policy, test::now).error().code,
              ErrorCode::attributes_rejected);
    policy.require_sept_ve_disable = false;
    EXPECT_TRUE(check_policy(quote_of(claimed), policy, test::now));
}

// A platform with what a test changes, judged with its collateral.
struct Judged {
    test::TestPlatform platform{5};
    Policy policy = [] {
        Policy made = test::make_policy();
        made.require_collateral = true;
        made.measurements = {{.mrtd = Measurement{}, .rtmr = {}, .mrconfigid = {}}};
        return made;
    }();
    UnixSeconds now = test::now;

    Verdict verdict() const {
        const auto collateral =
            verify_collateral(platform.collateral(), platform.roots(), now).value();
        const Bytes quote = platform.quote();
        return verify({.quote = quote, .collateral = &collateral}, policy, now);
    }
    ErrorCode code() const {
        const Verdict one = verdict();
        return one.error ? one.error->code : ErrorCode{};
    }
    std::string detail() const { return verdict().error.value().detail; }
};

TEST(policy, needs_collateral_unless_simulated_quotes_may_do_without) {
    EXPECT_EQ(Judged().code(), ErrorCode{});
    Policy policy = test::make_policy();
    policy.require_collateral = true;
    const VerifiedQuote quote = quote_of(test::measurements());
    EXPECT_EQ(check_policy(quote, policy, test::now).error().code, ErrorCode::collateral_missing);
    policy.require_collateral = false;
    EXPECT_TRUE(check_policy(quote, policy, test::now));
    VerifiedQuote real = quote;
    real.simulated = false;
    EXPECT_EQ(check_policy(real, policy, test::now).error().code, ErrorCode::collateral_missing);
    EXPECT_EQ(check_without_policy(quote).error().code, ErrorCode::collateral_missing);
}

TEST(policy, without_collateral_the_quoting_enclave_must_be_intels) {
    const VerifiedQuote good = quote_of(test::measurements());
    const auto code = [&](auto change) {
        VerifiedQuote quote = good;
        change(quote.qe_report);
        return check_policy(quote, test::make_policy(), test::now).error().code;
    };
    EXPECT_EQ(code([](SgxReport& qe) { qe.mrsigner[0] = 0; }), ErrorCode::qe_report_invalid);
    EXPECT_EQ(code([](SgxReport& qe) { qe.isvprodid = 1; }), ErrorCode::qe_report_invalid);
    EXPECT_EQ(code([](SgxReport& qe) { qe.attributes[0] = 2; }), ErrorCode::qe_report_invalid);
}

TEST(policy, accepts_the_statuses_that_it_names_and_never_revoked) {
    for (const TcbStatus status : every_tcb_status) {
        if (to_string(status).starts_with("TDRelaunch")) continue;
        Judged judged;
        judged.platform.level(0)["tcbStatus"] = to_string(status);
        EXPECT_EQ(judged.code(),
                  status == TcbStatus::up_to_date ? ErrorCode{} : ErrorCode::tcb_status_rejected)
            << to_string(status);
        judged.policy.accepted_statuses = {status};
        EXPECT_EQ(judged.code(),
                  status == TcbStatus::revoked ? ErrorCode::tcb_status_rejected : ErrorCode{})
            << to_string(status);
        // The status is reported also where it is refused.
        EXPECT_EQ(judged.verdict().quote->tcb->status, status);
    }
}

// Since 2026-01-01 a PCESVN of 2 is needed to be current.
Judged outdated() {
    Judged judged;
    judged.platform.level(0)["tcbStatus"] = "OutOfDate";
    auto& current = judged.platform.add_level("UpToDate");
    current["tcb"].as_object()["pcesvn"] = 2;
    current["tcbDate"] = "2026-01-01T00:00:00Z";
    return judged;
}

TEST(policy, an_outdated_platform_has_its_days_of_grace) {
    constexpr UnixSeconds since = 1767225600;
    constexpr UnixSeconds day_s = 24 * 3600;
    Judged judged = outdated();
    EXPECT_EQ(judged.detail(), "TCB status: have OutOfDate, need UpToDate; pcesvn have 1, need 2");
    // test::now is a year and a few days later.
    const auto days = static_cast<uint32_t>((test::now - since) / day_s);
    judged.policy.grace_days = days + 1;
    EXPECT_EQ(judged.code(), ErrorCode{});
    judged.policy.grace_days = days - 1;
    EXPECT_EQ(judged.code(), ErrorCode::tcb_status_rejected);
    EXPECT_NE(judged.detail().find("it is since 2026-01-01"), std::string::npos) << judged.detail();
    judged.policy.grace_days = days + 1;
    judged.platform.level(0)["tcbStatus"] = "OutOfDateConfigurationNeeded";
    EXPECT_EQ(judged.code(), ErrorCode::tcb_status_rejected);
    judged.policy.accepted_statuses.push_back(TcbStatus::configuration_needed);
    EXPECT_EQ(judged.code(), ErrorCode{});
    judged.platform.level(0)["tcbStatus"] = "Revoked";
    EXPECT_EQ(judged.code(), ErrorCode::tcb_status_rejected);
}

TEST(policy, grace_for_a_component_forgives_the_platform_nothing) {
    Judged judged;
    judged.policy.grace_days = 366 * 2;
    judged.platform.qe_identity["tcbLevels"] = {test::TestPlatform::isv_level(0, "OutOfDate"),
                                                test::TestPlatform::isv_level(1, "UpToDate")};
    EXPECT_EQ(judged.code(), ErrorCode{});
    judged.platform.level(0)["tcbStatus"] = "SWHardeningNeeded";
    EXPECT_EQ(judged.verdict().quote->tcb->status, TcbStatus::out_of_date);
    EXPECT_EQ(judged.code(), ErrorCode::tcb_status_rejected);
}

TEST(policy, grace_covers_a_relaunch_that_is_advised) {
    Judged judged;
    judged.platform.use_module({test::TestPlatform::isv_level(6, "UpToDate"),
                                test::TestPlatform::isv_level(3, "OutOfDate")},
                               4);
    judged.platform.report[584] = 6;
    judged.platform.report[585] = 1;
    EXPECT_EQ(judged.code(), ErrorCode::tcb_status_rejected);
    judged.policy.grace_days = 366 * 2;
    EXPECT_EQ(judged.code(), ErrorCode{});
    judged.platform.level(0)["tcbStatus"] = "ConfigurationNeeded";
    EXPECT_EQ(judged.code(), ErrorCode::tcb_status_rejected);
    judged.policy.accepted_statuses = {TcbStatus::configuration_needed};
    EXPECT_EQ(judged.code(), ErrorCode{});
}

TEST(policy, refuses_advisories_beyond_its_list) {
    Judged judged;
    judged.platform.level(0)["advisoryIDs"] = {"INTEL-SA-1", "INTEL-SA-2"};
    EXPECT_EQ(judged.code(), ErrorCode{});
    judged.policy.accepted_advisories = {{"INTEL-SA-1"}};
    EXPECT_EQ(judged.code(), ErrorCode::advisory_rejected);
    judged.policy.accepted_advisories->push_back("INTEL-SA-2");
    EXPECT_EQ(judged.code(), ErrorCode{});
    judged.policy.accepted_advisories->clear();
    EXPECT_EQ(judged.code(), ErrorCode::advisory_rejected);
}

TEST(policy, refuses_old_collateral) {
    Judged judged;
    judged.policy.collateral_age_s_max = 24 * 3600;
    EXPECT_EQ(judged.code(), ErrorCode{});
    judged.policy.collateral_age_s_max = 24 * 3600 - 1;
    EXPECT_EQ(judged.code(), ErrorCode::collateral_too_old);
    Judged number;
    number.platform.tcb_info["tcbEvaluationDataNumber"] = 20;
    number.platform.qe_identity["tcbEvaluationDataNumber"] = 17;
    number.policy.tcb_evaluation_number_min = 17;
    EXPECT_EQ(number.code(), ErrorCode{});
    number.policy.tcb_evaluation_number_min = 18;
    EXPECT_EQ(number.code(), ErrorCode::collateral_too_old);
}

TEST(policy, refuses_hardware_and_modules_beyond_its_lists) {
    Judged judged;
    judged.policy.ppids = {ByteArray<16>{1}};
    EXPECT_EQ(judged.code(), ErrorCode::platform_rejected);
    judged.policy.ppids.push_back(judged.verdict().quote->pck.platform.ppid);
    EXPECT_EQ(judged.code(), ErrorCode{});
    judged.policy.mrseams = {Measurement{1}};
    EXPECT_EQ(judged.code(), ErrorCode::tdx_module_rejected);
    judged.policy.mrseams.push_back(Measurement{});
    EXPECT_EQ(judged.code(), ErrorCode{});
}

TEST(policy, refuses_service_tds_beyond_its_list_and_migration_without_one) {
    Judged judged;
    judged.platform.report[600] = 9;
    EXPECT_EQ(judged.code(), ErrorCode::attributes_rejected);
    judged.policy.mrservicetds = {Measurement{1}};
    EXPECT_EQ(judged.code(), ErrorCode::attributes_rejected);
    judged.policy.mrservicetds.push_back(Measurement{9});
    EXPECT_EQ(judged.code(), ErrorCode{});
    judged.platform.report[123] |= 0x20;  // MIGRATABLE
    EXPECT_EQ(judged.code(), ErrorCode{});
    judged.platform.report[600] = 0;
    EXPECT_EQ(judged.code(), ErrorCode::attributes_rejected);
}

TEST(policy, refuses_sgx_quotes) {
    Judged judged;
    judged.platform = test::TestPlatform(3, TeeType::sgx);
    EXPECT_EQ(judged.code(), ErrorCode::attributes_rejected);
}

TEST(policy, lists_every_check_for_those_who_ask) {
    const Judged judged;
    const auto collateral =
        verify_collateral(judged.platform.collateral(), judged.platform.roots(), test::now).value();
    const Bytes quote = judged.platform.quote();
    Checks checks;
    ASSERT_TRUE(
        verify({.quote = quote, .collateral = &collateral}, judged.policy, test::now, &checks)
            .accepted());
    std::vector<std::string> names;
    for (const Check& check : checks) {
        names.push_back(check.name);
        EXPECT_FALSE(check.finding.empty()) << check.name;
    }
    EXPECT_EQ(names, (std::vector<std::string>{
                         "quote format", "PCK chain", "QE report", "quote signature",
                         "collateral in date", "not revoked", "quoting enclave", "TCB status",
                         "hardware", "TCB policy", "platform and attributes", "measurements"}));
    VerifiedQuote real = *judged.verdict().quote;
    real.simulated = false;
    Checks of_real;
    ASSERT_TRUE(check_policy(real, judged.policy, test::now, &of_real));
    EXPECT_EQ(of_real[0].finding, "Intel's root");
    // Without collateral it says so.
    Checks without;
    Policy lenient = judged.policy;
    lenient.require_collateral = false;
    ASSERT_TRUE(verify({.quote = quote}, lenient, test::now, &without).accepted());
    EXPECT_NE(without[5].finding.find("NOT CHECKED"), std::string::npos) << without[5].finding;
}

TEST(policy, tells_the_status_of_each_component) {
    test::TestPlatform platform;
    platform.use_module({test::TestPlatform::isv_level(6, "UpToDate"),
                         test::TestPlatform::isv_level(3, "OutOfDate")},
                        4);
    const auto collateral =
        verify_collateral(platform.collateral(), platform.roots(), test::now).value();
    const Bytes quote = platform.quote();
    Checks checks;
    verify({.quote = quote, .collateral = &collateral}, platform.roots(), test::now, &checks);
    EXPECT_EQ(checks.back().name, "TCB status");
    EXPECT_EQ(checks.back().finding,
              "platform UpToDate (2024-01-01), TDX module OutOfDate, quoting enclave UpToDate; "
              "together OutOfDate");
}

TEST(policy, rejects_a_foreign_tdx_module_and_service_tds) {
    const auto rejected = [](VerifiedQuote quote) {
        return check_policy(quote, test::make_policy(), test::now).error().code;
    };
    VerifiedQuote quote = quote_of(test::measurements());
    td(quote).seamattributes = 1;
    EXPECT_EQ(rejected(quote), ErrorCode::attributes_rejected);
    quote = quote_of(test::measurements());
    td(quote).mrsignerseam[0] = 1;
    EXPECT_EQ(rejected(quote), ErrorCode::attributes_rejected);
    quote = quote_of(test::measurements());
    td(quote).since_15.emplace();
    td(quote).since_15->mrservicetd[0] = 1;
    EXPECT_EQ(rejected(quote), ErrorCode::attributes_rejected);
}

TEST(strict_json, finds_repeated_keys_at_any_depth_and_only_those) {
    const JsonLimits limits{.bytes_max = 1000, .depth_max = 4};
    EXPECT_TRUE(parse_strict_json(R"({"a":{"b":1},"c":[{"b":1},{"b":2}]})", limits));
    EXPECT_EQ(parse_strict_json(R"([{"a":{"b":1,"c":2,"b":3}}])", limits).error().code,
              ErrorCode::invalid_json);
    EXPECT_EQ(parse_strict_json("[[[[[1]]]]]", limits).error().code, ErrorCode::invalid_json);
    EXPECT_EQ(parse_strict_json("\"\xff\"", limits).error().code, ErrorCode::invalid_json);
    EXPECT_EQ(parse_strict_json(std::string(1001, ' '), limits).error().code,
              ErrorCode::limit_exceeded);
}

}  // namespace
}  // namespace teetee::attest
