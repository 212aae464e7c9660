// SPDX-License-Identifier: Apache-2.0
// A settlement of a real answer, signed by the nodes that gave it.

#include <optional>

#include "net/test_support.hpp"
#include "node/test_network.hpp"

namespace teetee::node {
namespace {

const chain::Deployment deployment = {84532, {0xc0, 1}};
constexpr uint64_t pool = 7;

class signed_settlement : public testing::Test {
  protected:
    signed_settlement() {
        clock.set(attest::test::now);
        tail = start_node(1, {});
        entry = start_node(0, {{.url = "tls://127.0.0.1:" + std::to_string(tail->link_port())}});
        net::run_until(loop, [&] { return entry->status().ready; });
    }
    std::unique_ptr<Node> start_node(uint32_t shard, std::vector<RegistryEntry> registry) {
        NodeOptions options = network.options(shard);
        options.deployment = deployment;
        options.pool = pool;
        options.listen = {"127.0.0.1", 0};
        options.registry = std::move(registry);
        auto node = Node::start({loop, clock, rng, log, tee}, options);
        EXPECT_TRUE(node) << node.error().message();
        return std::move(node).value();
    }
    attest::Receipt generate(std::vector<TokenId> prompt, uint32_t tokens_max) {
        Generation generation;
        generation.prompt = std::move(prompt);
        generation.tokens_max = tokens_max;
        std::optional<Result<attest::Receipt>> receipt;
        GenerationEvents events;
        events.on_token = [](const pipeline::ClientToken&) {};
        events.on_done = [](pipeline::FinishReason, pipeline::Usage) {};
        events.on_failed = [](const Error& error, pipeline::Usage) {
            ADD_FAILURE() << error.message();
        };
        events.on_receipt = [&](const Result<attest::Receipt>& made) { receipt = made; };
        EXPECT_TRUE(entry->generate(std::move(generation), std::move(events)));
        net::run_until(loop, [&] { return receipt.has_value(); });
        EXPECT_TRUE(*receipt) << receipt->error().message();
        return std::move(*receipt).value();
    }
    /// Of one pool of two slots, with nobody's money: that is for the contract to look at.
    static chain::tee_tee::Batch batch_of(const std::vector<attest::Receipt>& receipts) {
        chain::tee_tee::Batch batch{.pool = pool,
                                    .entry_node = 1,
                                    .total = 1000,
                                    .receipts_root = {1},
                                    .spends = {},
                                    .queries = {},
                                    .work = {}};
        for (const attest::Receipt& receipt : receipts) {
            batch.prompt_tokens += receipt.prompt_tokens - receipt.cached_tokens;
            batch.completion_tokens += receipt.completion_tokens;
        }
        const uint64_t tokens = batch.prompt_tokens + batch.completion_tokens;
        batch.work = {{.node = 1, .tokens = tokens, .r = {}, .vs = {}},
                      {.node = 2, .tokens = tokens, .r = {}, .vs = {}}};
        return batch;
    }
    Node::SettlementSignatures sign(const billing::SignOffAsks& asks) {
        std::optional<Node::SettlementSignatures> out;
        entry->ask_to_sign(asks, [&](Node::SettlementSignatures made) { out = std::move(made); });
        net::run_until(loop, [&] { return out.has_value(); });
        return std::move(*out);
    }
    crypto::Address key_of(const std::unique_ptr<Node>& node) const {
        return node->statement().receipt_address;
    }

    const test::TestNetwork network{2};
    net::Loop loop;
    test::MovedClock clock;
    SystemRng rng;
    test::RecordingLog log;
    attest::DevTee tee = attest::test::make_tee();
    std::unique_ptr<Node> tail;
    std::unique_ptr<Node> entry;
};

TEST_F(signed_settlement, has_the_signatures_of_all_that_worked) {
    const std::vector<attest::Receipt> receipts = {generate({1, 2, 3}, 5), generate({4, 5}, 1)};
    const chain::tee_tee::Batch batch = batch_of(receipts);
    const std::vector<crypto::Address> signers = {key_of(entry), key_of(tail)};
    billing::SignOffAsks asks(batch, signers);
    for (const attest::Receipt& receipt : receipts) ASSERT_TRUE(asks.add(receipt));
    const auto signatures = sign(asks);
    ASSERT_EQ(signatures.size(), 2u);
    const Digest digest = chain::settlement_digest(deployment, batch);
    for (const crypto::Address& signer : signers) {
        const auto& signature = signatures.at(signer);
        ASSERT_TRUE(signature) << signature.error().message();
        EXPECT_EQ(crypto::recover_address(digest, *signature).value(), signer);
    }
}

TEST_F(signed_settlement, that_pays_too_little_has_none_and_who_is_gone_is_named) {
    const std::vector<attest::Receipt> receipts = {generate({1, 2, 3}, 5)};
    chain::tee_tee::Batch batch = batch_of(receipts);
    for (auto& work : batch.work) work.tokens -= 2;
    batch.work.push_back({.node = 3, .tokens = 9, .r = {}, .vs = {}});
    const crypto::Address gone = {0x60};
    const std::vector<crypto::Address> signers = {key_of(entry), key_of(tail), gone};
    billing::SignOffAsks asks(batch, signers);
    ASSERT_TRUE(asks.add(receipts[0]));
    const auto signatures = sign(asks);
    ASSERT_EQ(signatures.size(), 3u);
    for (const std::unique_ptr<Node>* node : {&entry, &tail})
        EXPECT_EQ(signatures.at(key_of(*node)).error().code, ErrorCode::settlement_rejected);
    EXPECT_EQ(signatures.at(gone).error().code, ErrorCode::route_unavailable);
}

}  // namespace
}  // namespace teetee::node
