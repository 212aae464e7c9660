// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "chain/contract_state.hpp"
#include "cli/registration_call.hpp"
#include "net/loop.hpp"
#include "node/chain_client.hpp"

namespace teetee::cli {

/// What a node's registration lacks, by the contract's state.
struct RegistrationStep {
    enum class Kind { none, enrol, renew };
    Kind kind = Kind::none;
    /// Of a node that is there.
    uint64_t node = 0;
    /// Names the transaction: the same statement, for the same end of the registration before, is
    /// the same one.
    std::string key{};
};

/// The node is registered where it is not, and renewed where the contract has another statement of
/// it, or where its registration ends within `soon` seconds and before the statement. Error:
/// call_reverted where the contract takes no more of this receipt key: the node left, or is of
/// another pool or slot.
Result<RegistrationStep> next_step(const chain::ContractState& state,
                                   const chain::RegistrationFile& file,
                                   const attest::Statement& statement, uint64_t now, uint64_t soon);

/// Keeps a node registered with the wallet of its own host. Lives on the loop's thread.
class SelfRegistration {
  public:
    struct World {
        net::Loop& loop;
        const Clock& clock;
        Log& log;
    };
    struct Options {
        ChainTarget target{};
        /// See verifier_kind.
        std::string verifier_kind{};
        /// The wallet whose key the client sends with.
        chain::Address host{};
        crypto::Address receipt_key{};
        Duration interval = std::chrono::seconds(1);
        /// After a transaction that came to nothing, or could not be made.
        Duration pause = std::chrono::minutes(1);
    };
    using MakeFile = std::function<chain::RegistrationFile()>;

    /// References MUST outlive it; `make_file` is of the node's current statement.
    SelfRegistration(const World& world, Options options, node::ChainClient& chain,
                     MakeFile make_file);

    void on_outcome(const chain::SendOutcome& outcome);

  private:
    void tick();
    Result<void> look();
    bool is_under_way() const;
    void tell(const std::string& trouble);

    World world_;
    Options options_;
    node::ChainClient& chain_;
    MakeFile make_file_;
    /// Of the intent that has no outcome yet; "" for none.
    std::string pending_;
    /// How often each has come to nothing: whatever is tried again is another transaction.
    std::map<std::string, unsigned> failures_;
    Instant not_before_{};
    std::string told_;
    net::Timer timer_;
};

}  // namespace teetee::cli
