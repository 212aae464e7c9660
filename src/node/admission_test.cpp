// SPDX-License-Identifier: Apache-2.0
// Entries whose registry does not let every node in.
#include <set>

#include "net/test_support.hpp"
#include "node/test_network.hpp"

namespace teetee::node {
namespace {

class Members final : public Registry {
  public:
    Result<std::vector<RegistryEntry>> nodes() override { return std::vector<RegistryEntry>(); }
    Result<void> admits(const ByteArray<20>& node_id, LayerRange layers) override {
        if (admitted.contains({node_id, layers})) return {};
        return fail(ErrorCode::not_ready, "node 0x" + to_hex(node_id) + " is a stranger");
    }
    void admit(const Node& node) {
        admitted.emplace(node.statement().receipt_address, node.layers());
    }

    std::set<std::pair<ByteArray<20>, LayerRange>> admitted;
};

class admission : public testing::Test {
  protected:
    admission() { clock.set(attest::test::now); }
    std::unique_ptr<Node> start(const test::TestNetwork& network, uint32_t shard,
                                const Node* next = nullptr) {
        NodeOptions options = network.options(shard);
        options.listen = {"127.0.0.1", 0};
        if (next != nullptr) options.registry.push_back({.url = next->url()});
        Registry* registry = shard == 0 ? &members : nullptr;
        auto node = Node::start({loop, clock, rng, log, tee, nullptr, registry}, options);
        EXPECT_TRUE(node) << node.error().message();
        return node ? std::move(*node) : nullptr;
    }
    static std::vector<wire::NodeId> refused(const Node& node) {
        std::vector<wire::NodeId> out;
        for (const auto& one : node.status().unregistered) out.push_back(one.node_id);
        return out;
    }

    net::Loop loop;
    test::MovedClock clock;
    SystemRng rng;
    test::RecordingLog log;
    attest::DevTee tee = attest::test::make_tee();
    Members members;
};

TEST_F(admission, routes_lead_over_admitted_nodes_only) {
    const test::TestNetwork network(2);
    const auto tail = start(network, 1);
    ASSERT_NE(tail, nullptr);
    const auto entry = start(network, 0, tail.get());
    ASSERT_NE(entry, nullptr);
    const wire::NodeId own = entry->statement().receipt_address;
    const wire::NodeId other = tail->statement().receipt_address;
    net::run_until(loop, [&] { return refused(*entry).size() == 2; });
    EXPECT_TRUE(log.has("0x" + to_hex(other) + " is a stranger"));
    members.admit(*entry);
    net::run_until(loop, [&] { return refused(*entry) == std::vector{other}; });
    EXPECT_FALSE(entry->status().ready);
    members.admit(*tail);
    net::run_until(loop, [&] { return entry->status().ready; });
    EXPECT_TRUE(refused(*entry).empty());
    members.admitted.clear();
    members.admit(*tail);
    net::run_until(loop, [&] { return !entry->status().ready; });
    EXPECT_EQ(refused(*entry), std::vector{own});
    EXPECT_TRUE(entry->status().routes.empty());
}

TEST_F(admission, an_entry_with_all_layers_is_one_of_those_that_must_be) {
    const test::TestNetwork network(1);
    const auto entry = start(network, 0);
    ASSERT_NE(entry, nullptr);
    EXPECT_FALSE(entry->status().ready);
    members.admit(*entry);
    net::run_until(loop, [&] { return entry->status().ready; });
    members.admitted.clear();
    net::run_until(loop, [&] { return !entry->status().ready; });
    EXPECT_EQ(refused(*entry).size(), 1u);
}

}  // namespace
}  // namespace teetee::node
