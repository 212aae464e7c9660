// SPDX-License-Identifier: Apache-2.0
#include "cli/compose_file.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace teetee::cli {
namespace {

const std::string image = "registry.example/teetee@sha256:" + std::string(64, 'a');

TEST(compose_file, is_the_same_for_all_hosts_of_an_image) {
    const std::string compose = host_compose({.image = image});
    EXPECT_EQ(compose, host_compose({.image = image}));
    EXPECT_NE(compose, host_compose({.image = image, .is_dev = true}));
    EXPECT_NE(compose.find(image), std::string::npos);
    // Every variable that may be set is used, and no other is.
    for (const std::string& name : host_variables())
        EXPECT_NE(compose.find("${" + name + ":-}"), std::string::npos) << name;
    size_t used = 0;
    for (size_t at = compose.find("${"); at != std::string::npos; at = compose.find("${", at + 1)) {
        const std::string name = compose.substr(at + 2, compose.find(":-}", at) - at - 2);
        EXPECT_NE(std::ranges::find(host_variables(), name), host_variables().end()) << name;
        ++used;
    }
    EXPECT_GT(used, host_variables().size());
    for (const char* secret : {"TEETEE_KEY", "TEETEE_DEV_TEE", "TEETEE_TEE"})
        EXPECT_EQ(compose.find(secret), std::string::npos) << secret;
}

TEST(compose_file, becomes_an_app) {
    const std::string app = host_app_compose(host_compose({.image = image}));
    const auto parsed = attest::parse_app_compose(app);
    ASSERT_TRUE(parsed) << parsed.error().message();
    EXPECT_EQ(parsed->docker_compose_file, host_compose({.image = image}));
    EXPECT_EQ(parsed->allowed_envs.size(), host_variables().size());
    // Pools' policies name this hash: if it changes, so does the code of every pool's nodes.
    EXPECT_EQ(to_hex(attest::measure_app(as_bytes(app), {}).compose_hash),
              "7b3a0c9f6ad7f10118c817b26ac28eb7505393691545804c29be7019f6270c51");
}

TEST(compose_file, images_are_pinned) {
    EXPECT_TRUE(ensure_pinned(image));
    for (const std::string& wrong :
         {std::string(), std::string("teetee"), std::string("teetee:1.0"),
          "@sha256:" + std::string(64, 'a'), "teetee@sha256:" + std::string(63, 'a'), image + "\n",
          "tee tee@sha256:" + std::string(64, 'a')})
        EXPECT_FALSE(ensure_pinned(wrong)) << wrong;
}

TEST(compose_file, networks_have_a_node_of_each_shard_and_replica) {
    const std::string two = network_compose({.image = "teetee", .shards = 2, .replicas = 2});
    for (const char* name : {"node-0-0:", "node-1-0:", "node-0-1:", "node-1-1:"})
        EXPECT_NE(two.find(name), std::string::npos) << name;
    EXPECT_NE(two.find("127.0.0.1:5004:5002"), std::string::npos);
    const std::string one = network_compose({.image = "teetee", .shards = 1});
    EXPECT_EQ(one.find("--next"), std::string::npos);
    EXPECT_NE(one.find("shard-000-of-001.gguf"), std::string::npos);
}

}  // namespace
}  // namespace teetee::cli
