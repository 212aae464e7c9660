// SPDX-License-Identifier: Apache-2.0
#include "attest/policy.hpp"

#include <gtest/gtest.h>

#include "attest/dev_node.hpp"
#include "attest/limits.hpp"
#include "attest/strict_json.hpp"

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

TEST(policy, encoding_round_trip) {
    Policy policy = test::make_policy();
    policy.roots.add_intel();
    policy.allow_debug = true;
    policy.require_sept_ve_disable = false;
    policy.measurements.push_back({.mrtd = std::nullopt, .rtmr = {}, .mrconfigid = Measurement{}});
    const std::string encoded = encode_policy(policy);
    const auto parsed = parse_policy(encoded).value();
    EXPECT_EQ(parsed.measurements, policy.measurements);
    EXPECT_TRUE(parsed.allow_simulated);
    EXPECT_TRUE(parsed.allow_debug);
    EXPECT_FALSE(parsed.require_sept_ve_disable);
    EXPECT_EQ(encode_policy(parsed), encoded);
    EXPECT_EQ(parsed.roots.roots().size(), 2u);
    EXPECT_EQ(parsed.roots.roots()[0].fingerprint, policy.roots.roots()[0].fingerprint);
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
