// SPDX-License-Identifier: Apache-2.0
#include "attest/app_compose.hpp"

#include <gtest/gtest.h>

#include "attest/limits.hpp"
#include "crypto/hash.hpp"

namespace teetee::attest {
namespace {

AppCompose sample() {
    return {.name = "teetee",
            .docker_compose_file = "services:\n  node:\n    image: \"teetee@sha256:00\"\n",
            .allowed_envs = {"TEETEE_RPC", "TEETEE_HOST", "TEETEE_RPC"}};
}

TEST(app_compose, has_one_text_for_one_app) {
    const std::string text = encode_app_compose(sample());
    EXPECT_EQ(text,
              R"({"allowed_envs":["TEETEE_HOST","TEETEE_RPC"],)"
              R"("docker_compose_file":"services:\n  node:\n    image: \"teetee@sha256:00\"\n",)"
              R"("gateway_enabled":true,"key_provider_id":"","kms_enabled":true,)"
              R"("local_key_provider_enabled":false,"manifest_version":2,"name":"teetee",)"
              R"("no_instance_id":false,"public_logs":true,"public_sysinfo":true,)"
              R"("public_tcbinfo":true,"runner":"docker-compose","secure_time":true})");
    AppCompose other = sample();
    other.allowed_envs = {"TEETEE_HOST", "TEETEE_RPC"};
    EXPECT_EQ(encode_app_compose(other), text);
    // As of sha256sum.
    EXPECT_EQ(to_hex(measure_app(as_bytes(text), {}).compose_hash),
              to_hex(crypto::sha256(as_bytes(text))));
}

TEST(app_compose, reads_what_it_writes_and_passes_over_the_rest) {
    const auto app = parse_app_compose(encode_app_compose(sample()));
    ASSERT_TRUE(app) << app.error().message();
    EXPECT_EQ(app->name, "teetee");
    EXPECT_EQ(app->docker_compose_file, sample().docker_compose_file);
    EXPECT_EQ(app->allowed_envs, (std::vector<std::string>{"TEETEE_HOST", "TEETEE_RPC"}));
    EXPECT_TRUE(app->kms_enabled);
    EXPECT_FALSE(app->no_instance_id);
    EXPECT_TRUE(parse_app_compose(
        R"({"manifest_version":2,"name":"a","runner":"docker-compose","docker_compose_file":"",)"
        R"("docker_config":{},"tproxy_enabled":true})"));
}

TEST(app_compose, refuses_what_dstack_would_not_start) {
    const auto refused = [](std::string_view text) {
        const auto app = parse_app_compose(text);
        EXPECT_FALSE(app) << text;
        if (!app) {
            EXPECT_EQ(app.error().code, ErrorCode::config_invalid);
        }
        return app ? "" : app.error().detail;
    };
    refused("");
    refused("[]");
    refused("services:\n");
    refused(R"({"name":"a","runner":"docker-compose","docker_compose_file":""})");
    const auto with = [](std::string_view members) {
        return R"({"manifest_version":2,"name":"a","runner":"docker-compose",)"
               R"("docker_compose_file":"")" +
               std::string(members) + "}";
    };
    EXPECT_TRUE(parse_app_compose(with("")));
    refused(with(R"(,"name":"b")"));
    refused(with(R"(,"allowed_envs":"A")"));
    refused(with(R"(,"allowed_envs":[1])"));
    refused(with(R"(,"allowed_envs":[""])"));
    refused(with(R"(,"no_instance_id":1)"));
    EXPECT_NE(refused(R"({"manifest_version":2,"name":"a","runner":"bash","bash_script":""})")
                  .find("runner"),
              std::string::npos);
    refused(
        R"({"manifest_version":9,"name":"a","runner":"docker-compose","docker_compose_file":""})");
    refused(with(R"(,"x":")" + std::string(app_compose_bytes_max, 'x') + "\""));
}

TEST(app_compose, shows_in_registers) {
    const std::string text = encode_app_compose(sample());
    const AppMeasurement own = measure_app(as_bytes(text), {});
    EXPECT_TRUE(std::equal(own.app_id.begin(), own.app_id.end(), own.compose_hash.begin()));
    EXPECT_EQ(own.mrconfigid, mrconfigid_of(own.compose_hash));
    const AppMeasurement contract = measure_app(as_bytes(text), AppId{7});
    EXPECT_EQ(contract.app_id, AppId{7});
    EXPECT_EQ(contract.compose_hash_digest, own.compose_hash_digest);
    EXPECT_NE(contract.app_id_digest, own.app_id_digest);
    // SHA384(le32(0x08000001) ":" "compose-hash" ":" hash), by hand.
    ByteWriter preimage;
    preimage.u32(0x08000001);
    preimage.bytes(as_bytes(":compose-hash:"));
    preimage.bytes(own.compose_hash);
    EXPECT_EQ(own.compose_hash_digest, crypto::sha384(preimage.view()));
}

TEST(app_compose, foretells_rtmr3_of_a_td_that_boots_alike) {
    const AppMeasurement app = measure_app(as_bytes(encode_app_compose(sample())), {});
    const Bytes no_one(20, 9);
    ReplayedLog like;
    like.runtime_events = {{"system-preparing", {}}, {"app-id", no_one},
                           {"compose-hash", no_one}, {"instance-id", no_one},
                           {"boot-mr-done", {}},     {"key-provider", {1, 2}},
                           {"system-ready", {}},     {"what-the-app-measured", {3}}};
    const Bytes instance(20, 5);
    const auto rtmr = predict_rtmr3(like, app, instance);
    ASSERT_TRUE(rtmr) << rtmr.error().message();
    Measurement by_hand{};
    const auto extend = [&](const std::string& name, ByteView payload) {
        extend_rtmr(by_hand,
                    runtime_event_digest({name, Bytes(payload.begin(), payload.end())}).value());
    };
    extend("system-preparing", {});
    extend("app-id", app.app_id);
    extend("compose-hash", app.compose_hash);
    extend("instance-id", instance);
    extend("boot-mr-done", {});
    extend("key-provider", Bytes{1, 2});
    extend("system-ready", {});
    EXPECT_EQ(*rtmr, by_hand);
    EXPECT_NE(*predict_rtmr3(like, app, {}), by_hand);
    for (const char* name : {"app-id", "compose-hash", "instance-id", "system-ready"}) {
        ReplayedLog without = like;
        std::erase_if(without.runtime_events,
                      [&](const RuntimeEvent& event) { return event.name == name; });
        const auto refused = predict_rtmr3(without, app, {});
        ASSERT_FALSE(refused) << name;
        EXPECT_NE(refused.error().detail.find(name), std::string::npos);
    }
    // A name with a colon has no digest of version 1.
    like.runtime_events.insert(like.runtime_events.begin(), {"a:b", {}});
    EXPECT_FALSE(predict_rtmr3(like, app, {}));
    like.runtime_events.front().version = 2;
    EXPECT_TRUE(predict_rtmr3(like, app, {}));
    like.runtime_events.front().version = 3;
    EXPECT_FALSE(predict_rtmr3(like, app, {}));
}

}  // namespace
}  // namespace teetee::attest
