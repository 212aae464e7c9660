// SPDX-License-Identifier: Apache-2.0
#include "node/node.hpp"

#include <gtest/gtest.h>

#include "model/gguf_writer.hpp"
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

/// The story model with its output matrix apart from the embedding, as most large models have it.
Bytes untied_story() {
    const Bytes file = test::story_model();
    const auto story = model::Gguf::parse(file).value();
    model::GgufWriter writer;
    for (const model::GgufEntry& entry : story.entries()) writer.copy(entry);
    for (const model::GgufTensor& tensor : story.tensors())
        writer.tensor(tensor, story.data(tensor));
    const model::GgufTensor& embedding = *story.find_tensor("token_embd.weight");
    model::GgufTensor output = embedding;
    output.name = "output.weight";
    writer.tensor(output, story.data(embedding));
    Bytes untied;
    EXPECT_TRUE(writer.write([&](ByteView bytes) -> Result<void> {
        untied.insert(untied.end(), bytes.begin(), bytes.end());
        return {};
    }));
    return untied;
}

TEST(node, of_the_last_layers_needs_no_embedding) {
    const test::TestNetwork network(2, attest::test::make_policy(), untied_story());
    net::Loop loop;
    const SystemClock clock;
    SystemRng rng;
    test::RecordingLog log;
    attest::DevTee tee = attest::test::make_tee();
    NodeOptions options = network.options(1);
    options.listen = {"127.0.0.1", 0};
    const auto node = Node::start({loop, clock, rng, log, tee}, options);
    ASSERT_TRUE(node) << node.error().message();
    EXPECT_FALSE((*node)->is_entry());
}

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
