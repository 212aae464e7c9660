// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "base/registry.hpp"
#include "chain/contract_state.hpp"
#include "node/chain_client.hpp"

namespace teetee::node {

/// The live nodes of a pool, as the contract has them: whom to dial, and who may have prompts.
class ContractRegistry final : public Registry {
  public:
    /// References MUST outlive it, and so must `beside`, whose nodes are dialled as well; null:
    /// none.
    ContractRegistry(const ChainClient& chain, const Clock& clock, uint64_t pool,
                     Registry* beside = nullptr)
        : chain_(chain), clock_(clock), pool_(pool), beside_(beside) {}

    /// What was read last, also while the chain is in doubt: a node that is dialled shows its
    /// evidence whoever named it. Of the contract nothing before the chain was ever read. Error:
    /// not_ready where there is no such pool.
    Result<std::vector<RegistryEntry>> nodes() override;
    /// Whoever works on a prompt must be registered, or the settlement for it could never be made.
    /// While the chain is in doubt, what was known last counts for ten minutes: a revoked node's
    /// work can be settled for an hour. Errors: of MoneyView::live_until and ChainClient::money.
    Result<void> admits(const ByteArray<20>& node_id, LayerRange layers) override;

  private:
    struct Known {
        Instant at{};
        /// See MoneyView::live_until.
        Result<uint64_t> live_until;
    };
    void forget_old(Instant now);

    const ChainClient& chain_;
    const Clock& clock_;
    uint64_t pool_;
    Registry* beside_;
    std::map<std::pair<ByteArray<20>, LayerRange>, Known> known_;
};

/// Error: not_ready where there is no such pool.
Result<std::vector<RegistryEntry>> nodes_of_pool(const chain::ContractState& state, uint64_t pool,
                                                 uint64_t time);

}  // namespace teetee::node
