// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: the files of a network of the story model, and the world that nodes live in.

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "attest/test_platform.hpp"
#include "model/cut.hpp"
#include "model/shard.hpp"
#include "net/file.hpp"
#include "node/node.hpp"

namespace teetee::node::test {

class RecordingLog final : public Log {
  public:
    void write(LogLevel, std::string_view message) override { text.append(message).append("\n"); }
    bool has(std::string_view part) const { return text.find(part) != std::string::npos; }
    std::string text;
};

/// Runs as the real one does, from any day on.
class MovedClock final : public Clock {
  public:
    Instant now() const override { return system.now(); }
    UnixSeconds unix_now() const override { return system.unix_now() + offset_s; }
    void set(UnixSeconds time) { offset_s = time - system.unix_now(); }

    SystemClock system;
    UnixSeconds offset_s = 0;
};

/// Collateral as a test platform publishes it.
class TestCollateral final : public attest::CollateralSource {
  public:
    std::shared_ptr<const attest::VerifiedCollateral> find(const attest::PlatformId&) override {
        return current_;
    }
    uint64_t version() const override { return version_; }

    void publish(const attest::test::TestPlatform& platform) {
        auto verified =
            attest::verify_collateral(platform.collateral(), platform.roots(), attest::test::now);
        ASSERT_TRUE(verified) << verified.error().message();
        current_ = std::make_shared<const attest::VerifiedCollateral>(std::move(verified).value());
        ++version_;
    }
    void withdraw() {
        current_ = nullptr;
        ++version_;
    }

  private:
    std::shared_ptr<const attest::VerifiedCollateral> current_;
    uint64_t version_ = 0;
};

/// A policy under which the dev TEE is judged by collateral, as hardware is.
inline attest::Policy policy_with_collateral() {
    attest::Policy policy = attest::test::make_policy();
    policy.require_collateral = true;
    return policy;
}

inline Bytes story_model() {
    std::ifstream in(std::string(TEETEE_SOURCE_DIR) + "/models/story/story-q8_0.gguf",
                     std::ios::binary);
    return Bytes(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

/// Shards, manifest and policy in a folder of its own.
class TestNetwork {
  public:
    explicit TestNetwork(uint32_t shard_count,
                         const attest::Policy& policy = attest::test::make_policy(),
                         const Bytes& file = story_model()) {
        std::string pattern = ::testing::TempDir() + "/node." + std::string(6, 'X');
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        const auto model = model::Gguf::parse(file).value();
        const auto cut = model::even_cut(model::layer_count_of(model).value(), shard_count).value();
        const auto manifest = model::build_manifest(model, cut).value();
        for (uint32_t i = 0; i < shard_count; ++i) {
            Bytes shard;
            EXPECT_TRUE(model::cut_shard(model, manifest, i, [&](ByteView bytes) -> Result<void> {
                shard.insert(shard.end(), bytes.begin(), bytes.end());
                return {};
            }));
            put(shard_name(i), shard);
        }
        put("manifest.json", as_bytes(model::encode_manifest(manifest)));
        put("policy.json", as_bytes(attest::encode_policy(policy)));
    }
    ~TestNetwork() { std::filesystem::remove_all(folder_); }
    TestNetwork(const TestNetwork&) = delete;
    TestNetwork& operator=(const TestNetwork&) = delete;

    NodeOptions options(uint32_t shard) const {
        NodeOptions options;
        options.shard.path = folder_ + "/" + shard_name(shard);
        options.shard.manifest_path = folder_ + "/manifest.json";
        options.policy = PolicyFile::load(folder_ + "/policy.json").value();
        return options;
    }

  private:
    static std::string shard_name(uint32_t shard) {
        return "shard-" + std::to_string(shard) + ".gguf";
    }
    void put(const std::string& name, ByteView content) const {
        EXPECT_TRUE(net::write_file_atomic(folder_ + "/" + name, content));
    }

    std::string folder_;
};

}  // namespace teetee::node::test
