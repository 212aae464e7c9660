// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/chain_session.hpp"

namespace teetee::cli {

/// A pool, its slots and who serves them, as of `now` (Unix seconds).
struct PoolSight {
    uint64_t id = 0;
    const chain::PoolRecord* pool = nullptr;
    const chain::ContractState* state = nullptr;
    chain::U256 wei_per_credit{};
    uint64_t now = 0;

    /// How many nodes of a slot are live.
    size_t live_nodes(uint64_t slot) const;
};

/// One line.
std::string pool_line(const PoolSight& sight);
std::string pool_text(const PoolSight& sight);
boost::json::object pool_json(const PoolSight& sight);

/// "2 credits (0.000002 ETH) a prompt token, 5 credits (..) a completion token".
std::string prices_text(const chain::Prices& prices, const chain::U256& wei_per_credit);

}  // namespace teetee::cli
