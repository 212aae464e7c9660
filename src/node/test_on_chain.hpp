// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "chain/typed_data.hpp"
#include "node/chain_client.hpp"
#include "node/test_anvil.hpp"

namespace teetee::node::test {

using namespace chain;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr uint64_t chain_id = 84532;
inline constexpr uint64_t wei_per_credit = 1'000'000'000'000;
inline const Digest test_measurement = {0x3e};

class KeptLog final : public teetee::Log {
  public:
    void write(LogLevel, std::string_view message) override { text.append(message).append("\n"); }
    bool has(std::string_view part) const { return text.find(part) != std::string::npos; }
    std::string text;
};

/// A client, and a contract with a pool of two slots whose verifier believes what it is told.
class OnChain : public testing::Test {
  protected:
    void deploy(const Anvil& anvil) {
        const Bytes arguments =
            tee_tee::ConstructorArguments{.wei_per_credit = wei_per_credit}.encode().value();
        contract = anvil.deploy("TeeTee", "TeeTee", arguments);
        verifier = anvil.deploy("MockVerifier", "StaticVerifier");
    }

    ChainClient::Options options_for(const std::vector<std::string>& urls) const {
        ChainClient::Options options;
        for (const std::string& url : urls) options.endpoints.push_back({.url = url});
        options.view.contract = contract;
        options.view.panel.chain_id = chain_id;
        options.view.panel.retry_min = milliseconds(50);
        options.view.panel.retry_max = milliseconds(200);
        options.view.poll_interval = milliseconds(20);
        options.sender.poll_interval = milliseconds(20);
        options.sender.confirmations = 1;
        options.sender.bump_after = bump_after;
        options.folder = folder;
        return options;
    }

    void start(const std::vector<std::string>& urls) {
        client.reset();
        auto made =
            ChainClient::start({.loop = loop, .clock = clock, .log = log}, options_for(urls), &key,
                               {.on_change =
                                    [this] {
                                        if (on_change) on_change();
                                    },
                                .on_outcome =
                                    [this](const SendOutcome& outcome) {
                                        outcomes.push_back(outcome);
                                        if (on_outcome) on_outcome(outcome);
                                    }});
        ASSERT_TRUE(made) << made.error().message();
        client = std::move(*made);
    }

    void run_until(const std::function<bool()>& condition) {
        bool is_late = false;
        const net::Timer deadline = loop.call_after(seconds(60), [&] {
            is_late = true;
            loop.stop();
        });
        net::Timer poll;
        std::function<void()> check = [&] {
            if (condition()) return loop.stop();
            poll = loop.call_after(milliseconds(2), check);
        };
        check();
        if (!condition()) loop.run();
        const auto status = client->view().status();
        EXPECT_FALSE(is_late) << (status.problem ? status.problem->message() : "no problem")
                              << ", latest " << (status.latest ? status.latest->number : 0);
    }

    template <class Call>
    void submit(const std::string& name, const Call& call, uint64_t value = 0) {
        const size_t before = outcomes.size();
        const auto submitted = client->submit(
            {.key = name, .to = contract, .value = value, .data = call.encode().value()});
        ASSERT_TRUE(submitted) << submitted.error().message();
        run_until([&] { return outcomes.size() > before; });
        ASSERT_GT(outcomes.size(), before);
        EXPECT_TRUE(outcomes.back().result) << outcomes.back().result.error().message();
    }

    tee_tee::CreatePoolCall create_pool() const {
        return {.config = {.model_root = {1},
                           .manifest_uri = "https://models.example/m",
                           .slot_layers = {2, 3},
                           .prices = {.prompt = 2, .completion = 5},
                           .fee_bps = 100,
                           .policy_hash = {2},
                           .policy_uri = "https://models.example/p",
                           .verifier = verifier,
                           .measurements = {test_measurement}}};
    }

    static crypto::SecpKey receipt_key(uint8_t slot) {
        return crypto::SecpKey::from_bytes(Bytes(32, static_cast<uint8_t>(9 + slot))).value();
    }

    tee_tee::RegisterNodeCall register_node(uint64_t slot, const crypto::SecpKey& node,
                                            uint64_t expiry) const {
        const std::string endpoint = "tls://127.0.0.1:7000";
        const Digest statement = {0x51};
        const auto signature = node.sign_recoverable(registration_digest(
            {chain_id, contract}, {key.address(), 1, slot, statement, endpoint}));
        const std::vector<AbiValue> evidence = {AbiValue::of(test_measurement), expiry};
        return {.registration = {
                    .pool = 1,
                    .slot = slot,
                    .receipt_key = node.address(),
                    .statement_hash = statement,
                    .endpoint = endpoint,
                    .evidence = encode_abi(abi_types({"bytes32", "uint64"}), evidence).value(),
                    .signature_ = Bytes(signature.begin(), signature.end())}};
    }

    U256 balance() const { return client->view().latest().account(key.address()).balance; }
    ErrorCode problem() const {
        const auto status = client->view().status();
        return status.problem ? status.problem->code : ErrorCode{};
    }

    net::Loop loop;
    SystemClock clock;
    KeptLog log;
    Duration bump_after = seconds(30);
    crypto::SecpKey key = test::anvil_key();
    Address contract{};
    Address verifier{};
    std::string folder;
    std::unique_ptr<ChainClient> client;
    std::vector<SendOutcome> outcomes;
    std::function<void()> on_change;
    std::function<void(const SendOutcome&)> on_outcome;
};

}  // namespace teetee::node::test
