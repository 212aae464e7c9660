// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/strict_json.hpp"
#include "chain/json_rpc.hpp"
#include "chain/rpc_results.hpp"
#include "net/http_client.hpp"

extern char** environ;

// For tests: real chains in processes of their own (make contracts).
namespace teetee::node::test {

inline const std::string contracts_folder = std::string(TEETEE_SOURCE_DIR) + "/contracts/";
inline const std::string anvil_path =
    contracts_folder + "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";

/// As it is deployed, or a double of the contracts' own tests.
inline std::string artifact_path(const std::string& file, const std::string& name) {
    const std::string path = file + ".sol/" + name + ".json";
    const std::string deployed = contracts_folder + "out/release/" + path;
    return std::filesystem::exists(deployed) ? deployed : contracts_folder + "out/" + path;
}

#define TT_REQUIRE_ANVIL()                                                        \
    if (!std::filesystem::exists(teetee::node::test::anvil_path))                 \
        GTEST_SKIP() << "no anvil: make contracts";                               \
    if (!std::filesystem::exists(                                                 \
            teetee::node::test::artifact_path("MockVerifier", "StaticVerifier"))) \
        GTEST_SKIP() << "no contracts: make contracts";

/// The first of the accounts that every anvil has funds for.
inline crypto::SecpKey anvil_key() {
    const char* hex = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    return crypto::SecpKey::from_bytes(from_hex(hex).value()).value();
}

inline uint16_t free_port() {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    EXPECT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), bytes), 0);
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &bytes);
    ::close(listener);
    return ntohs(address.sin_port);
}

class Anvil {
  public:
    explicit Anvil(uint64_t chain_id = 84532, uint16_t port = free_port())
        : chain_id_(chain_id), port_(port) {
        start();
    }
    ~Anvil() { kill(); }
    Anvil(const Anvil&) = delete;
    Anvil& operator=(const Anvil&) = delete;

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

    void start() {
        // Ends with the test, whatever ends that.
        std::vector<std::string> words = {"/usr/bin/setpriv",
                                          "--pdeathsig",
                                          "KILL",
                                          anvil_path,
                                          "--host",
                                          "127.0.0.1",
                                          "--port",
                                          std::to_string(port_),
                                          "--chain-id",
                                          std::to_string(chain_id_),
                                          "--slots-in-an-epoch",
                                          "1",
                                          "--silent"};
        std::vector<char*> arguments;
        for (std::string& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        ASSERT_EQ(
            ::posix_spawn(&pid_, words[0].c_str(), nullptr, nullptr, arguments.data(), environ), 0);
        for (int tries = 0; tries < 1000; ++tries) {
            if (net::http_fetch({.method = "POST", .url = url(), .body = "{}"})) return;
            ::usleep(20'000);
        }
        FAIL() << "anvil does not listen";
    }

    void kill() {
        if (pid_ == 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }

    boost::json::value call(const std::string& method, boost::json::array parameters = {}) const {
        const chain::RpcCall what{.method = method, .parameters = std::move(parameters)};
        const auto response = net::http_fetch({.method = "POST",
                                               .url = url(),
                                               .headers = {{"content-type", "application/json"}},
                                               .body = chain::encode_rpc_request(what, 1)});
        if (!response) {
            ADD_FAILURE() << method << ": " << response.error().message();
            return nullptr;
        }
        auto result = chain::decode_rpc_answer(response->body, 1);
        auto value = result ? chain::take_result(std::move(*result))
                            : Result<boost::json::value>(result.error());
        EXPECT_TRUE(value) << method << ": " << value.error().message();
        return value ? *value : boost::json::value();
    }

    /// From the first account, in a block of its own.
    chain::Receipt send(std::optional<chain::Address> to, ByteView data, uint64_t value = 0) const {
        boost::json::object message = {{"from", "0x" + to_hex(anvil_key().address())},
                                       {"data", "0x" + to_hex(data)},
                                       {"value", chain::U256(value).to_quantity()}};
        if (to) message["to"] = "0x" + to_hex(*to);
        boost::json::array parameters;
        parameters.emplace_back(std::move(message));
        const auto hash = call("eth_sendTransaction", std::move(parameters));
        for (int tries = 0; tries < 1000; ++tries) {
            const auto receipt =
                chain::parse_rpc_receipt(call("eth_getTransactionReceipt", {hash}));
            if (receipt && *receipt) {
                EXPECT_TRUE((*receipt)->succeeded);
                return **receipt;
            }
            ::usleep(10'000);
        }
        ADD_FAILURE() << "the transaction is in no block";
        return {};
    }

    chain::Address deploy(const std::string& file, const std::string& name,
                          ByteView arguments = {}) const {
        std::ifstream stream(artifact_path(file, name), std::ios::binary);
        const std::string text(std::istreambuf_iterator<char>(stream), {});
        const auto artifact = boost::json::parse(text);
        const auto& object = artifact.at("bytecode").at("object").as_string();
        Bytes code = from_hex({object.data(), object.size()}).value();
        code.insert(code.end(), arguments.begin(), arguments.end());
        return send(std::nullopt, code).created_contract.value_or(chain::Address{});
    }

  private:
    uint64_t chain_id_;
    uint16_t port_;
    pid_t pid_ = 0;
};

}  // namespace teetee::node::test
