// SPDX-License-Identifier: Apache-2.0
#include "attest/tcb_info.hpp"

#include <set>

#include <gtest/gtest.h>

#include "attest/limits.hpp"
#include "attest/test_platform.hpp"

namespace teetee::attest {
namespace {

using test::TestPlatform;
namespace json = boost::json;

// A document with everything in it that one may have.
json::object full_tcb_info() {
    TestPlatform platform;
    platform.use_module({TestPlatform::isv_level(6, "UpToDate")}, 6);
    platform.level(0)["advisoryIDs"] = json::array{"INTEL-SA-00001"};
    return platform.tcb_info;
}

json::object full_qe_identity() {
    return TestPlatform().qe_identity;
}

template <class Parse>
bool is_malformed(const json::value& document, Parse parse) {
    const auto parsed = parse(json::serialize(document));
    return !parsed && parsed.error().code == ErrorCode::collateral_malformed;
}

// Calls back with the document once for every value below it, changed in place.
template <class Each>
void for_each_value(json::value& value, json::value& document, const Each& each) {
    if (auto* object = value.if_object()) {
        for (auto& member : *object) {
            for_each_value(member.value(), document, each);
            each(member.value(), document, std::string(member.key()));
        }
    } else if (auto* array = value.if_array()) {
        for (auto& element : *array) {
            for_each_value(element, document, each);
            each(element, document, "element");
        }
    }
}

template <class Parse>
void expect_every_type_checked(const json::object& good, Parse parse) {
    ASSERT_FALSE(is_malformed(good, parse));
    json::value document = good;
    size_t count = 0;
    for_each_value(document, document,
                   [&](json::value& value, const json::value& whole, const std::string& key) {
                       // Nobody asks for these.
                       if (key == "category" || key == "type") return;
                       const json::value kept = value;
                       // Any word may be an advisory or a module's id.
                       const bool word = kept.is_string() && (key == "element" || key == "id");
                       for (const json::value& other :
                            {json::value(nullptr), json::value(-1), json::value(1.5),
                             json::value("zz"), json::value(json::object())}) {
                           if (word && other.is_string()) continue;
                           value = other;
                           EXPECT_TRUE(is_malformed(whole, parse))
                               << key << " as " << json::serialize(other);
                           ++count;
                       }
                       value = kept;
                   });
    EXPECT_GT(count, 50u);
}

template <class Parse>
void expect_every_key_needed(const json::object& good, Parse parse,
                             const std::set<std::string>& optional) {
    for (const auto& member : good) {
        const std::string key(member.key());
        json::object changed = good;
        changed.erase(key);
        EXPECT_EQ(is_malformed(changed, parse), !optional.contains(key)) << key;
    }
}

TEST(tcb_info, reads_what_stands_there) {
    const TcbInfo info = parse_tcb_info(json::serialize(full_tcb_info())).value();
    EXPECT_EQ(info.tee, TeeType::tdx);
    EXPECT_EQ(info.head.version, 3u);
    EXPECT_EQ(info.head.evaluation_number, 1u);
    EXPECT_EQ(info.head.validity.not_before, test::now - 24 * 3600);
    EXPECT_EQ(as_text(info.fmspc), "DEVTEE");
    ASSERT_EQ(info.levels.size(), 1u);
    EXPECT_EQ(info.levels[0].sgx_components[15], 1);
    EXPECT_EQ(info.levels[0].pcesvn, 1);
    EXPECT_EQ(info.levels[0].judgement.advisories, std::vector<std::string>{"INTEL-SA-00001"});
    ASSERT_EQ(info.module_identities.size(), 1u);
    EXPECT_EQ(info.module_identities[0].levels[0].isvsvn, 6);
}

TEST(tcb_info, checks_the_type_of_everything) {
    expect_every_type_checked(full_tcb_info(), parse_tcb_info);
    expect_every_type_checked(full_qe_identity(), parse_qe_identity);
}

TEST(tcb_info, needs_every_key) {
    expect_every_key_needed(full_tcb_info(), parse_tcb_info, {"tdxModuleIdentities"});
    expect_every_key_needed(full_qe_identity(), parse_qe_identity, {});
}

TEST(tcb_info, passes_over_keys_that_nobody_asks_for) {
    json::object info = full_tcb_info();
    info["future"] = {{"a", 1}};
    EXPECT_FALSE(is_malformed(info, parse_tcb_info));
}

TEST(tcb_info, rejects_other_kinds_versions_and_types) {
    const auto with = [](const char* key, const json::value& value) {
        json::object changed = full_tcb_info();
        changed[key] = value;
        return is_malformed(changed, parse_tcb_info);
    };
    EXPECT_TRUE(with("version", 1));
    EXPECT_TRUE(with("version", 4));
    EXPECT_TRUE(with("id", "tdx"));
    EXPECT_TRUE(with("tcbType", 1));
    EXPECT_TRUE(with("fmspc", "0011223344"));
    EXPECT_TRUE(with("fmspc", "0x1122334455"));
    EXPECT_TRUE(with("tcbEvaluationDataNumber", uint64_t{1} << 32));
    EXPECT_TRUE(with("tcbLevels", json::array()));
    EXPECT_FALSE(with("tdxModuleIdentities", json::array()));
    // TDX modules in TCB info for SGX.
    EXPECT_TRUE(with("id", "SGX"));
    json::object sgx = TestPlatform(3, TeeType::sgx).tcb_info;
    EXPECT_FALSE(is_malformed(sgx, parse_tcb_info));
    sgx["tdxModuleIdentities"] = json::array();
    EXPECT_TRUE(is_malformed(sgx, parse_tcb_info));
    json::object identity = full_qe_identity();
    identity["version"] = 1;
    EXPECT_TRUE(is_malformed(identity, parse_qe_identity));
    identity["version"] = 3;
    EXPECT_FALSE(is_malformed(identity, parse_qe_identity));
    identity["id"] = "QVE";
    EXPECT_TRUE(is_malformed(identity, parse_qe_identity));
}

TEST(tcb_info, rejects_statuses_that_such_levels_cannot_have) {
    TestPlatform platform;
    platform.use_module({TestPlatform::isv_level(6, "ConfigurationNeeded")}, 6);
    EXPECT_EQ(platform.code(), ErrorCode::collateral_malformed);
    for (const char* status : {"TDRelaunchAdvised", "TDRelaunchAdvisedConfigurationNeeded",
                               "Nonsense", "", "uptodate"}) {
        TestPlatform level;
        level.level(0)["tcbStatus"] = status;
        EXPECT_EQ(level.code(), ErrorCode::collateral_malformed) << status;
        TestPlatform qe;
        qe.qe_level(0)["tcbStatus"] = status;
        EXPECT_EQ(qe.code(), ErrorCode::collateral_malformed) << status;
    }
}

TEST(tcb_info, rejects_two_levels_alike_and_two_modules_alike) {
    TestPlatform platform;
    platform.add_level("Revoked");
    EXPECT_EQ(platform.code(), ErrorCode::collateral_malformed);
    TestPlatform qe;
    qe.qe_identity["tcbLevels"].as_array().push_back(qe.qe_level(0));
    EXPECT_EQ(qe.code(), ErrorCode::collateral_malformed);
    TestPlatform module;
    module.use_module({TestPlatform::isv_level(6, "UpToDate")}, 6);
    auto& identities = module.tcb_info["tdxModuleIdentities"].as_array();
    identities.push_back(identities[0]);
    identities.back().as_object()["id"] = "tdx_01";
    EXPECT_EQ(module.code(), ErrorCode::collateral_malformed);
}

TEST(tcb_info, components_are_sixteen) {
    for (const size_t count : {15u, 17u}) {
        TestPlatform platform;
        platform.sgx_components(0).resize(count, {{"svn", 0}});
        EXPECT_EQ(platform.code(), ErrorCode::collateral_malformed) << count;
    }
    TestPlatform large;
    large.sgx_components(0)[3] = {{"svn", 256}};
    EXPECT_EQ(large.code(), ErrorCode::collateral_malformed);
}

TEST(tcb_info, advisories_are_plain_words) {
    for (const std::string& id : {std::string(), std::string("a b"), std::string("a\n"),
                                  std::string("\x7f"), std::string(65, 'A')}) {
        TestPlatform platform;
        platform.level(0)["advisoryIDs"] = {id};
        EXPECT_EQ(platform.code(), ErrorCode::collateral_malformed) << id;
    }
    TestPlatform none;
    none.level(0)["advisoryIDs"] = json::array();
    EXPECT_EQ(none.status(), TcbStatus::up_to_date);
    TestPlatform many;
    many.level(0)["advisoryIDs"] = json::array(advisories_max + 1, "A");
    EXPECT_EQ(many.code(), ErrorCode::collateral_malformed);
}

TEST(tcb_info, rejects_keys_that_stand_twice_and_what_is_too_large) {
    std::string text = json::serialize(full_tcb_info());
    text.insert(text.size() - 1, R"(,"tcbLevels":[])");
    EXPECT_EQ(parse_tcb_info(text).error().code, ErrorCode::collateral_malformed);
    EXPECT_FALSE(parse_tcb_info(std::string(collateral_document_bytes_max + 1, ' ')));
    for (const char* other : {"[]", "{", "1"}) {
        EXPECT_EQ(parse_tcb_info(other).error().code, ErrorCode::collateral_malformed);
        EXPECT_EQ(parse_qe_identity(other).error().code, ErrorCode::collateral_malformed);
    }
    TestPlatform platform;
    json::array& levels = platform.tcb_info["tcbLevels"].as_array();
    for (size_t i = 0; i < tcb_levels_max; ++i) {
        levels.push_back(levels[0]);
        levels.back().as_object()["tcb"].as_object()["pcesvn"] = 2 + i;
    }
    EXPECT_EQ(platform.code(), ErrorCode::collateral_malformed);
    levels.pop_back();
    EXPECT_EQ(platform.status(), TcbStatus::up_to_date);
}

}  // namespace
}  // namespace teetee::attest
