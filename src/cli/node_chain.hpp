// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "api/chain_views.hpp"
#include "api/paid_answer.hpp"
#include "cli/chain_option.hpp"
#include "cli/self_registration.hpp"
#include "cli/state_folder.hpp"
#include "cli/wallet_option.hpp"
#include "node/contract_registry.hpp"
#include "node/money.hpp"
#include "node/node.hpp"
#include "node/settlement_signers.hpp"
#include "node/voucher_opener.hpp"

namespace teetee::cli {

/// What `teetee node` is told of the chain.
struct NodeChainOption {
    ChainOption chain;
    WalletOption wallet;
    uint64_t pool = 0;
    /// Ledger, receipt key, and what is known of the chain.
    std::string state_folder;
    /// For whom the node signs a registration, and where it is written.
    std::string host;
    std::string registration_path;
    /// With the wallet's key, which is then the host's.
    bool is_self_registering = false;
    bool is_tee_wallet = false;
    std::string verifier_kind;
    int64_t settle_s = 600;
    uint64_t settle_credits = 0;
    uint64_t settle_gas_percent = 5;
    int64_t settle_absent_hours = 6;
    uint64_t confirmations = 3;
    bool opens_no_vouchers = false;
    /// 0: so much that gas takes a twentieth of it.
    uint64_t voucher_ceiling_min = 0;
    uint32_t vouchers_per_hour = 120;
    uint32_t settlements_reserved = 10;

    void add_to(CLI::App& command);
    /// Answers are paid for.
    bool is_used() const { return pool != 0; }
};

/// A node's part in the chain: what it follows, what it is paid by, how it is registered. Lives on
/// the loop's thread.
class NodeChain {
  public:
    struct World {
        net::Loop& loop;
        const Clock& clock;
        Rng& rng;
        Log& log;
        attest::EvidenceProvider& tee;
        /// Whom to dial besides the contract's nodes; null: nobody.
        Registry* beside = nullptr;
    };

    /// Follows the chain from now on. Errors: of the options, config_invalid naming what lacks; of
    /// ChainClient::start.
    static Result<std::unique_ptr<NodeChain>> start(const World& world,
                                                    const NodeChainOption& option);
    ~NodeChain();

    void put_into(node::NodeOptions& options) const;
    Registry& registry() { return *registry_; }
    /// Once the node is up: opens an entry's till, writes the registration, has it registered.
    /// `names`: what clients call this entry, see api::SignIns. Errors: of Money::start, and of
    /// writing.
    Result<void> attach(node::Node& node, const std::vector<std::string>& names);
    node::MoneyReport report() const;
    /// What pages are told; it MUST NOT outlive this.
    api::ChainWindow window(std::vector<std::string> rpc_urls) const;
    /// What --registration writes, as of now; nullopt without a host, and before attach().
    std::optional<std::string> registration_text() const;
    /// nullptr on nodes that are no entries.
    const api::Billing* billing() const { return billing_ ? &*billing_ : nullptr; }

  private:
    NodeChain(const World& world, NodeChainOption option, ChainTarget target);
    Result<void> open();
    Result<void> open_till(const std::vector<std::string>& names);
    Result<void> open_key();
    void open_vouchers();
    chain::RegistrationFile registration() const;
    Result<void> write_registration();

    World world_;
    NodeChainOption option_;
    ChainTarget target_;
    /// First to come and last to go: whose folder it is, nobody else reads or writes it.
    std::optional<LockedFolder> folder_;
    std::optional<crypto::SecpKey> key_;
    /// Zero where the node is to be registered by nobody.
    chain::Address host_{};
    std::unique_ptr<node::ChainClient> client_;
    std::optional<node::ContractRegistry> registry_;
    node::Node* node_ = nullptr;
    std::unique_ptr<node::Money> money_;
    std::optional<node::SettlementSigners> signers_;
    std::optional<node::VoucherOpener> opener_;
    std::optional<api::SignIns> sign_ins_;
    std::optional<api::Billing> billing_;
    std::optional<SelfRegistration> registrar_;
};

}  // namespace teetee::cli
