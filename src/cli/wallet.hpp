// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/chain_session.hpp"
#include "cli/command.hpp"
#include "cli/pending_commands.hpp"
#include "cli/wallet_option.hpp"

namespace teetee::cli {

/// --dry-run, --yes and the rest of what all commands that send have.
struct SendOption {
    bool is_dry_run = false;
    bool is_agreed = false;
    std::string once;
    uint64_t confirmations = 0;
    uint64_t wait_seconds = 300;
    std::string max_fee_gwei;

    void add_to(CLI::App& command);
};

/// All flags of a command that sends.
struct WalletOptions {
    ChainOption chain;
    WalletOption wallet;
    SendOption send;
    /// The command signs more than its transaction, so that a dry run takes the key too.
    bool is_signing = false;

    void add_to(CLI::App& command);
};

/// All flags of a command that looks at an account's affairs.
struct ViewOptions {
    ChainOption chain;
    WalletOption wallet;
    AccountOption account;

    void add_to(CLI::App& command);
};

/// A transaction that a command wants.
struct Order {
    /// As it goes on behind "would": "buy 10 credits for 0.00001 ETH".
    std::string summary;
    chain::U256 value{};
    Bytes data{};
};

/// What came of it.
struct Paid {
    chain::Inclusion inclusion{};
    /// An earlier run of the command sent it.
    bool is_resumed = false;
};

/// An account's dealings with the contract: each command's transaction happens once, though the
/// command be killed at any moment and run again (PendingCommands).
class Wallet {
  public:
    /// Reads flags and files, unlocks the key (not for a dry run) and waits while another command
    /// has the account. Errors: those of all these; not_ready when it waits in vain.
    static Result<std::unique_ptr<Wallet>> open(const WalletOptions& options);

    const chain::Address& account() const { return account_; }
    /// Nullptr in a dry run, unless the command signs.
    const crypto::SecpKey* key() const { return session_->key(); }
    const chain::U256& wei_per_credit() const { return chain().facts().wei_per_credit; }
    ChainSession& chain() const { return *session_; }
    /// "10 credits (0.00001 ETH)".
    std::string worth(const chain::U256& credits) const;

    /// Before anything is checked: says what the command does, always in the same words, and
    /// whether an earlier run has done so, or begun to; then checks are behind it.
    /// Error: invalid_argument when the name of --once is another command's.
    Result<bool> is_begun(std::string command);

    /// Sends what the command wants, or goes on with what an earlier run sent. nullopt after a dry
    /// run, which has said everything, or when somebody said no. Errors: call_reverted with what
    /// helps, transaction_failed, and those of ChainSession::send.
    Result<std::optional<Paid>> pay(const Order& order, Session& session);

    /// Says how it ended; only then another run of the same command is another one. `details` go
    /// into the JSON beside the transaction.
    void tell(const Paid& paid, const std::string& text, boost::json::object details,
              Session& session);

    /// The event of that kind in the transaction, by one endpoint's word.
    template <class Event>
    Result<Event> event_of(const chain::Inclusion& inclusion) {
        TT_TRY(const auto logs, logs_of(inclusion));
        for (const chain::Log& log : logs) {
            if (log.contract != chain().target().deployment.contract || log.topics.empty() ||
                log.topics.front() != Event::topic) {
                continue;
            }
            return Event::decode(log.event());
        }
        return fail(ErrorCode::rpc_malformed, "the transaction lacks the event that it must have");
    }

  private:
    struct Estimate;
    explicit Wallet(const SendOption& options) : options_(options) {}
    Result<void> load(const WalletOptions& options);
    Result<LockedFolder> lock(const ChainTarget& target, const ChainFacts& facts) const;
    Result<void> save() const;
    std::string pending_path() const { return folder_path_ + "/commands.json"; }
    void note_outcomes();

    Result<Estimate> estimate(const Order& order);
    Result<chain::U256> publishing_cost(const Order& order, const Estimate& estimate);
    Result<bool> agree(const Order& order, Session& session);
    void show(const Order& order, const Estimate& estimate, Session& session) const;
    Result<chain::Inclusion> send(const chain::SendIntent& intent);
    Result<std::vector<chain::Log>> logs_of(const chain::Inclusion& inclusion);

    SendOption options_;
    chain::Address account_{};
    std::string folder_path_;
    std::unique_ptr<ChainSession> session_;
    PendingCommands pending_;
    std::string command_;
    /// Of the sender.
    std::string key_;
    bool is_begun_ = false;
};

/// What only looks: follows the contract without a key.
Result<std::unique_ptr<ChainSession>> open_view(const ChainOption& option);

}  // namespace teetee::cli
