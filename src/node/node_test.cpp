// SPDX-License-Identifier: Apache-2.0
#include "node/node.hpp"

#include <gtest/gtest.h>

#include "model/test_blob_store.hpp"
#include "node/test_network.hpp"

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

TEST(node, starts_without_a_weights_cache_where_the_tee_has_no_key) {
    const test::TestNetwork network(1);
    NodeOptions options = network.options(0);
    net::Loop loop;
    const SystemClock clock;
    SystemRng rng;
    test::RecordingLog log;
    KeylessTee tee;
    model::TestBlobStore store;
    options.shard.weights_cache = &store;
    const auto node = Node::start({loop, clock, rng, log, tee}, options);
    ASSERT_TRUE(node) << node.error().message();
    EXPECT_TRUE(store.blobs.empty());
    EXPECT_NE(log.text.find("weights cache: off: evidence_unavailable: no key here"),
              std::string::npos)
        << log.text;
}

}  // namespace
}  // namespace teetee::node
