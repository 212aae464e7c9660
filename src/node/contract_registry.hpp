// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/registry.hpp"
#include "chain/contract_state.hpp"
#include "node/chain_client.hpp"

namespace teetee::node {

/// The live nodes of a pool, as the contract has them: whom to dial.
class ContractRegistry final : public Registry {
  public:
    /// References MUST outlive it.
    ContractRegistry(const ChainClient& chain, const Clock& clock, uint64_t pool)
        : chain_(chain), clock_(clock), pool_(pool) {}

    /// What was read last, also while the chain is in doubt: a node that is dialled shows its
    /// evidence whoever named it. Empty before the chain was ever
    /// read. Error: not_ready where there is no such pool.
    Result<std::vector<RegistryEntry>> nodes() override;

  private:
    const ChainClient& chain_;
    const Clock& clock_;
    uint64_t pool_;
};

/// Error: not_ready where there is no such pool.
Result<std::vector<RegistryEntry>> nodes_of_pool(const chain::ContractState& state, uint64_t pool,
                                                 uint64_t time);

}  // namespace teetee::node
