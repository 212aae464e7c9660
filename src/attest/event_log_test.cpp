// SPDX-License-Identifier: Apache-2.0
#include "attest/event_log.hpp"

#include <functional>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "attest/limits.hpp"
#include "crypto/hash.hpp"

namespace teetee::attest {
namespace {

namespace json = boost::json;

constexpr uint32_t runtime_type = 0x08000001;

json::object boot_event(size_t rtmr, const std::string& digest) {
    return {
        {"imr", rtmr}, {"event_type", 4}, {"digest", digest}, {"event", ""}, {"event_payload", ""}};
}

json::object runtime_event(const std::string& name, const std::string& payload_hex) {
    return {{"imr", 3},
            {"event_type", runtime_type},
            {"digest", ""},
            {"event", name},
            {"event_payload", payload_hex}};
}

const std::string app_id(40, 'a');
const std::string compose_hash(64, 'c');
const std::string instance_id(40, '1');
const std::string os_image_hash(64, '0');
// {"name":"kms","id":"01"}
const std::string key_provider = to_hex(as_bytes(R"({"name":"kms","id":"01"})"));

json::array usual_log() {
    return {boot_event(0, std::string(96, '1')),
            boot_event(1, std::string(96, '2')),
            boot_event(2, std::string(96, '3')),
            boot_event(0, std::string(96, '4')),
            runtime_event("system-preparing", ""),
            runtime_event("app-id", app_id),
            runtime_event("compose-hash", compose_hash),
            runtime_event("instance-id", instance_id),
            runtime_event("os-image-hash", os_image_hash),
            runtime_event("key-provider", key_provider),
            runtime_event("system-ready", ""),
            runtime_event("my event", "00ff")};
}

constexpr size_t compose_at = 6;

Result<ReplayedLog> replay(const json::array& log) {
    return replay_event_log(json::serialize(log));
}

TdReport report_of(const ReplayedLog& log) {
    TdReport report;
    report.rtmr = log.rtmr;
    return report;
}

/// The usual log with a change, against the quote of the unchanged one.
Error refusal(const std::function<void(json::array&)>& change) {
    json::array log = usual_log();
    const TdReport report = report_of(replay(log).value());
    change(log);
    const auto replayed = replay(log);
    if (!replayed) return replayed.error();
    const auto checked = check_rtmrs(replayed->rtmr, report);
    return checked ? fail(ErrorCode::internal, "accepted") : checked.error();
}

TEST(event_log, replays_registers_and_names_the_app) {
    const auto log = replay(usual_log()).value();
    EXPECT_EQ(log.event_count, 12u);
    Measurement digest;
    digest.fill(0x22);
    Measurement rtmr1{};
    extend_rtmr(rtmr1, digest);
    EXPECT_EQ(log.rtmr[1], rtmr1);
    EXPECT_EQ(to_hex(*log.app.app_id), app_id);
    EXPECT_EQ(to_hex(*log.app.compose_hash), compose_hash);
    EXPECT_EQ(to_hex(*log.app.instance_id), instance_id);
    EXPECT_EQ(to_hex(*log.app.os_image_hash), os_image_hash);
    EXPECT_EQ(log.app.key_provider->name, "kms");
    EXPECT_EQ(log.app.key_provider->id, "01");
    EXPECT_TRUE(log.app.system_ready);
    EXPECT_TRUE(check_rtmrs(log.rtmr, report_of(log)));
}

// Numbers computed with Python's hashlib, from a real event (app-id of a dstack app).
TEST(event_log, computes_the_digests_of_both_versions) {
    const std::string payload = "2911e1f733466216dedb862d6d669e11256ee7a3";
    json::object v1 = runtime_event("app-id", payload);
    v1["digest"] =
        "b1973088d6103fcf15809c6fd26bb0d7ae94e4bbdddc3ce8"
        "33b597cecf792b2208f167f672fdbb03a065c05b97e3a4b4";
    EXPECT_TRUE(replay({v1})) << replay({v1}).error().message();
    json::object v2 = runtime_event("app-id", payload);
    v2["version"] = 2;
    v2["digest"] =
        "004a2da1f13a4d685cd5a3b724beaa396828cd7d6728f750"
        "6ae6e810840f22fe63cc96a38962567016db9e6bd07c6077";
    EXPECT_TRUE(replay({v2})) << replay({v2}).error().message();
    v2["preimage"] =
        to_hex(as_bytes(R"({"name":"app-id","payload":")" + payload + R"(","type":134217729})"));
    EXPECT_TRUE(replay({v2})) << replay({v2}).error().message();
    v2["preimage"] = "00";
    EXPECT_EQ(replay({v2}).error().code, ErrorCode::event_log_mismatch);
    v1["version"] = 2;
    EXPECT_EQ(replay({v1}).error().code, ErrorCode::event_log_mismatch);
}

// RFC 8785 section 3.2.2.2.
TEST(event_log, writes_names_of_version_2_as_jcs) {
    json::object event = runtime_event("a\"\\\n\x01/\xc3\xa9", "ab");
    event["version"] = 2;
    event["preimage"] =
        to_hex(as_bytes("{\"name\":\"a\\\"\\\\\\n\\u0001/\xc3\xa9\",\"payload\":"
                        "\"ab\",\"type\":134217729}"));
    EXPECT_TRUE(replay({event})) << replay({event}).error().message();
}

TEST(event_log, rejects_a_changed_payload) {
    const auto change = [](json::array& log) {
        log[compose_at].at("event_payload") = std::string(64, 'd');
    };
    const Error error = refusal(change);
    EXPECT_EQ(error.code, ErrorCode::event_log_mismatch);
    EXPECT_NE(error.detail.find("RTMR3 of the log: have "), std::string::npos);
}

// The digest still leads to the quote's register; only the payload that it stands for is another.
TEST(event_log, rejects_a_changed_payload_under_the_old_digest) {
    json::array log = usual_log();
    const Bytes payload = from_hex(compose_hash).value();
    ByteWriter preimage;
    preimage.u32(runtime_type);
    preimage.bytes(as_bytes(":compose-hash:"));
    preimage.bytes(payload);
    const Measurement digest = crypto::sha384(preimage.view());
    log[compose_at].at("digest") = to_hex(digest);
    ASSERT_TRUE(replay(log)) << replay(log).error().message();
    log[compose_at].at("event_payload") = std::string(64, 'd');
    const auto replayed = replay(log);
    EXPECT_EQ(replayed.error().code, ErrorCode::event_log_mismatch);
    EXPECT_NE(replayed.error().detail.find("event 6: digest: have " + to_hex(digest) + ", need "),
              std::string::npos)
        << replayed.error().detail;
}

TEST(event_log, rejects_a_changed_name) {
    EXPECT_EQ(refusal([](json::array& log) { log[5].at("event") = "app-ie"; }).code,
              ErrorCode::event_log_mismatch);
}

TEST(event_log, rejects_reordered_events) {
    EXPECT_EQ(refusal([](json::array& log) { std::swap(log[5], log[6]); }).code,
              ErrorCode::event_log_mismatch);
    EXPECT_EQ(refusal([](json::array& log) { std::swap(log[0], log[3]); }).code,
              ErrorCode::event_log_mismatch);
}

TEST(event_log, rejects_a_dropped_event) {
    for (size_t at = 0; at < usual_log().size(); ++at) {
        const auto change = [at](json::array& log) {
            log.erase(log.begin() + static_cast<std::ptrdiff_t>(at));
        };
        EXPECT_EQ(refusal(change).code, ErrorCode::event_log_mismatch) << at;
    }
}

TEST(event_log, rejects_an_added_event) {
    EXPECT_EQ(refusal([](json::array& log) { log.push_back(runtime_event("more", "")); }).code,
              ErrorCode::event_log_mismatch);
}

TEST(event_log, rejects_another_register) {
    EXPECT_EQ(refusal([](json::array& log) { log[0].at("imr") = 1; }).code,
              ErrorCode::event_log_mismatch);
    const Error runtime = refusal([](json::array& log) { log[compose_at].at("imr") = 2; });
    EXPECT_EQ(runtime.code, ErrorCode::event_log_malformed);
    EXPECT_EQ(runtime.detail, "event 6: imr of a runtime event: have 2, need 3");
}

// An opaque digest in its place would take "system-ready" out of sight, and let the app's own
// events pass for the guest's.
TEST(event_log, rejects_a_hidden_runtime_event) {
    ByteWriter preimage;
    preimage.u32(runtime_type);
    preimage.bytes(as_bytes(":system-ready:"));
    const Error error = refusal([&](json::array& log) {
        log[10] = boot_event(3, to_hex(crypto::sha384(preimage.view())));
    });
    EXPECT_EQ(error.code, ErrorCode::event_log_malformed);
    EXPECT_EQ(error.detail, "event 10: event_type in RTMR3: have 4, need 134217729");
}

TEST(event_log, takes_no_identity_from_the_app_itself) {
    json::array log = usual_log();
    log.push_back(runtime_event("compose-hash", std::string(64, 'e')));
    log.push_back(runtime_event("app-id", "00"));
    const auto replayed = replay(log).value();
    EXPECT_EQ(to_hex(*replayed.app.compose_hash), compose_hash);
    EXPECT_EQ(to_hex(*replayed.app.app_id), app_id);
}

TEST(event_log, an_app_may_have_no_instance_id) {
    const auto log = replay({runtime_event("instance-id", "")}).value();
    EXPECT_FALSE(log.app.instance_id);
    EXPECT_FALSE(log.app.system_ready);
}

TEST(event_log, rejects_an_identity_told_twice) {
    for (const char* name : {"app-id", "compose-hash", "instance-id", "key-provider"}) {
        json::array log = usual_log();
        const auto again = *std::find_if(log.begin(), log.end(), [name](const json::value& event) {
            return event.at("event").as_string() == name;
        });
        log.insert(log.begin() + 4, again);
        const auto replayed = replay(log);
        ASSERT_FALSE(replayed) << name;
        EXPECT_NE(replayed.error().detail.find(std::string(name) + ": have two, need one"),
                  std::string::npos)
            << replayed.error().detail;
    }
    EXPECT_EQ(replay({runtime_event("instance-id", ""), runtime_event("instance-id", instance_id)})
                  .error()
                  .code,
              ErrorCode::event_log_malformed);
}

TEST(event_log, rejects_identities_of_another_form) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"app-id", "00"},
        {"compose-hash", app_id},
        {"instance-id", "00"},
        {"os-image-hash", ""},
        {"key-provider", ""},
        {"key-provider", to_hex(as_bytes("[]"))},
        {"key-provider", to_hex(as_bytes(R"({"name":"kms"})"))},
        {"key-provider", to_hex(as_bytes(R"({"name":"kms","id":1})"))},
        {"key-provider", to_hex(as_bytes(R"({"name":"kms","name":"tpm","id":"1"})"))}};
    for (const auto& [name, payload] : cases) {
        const auto replayed = replay({runtime_event(name, payload)});
        ASSERT_FALSE(replayed) << name << payload;
        EXPECT_EQ(replayed.error().code, ErrorCode::event_log_malformed);
        EXPECT_NE(replayed.error().detail.find("event 0: " + name + " payload: have "),
                  std::string::npos)
            << replayed.error().detail;
    }
}

// Where the name ended would be open: "a:b" with payload "c" has the digest of "a" with "b:c".
TEST(event_log, rejects_a_colon_in_a_name_of_version_1) {
    json::object event = runtime_event("a:b", "");
    EXPECT_EQ(replay({event}).error().detail,
              "event 0: event: have 'a:b', need a name without ':'");
    event["version"] = 2;
    EXPECT_TRUE(replay({event}));
}

TEST(event_log, pads_short_boot_digests_with_zeros) {
    for (const size_t bytes : {20u, 32u, 48u}) {
        const auto log = replay({boot_event(2, std::string(2 * bytes, '7'))}).value();
        Measurement digest{};
        std::fill_n(digest.begin(), bytes, uint8_t{0x77});
        Measurement rtmr{};
        extend_rtmr(rtmr, digest);
        EXPECT_EQ(log.rtmr[2], rtmr);
    }
    EXPECT_EQ(replay({boot_event(2, "")}).error().detail,
              "event 0: digest: have 0 bytes, need 20, 32 or 48");
}

TEST(event_log, rejects_fields_of_another_form) {
    // Values as JSON.
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"imr", "4"},
        {"imr", "-1"},
        {"imr", "\"3\""},
        {"imr", "3.0"},
        {"event_type", "4294967296"},
        {"event_type", "null"},
        {"digest", "1"},
        {"digest", "\"0\""},
        {"digest", "\"zz\""},
        {"digest", '"' + std::string(98, '0') + '"'},
        {"event", "1"},
        {"event", '"' + std::string(event_name_bytes_max + 1, 'n') + '"'},
        {"event_payload", "false"},
        {"event_payload", "\"0g\""},
        {"version", "0"},
        {"version", "3"},
        {"preimage", "1"},
        {"preimage", "\"x\""},
        {"rtmr", "3"}};
    for (const auto& [key, value] : cases) {
        json::object event = runtime_event("app-id", app_id);
        event[key] = json::parse(value);
        const auto replayed = replay({event});
        ASSERT_FALSE(replayed) << key << value;
        EXPECT_EQ(replayed.error().code, ErrorCode::event_log_malformed) << key << value;
        EXPECT_NE(replayed.error().detail.find(", need "), std::string::npos);
    }
    json::object with_null = runtime_event("app-id", app_id);
    with_null["preimage"] = nullptr;
    EXPECT_TRUE(replay({with_null}));
}

TEST(event_log, rejects_missing_fields) {
    for (const char* key : {"imr", "event_type", "event", "event_payload"}) {
        json::object event = runtime_event("app-id", app_id);
        event.erase(key);
        EXPECT_EQ(replay({event}).error().detail,
                  "event 0: " + std::string(key) + ": have none, need one");
    }
}

TEST(event_log, rejects_what_is_no_list_of_events) {
    for (const char* text : {"", "{}", "[]", "[1]", "[{}", "[{\"imr\":3,\"imr\":3}]", "[]x"}) {
        EXPECT_EQ(replay_event_log(text).error().code, ErrorCode::event_log_malformed) << text;
    }
    EXPECT_EQ(replay_event_log(std::string(event_log_bytes_max + 1, ' ')).error().code,
              ErrorCode::event_log_malformed);
    json::array many(event_log_events_max + 1, runtime_event("e", ""));
    EXPECT_EQ(replay(many).error().code, ErrorCode::event_log_malformed);
}

TEST(event_log, mrconfigid_names_the_compose_hash) {
    const auto log = replay(usual_log()).value();
    TdReport report;
    EXPECT_FALSE(check_mrconfigid(log.app, report).value());
    report.mrconfigid = mrconfigid_of(*log.app.compose_hash);
    EXPECT_EQ(to_hex(report.mrconfigid), "01" + compose_hash + std::string(30, '0'));
    EXPECT_TRUE(check_mrconfigid(log.app, report).value());
    const auto refused = [&](const AppIdentity& app) {
        return check_mrconfigid(app, report).error().code == ErrorCode::compose_hash_mismatch;
    };
    EXPECT_TRUE(refused({}));
    for (const size_t at : {0u, 1u, 32u, 33u, 47u}) {
        report.mrconfigid = mrconfigid_of(*log.app.compose_hash);
        report.mrconfigid[at] ^= 2;
        EXPECT_TRUE(refused(log.app)) << at;
    }
}

TEST(event_log, names_the_register_that_differs) {
    const auto log = replay(usual_log()).value();
    for (size_t i = 0; i < 4; ++i) {
        TdReport report = report_of(log);
        report.rtmr[i][47] ^= 1;
        const auto checked = check_rtmrs(log.rtmr, report);
        EXPECT_EQ(checked.error().code, ErrorCode::event_log_mismatch);
        EXPECT_TRUE(checked.error().detail.starts_with("RTMR" + std::to_string(i)));
    }
}

}  // namespace
}  // namespace teetee::attest
