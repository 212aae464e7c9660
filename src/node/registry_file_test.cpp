// SPDX-License-Identifier: Apache-2.0
#include "node/registry_file.hpp"

#include <filesystem>

#include "attest/limits.hpp"
#include "net/test_support.hpp"
#include "node/limits.hpp"
#include "node/test_network.hpp"

namespace teetee::node {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view full_list =
    R"([{"url": "tls://[::1]:5010"},
        {"url": "tls://b.example:5011", "node_id": "0x000102030405060708090a0b0c0d0e0f10111213",
         "layers": [10, 22]}])";

TEST(registry_file, lists_nodes) {
    const auto entries = parse_registry(full_list);
    ASSERT_TRUE(entries) << entries.error().message();
    ASSERT_EQ(entries->size(), 2u);
    EXPECT_EQ((*entries)[0], (RegistryEntry{.url = "tls://[::1]:5010"}));
    EXPECT_EQ((*entries)[1].url, "tls://b.example:5011");
    EXPECT_EQ(to_hex((*entries)[1].node_id.value()), "000102030405060708090a0b0c0d0e0f10111213");
    EXPECT_EQ((*entries)[1].layers, (LayerRange{10, 22}));
    const auto again = parse_registry(encode_registry(*entries));
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, *entries);
    EXPECT_TRUE(parse_registry("[]").value().empty());
}

TEST(registry_file, rejects_what_is_no_list_of_nodes) {
    const char* wrong[] = {
        "",
        "{}",
        "null",
        "[",
        "[[]]",
        R"(["tls://a:1"])",
        R"([{}])",
        R"([{"url": 1}])",
        R"([{"url": "a:1"}])",
        R"([{"url": "https://a:1"}])",
        R"([{"url": "tls://a"}])",
        R"([{"url": "tls://a:0"}])",
        R"([{"url": "tls://a:70000"}])",
        R"([{"url": "tls://a:1/x"}])",
        R"([{"url": "tls://a:1"},])",
        R"([{"url": "tls://a:1"}, {"url": "tls://a:1"}])",
        R"([{"url": "tls://a:1", "url": "tls://b:1"}])",
        R"([{"url": "tls://a:1", "owner": "b"}])",
        R"([{"url": "tls://a:1", "node_id": "000102030405060708090a0b0c0d0e0f10111213"}])",
        R"([{"url": "tls://a:1", "node_id": "0x00"}])",
        R"([{"url": "tls://a:1", "layers": 1}])",
        R"([{"url": "tls://a:1", "layers": [1]}])",
        R"([{"url": "tls://a:1", "layers": [1, 2, 3]}])",
        R"([{"url": "tls://a:1", "layers": [1, 1]}])",
        R"([{"url": "tls://a:1", "layers": [2, 1]}])",
        R"([{"url": "tls://a:1", "layers": [-1, 1]}])",
        R"([{"url": "tls://a:1", "layers": [0, 1.5]}])",
        R"([{"url": "tls://a:1", "layers": [0, 513]}])",
        R"([{"url": "tls://a:1", "layers": [0, 18446744073709551615]}])",
        R"([{"url": "tls://a:1", "layers": ["0", 1]}])",
    };
    for (const char* text : wrong) {
        const auto entries = parse_registry(text);
        ASSERT_FALSE(entries) << text;
        EXPECT_EQ(entries.error().code, ErrorCode::config_invalid) << text;
    }
    EXPECT_EQ(parse_registry(R"([{"url": "tls://a:1"}, {"url": "b"}])").error().message(),
              "config_invalid: registry[1].url: have 'b', need tls://host:port");
}

TEST(registry_file, is_bounded) {
    const auto list_of = [](size_t count) {
        std::vector<RegistryEntry> entries(count);
        for (size_t i = 0; i < count; ++i) entries[i].url = "tls://h" + std::to_string(i) + ":1";
        return encode_registry(entries);
    };
    EXPECT_TRUE(parse_registry(list_of(registry_entries_max)));
    EXPECT_FALSE(parse_registry(list_of(registry_entries_max + 1)));
    EXPECT_FALSE(parse_registry("[]" + std::string(registry_bytes_max, ' ')));
    const std::string host(attest::advert_url_bytes_max, 'a');
    EXPECT_FALSE(parse_registry(R"([{"url": "tls://)" + host + R"(:1"}])"));
}

class RegistryFolder : public testing::Test {
  protected:
    RegistryFolder() {
        std::string pattern = ::testing::TempDir() + "/registry." + std::string(6, 'X');
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        folder = pattern;
    }
    ~RegistryFolder() override { std::filesystem::remove_all(folder); }

    std::string path() const { return folder + "/nodes.json"; }
    void put(std::string_view text) const {
        ASSERT_TRUE(net::write_file_atomic(path(), as_bytes(text), {.sync = false}));
    }
    void put_ports(std::initializer_list<uint16_t> ports) const {
        std::vector<RegistryEntry> entries;
        for (const uint16_t port : ports)
            entries.push_back({.url = "tls://127.0.0.1:" + std::to_string(port)});
        put(encode_registry(entries));
    }

    std::string folder;
};

using registry_file_on_disk = RegistryFolder;

TEST_F(registry_file_on_disk, is_read_anew_when_it_is_another_one) {
    RegistryFile registry(path());
    EXPECT_EQ(registry.nodes().error().code, ErrorCode::not_found);
    put(R"([{"url": "tls://a:1"}])");
    EXPECT_EQ(registry.nodes().value().at(0).url, "tls://a:1");
    EXPECT_EQ(registry.nodes().value().at(0).url, "tls://a:1");
    put(R"([{"url": "tls://b:1"}])");
    EXPECT_EQ(registry.nodes().value().at(0).url, "tls://b:1");
    put(R"([{"url": "b"}])");
    for (int look = 0; look < 2; ++look) {
        const auto entries = registry.nodes();
        ASSERT_FALSE(entries);
        EXPECT_EQ(entries.error().message(), "config_invalid: " + path() +
                                                 ": registry[0].url: have 'b', need "
                                                 "tls://host:port");
    }
    put("[]");
    EXPECT_TRUE(registry.nodes().value().empty());
}

/// Two nodes of one model that begin without knowing each other.
class registry_of_a_node : public RegistryFolder {
  protected:
    std::unique_ptr<Node> start(uint32_t shard, Log& log, Registry* registry) {
        NodeOptions options = network.options(shard);
        options.shard.kernel = "scalar";
        options.listen = {"127.0.0.1", 0};
        options.registry_interval = milliseconds(20);
        auto node = Node::start({loop, clock, rng, log, tee, nullptr, registry}, options);
        if (!node) {
            start_error = node.error().message();
            return nullptr;
        }
        return std::move(node).value();
    }

    const test::TestNetwork network{2};
    net::Loop loop;
    test::MovedClock clock;
    SystemRng rng;
    test::RecordingLog entry_log;
    test::RecordingLog tail_log;
    attest::DevTee tee = attest::test::make_tee();
    std::string start_error;
};

TEST_F(registry_of_a_node, brings_a_newcomer_in_without_a_restart) {
    clock.set(attest::test::now);
    put("[]");
    RegistryFile registry(path());
    const auto entry = start(0, entry_log, &registry);
    const auto tail = start(1, tail_log, nullptr);
    ASSERT_TRUE(entry && tail) << start_error;
    EXPECT_FALSE(entry->status().ready);
    // A list that cannot be read is told of once, and harms nothing.
    put("[{}]");
    const std::string told = "the registry stays as it was: config_invalid: ";
    net::run_until(loop, [&] { return entry_log.has(told); });
    put("[{}, {}]");
    put_ports({tail->link_port()});
    net::run_until(loop, [&] { return entry->status().ready; });
    EXPECT_TRUE(entry_log.has("the registry can be read again")) << entry_log.text;
    EXPECT_TRUE(entry_log.has("the registry lists 1 nodes")) << entry_log.text;
    EXPECT_EQ(entry_log.text.find(told), entry_log.text.rfind(told)) << entry_log.text;
    // A list that breaks, or is gone, takes no link away.
    std::filesystem::remove(path());
    net::run_until(loop, [&] { return entry_log.has("the registry stays as it was: not_found"); });
    EXPECT_TRUE(entry->status().ready);
}

TEST_F(registry_of_a_node, must_be_there_at_the_start) {
    clock.set(attest::test::now);
    RegistryFile registry(path());
    EXPECT_EQ(start(0, entry_log, &registry), nullptr);
    EXPECT_TRUE(start_error.starts_with("not_found: " + path())) << start_error;
}

}  // namespace
}  // namespace teetee::node
