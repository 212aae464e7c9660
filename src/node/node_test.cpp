// SPDX-License-Identifier: Apache-2.0
#include "node/node.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "attest/dev_node.hpp"
#include "model/cut.hpp"
#include "model/shard.hpp"
#include "model/test_blob_store.hpp"
#include "net/file.hpp"

namespace teetee::node {
namespace {

/// Quotes as the dev TEE does, but derives no key.
class KeylessTee final : public attest::EvidenceProvider {
  public:
    Result<Bytes> quote(const ByteArray<64>& report_data) override {
        return tee_.quote(report_data);
    }
    Result<crypto::Secret<32>> sealing_key(std::string_view) override {
        return fail(ErrorCode::evidence_unavailable, "no key here");
    }
    bool simulated() const override { return true; }

  private:
    attest::DevTee tee_ = attest::test::make_tee();
};

class RecordingLog final : public Log {
  public:
    void write(LogLevel, std::string_view message) override { text.append(message).append("\n"); }
    std::string text;
};

/// The story model as the only shard of a network.
class NodeTest : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = ::testing::TempDir() + "/node." + std::string(6, 'X');
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        std::ifstream in(std::string(TEETEE_SOURCE_DIR) + "/models/story/story-q8_0.gguf",
                         std::ios::binary);
        const Bytes file((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
        const auto model = model::Gguf::parse(file).value();
        const auto cut = model::even_cut(model::layer_count_of(model).value(), 1).value();
        const auto manifest = model::build_manifest(model, cut).value();
        Bytes shard;
        ASSERT_TRUE(model::cut_shard(model, manifest, 0, [&](ByteView bytes) -> Result<void> {
            shard.insert(shard.end(), bytes.begin(), bytes.end());
            return {};
        }));
        options_.shard_path = put("shard.gguf", shard);
        options_.manifest_path = put("manifest.json", as_bytes(model::encode_manifest(manifest)));
        options_.policy_path =
            put("policy.json", as_bytes(attest::encode_policy(attest::test::make_policy())));
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string put(const std::string& name, ByteView content) const {
        std::string path = folder_ + "/" + name;
        EXPECT_TRUE(net::write_file_atomic(path, content));
        return path;
    }

    std::string folder_;
    NodeOptions options_;
};

TEST_F(NodeTest, starts_without_a_weights_cache_where_the_tee_has_no_key) {
    net::Loop loop;
    const SystemClock clock;
    SystemRng rng;
    RecordingLog log;
    KeylessTee tee;
    model::TestBlobStore store;
    options_.weights_cache = &store;
    const auto node = Node::start({loop, clock, rng, log, tee}, options_);
    ASSERT_TRUE(node) << node.error().message();
    EXPECT_TRUE(store.blobs.empty());
    EXPECT_NE(log.text.find("weights cache: off: evidence_unavailable: no key here"),
              std::string::npos)
        << log.text;
}

}  // namespace
}  // namespace teetee::node
