// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "cli/chain_option.hpp"
#include "cli/chain_probe.hpp"
#include "cli/state_folder.hpp"
#include "node/chain_client.hpp"

namespace teetee::cli {

/// A command's hold on the contract. The chain is followed only while the command waits for
/// something, and only as deep as a command that ends soon must know it: not to the finalized
/// block, which on rollups is half an hour old.
class ChainSession {
  public:
    struct Options {
        ChainTarget target{};
        ChainFacts facts{};
        /// Of the account; none for commands that only look, or where another process has it.
        std::optional<LockedFolder> folder{};
        std::optional<crypto::SecpKey> key{};
        /// Blocks that make a transaction count; 0: 1 on a dev chain, else 3.
        uint64_t confirmations = 0;
        /// No transaction offers more, in wei per gas.
        std::optional<chain::U256> max_fee{};
        /// How long anything may be waited for.
        Duration wait_max = std::chrono::minutes(5);
    };

    /// Errors: those of ChainClient::start.
    static Result<std::unique_ptr<ChainSession>> open(Options options);

    const ChainTarget& target() const { return options_.target; }
    const ChainFacts& facts() const { return options_.facts; }
    /// What transactions may offer.
    chain::FeeOptions fees() const;
    const crypto::SecpKey* key() const { return options_.key ? &*options_.key : nullptr; }

    /// Waits until the contract's state is that of the chain's head, and of `block` at least.
    /// Errors: of ChainView::money, timed_out.
    Result<void> catch_up(uint64_t block = 0);
    /// As of the last catch_up, or as much later as was waited since.
    const chain::ContractState& state() const { return client_->view().latest(); }
    /// Unix seconds of the latest block, or of this machine where its clock is ahead.
    Result<uint64_t> time();

    /// One endpoint's answer. Errors: of the call, reverts by name; timed_out.
    Result<boost::json::value> ask(const chain::RpcCall& call);

    /// Sends once, says on stderr how it goes, and waits for the outcome. Errors: that of the
    /// outcome, and then nothing is under way; cancelled and timed_out, which say whether
    /// something is: then the same intent is to be sent again.
    struct Sent {
        Result<chain::Inclusion> result;
        /// The transaction may yet come to be.
        bool is_open = false;
    };
    Sent send(const chain::SendIntent& intent);
    /// Of intents of earlier runs, which the sender went on with.
    const std::map<std::string, Result<chain::Inclusion>>& outcomes() const { return outcomes_; }

  private:
    explicit ChainSession(Options options) : options_(std::move(options)) {}
    Result<void> start();
    enum class Wait { done, late, interrupted };
    Wait wait(const std::function<bool()>& done);
    Sent give_up(const chain::SendIntent& intent, Wait why);
    void narrate(std::string_view key);
    void say(std::string text);

    Options options_;
    net::Loop loop_;
    SystemClock clock_;
    NullLog log_;
    bool is_interrupted_ = false;
    /// The last line on stderr.
    std::string said_;
    std::map<std::string, Result<chain::Inclusion>> outcomes_;
    std::unique_ptr<node::ChainClient> client_;
};

}  // namespace teetee::cli
