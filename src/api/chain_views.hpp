// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <boost/json/value.hpp>

#include "chain/contract_state.hpp"
#include "chain/typed_data.hpp"

namespace teetee::api {

/// What an entry tells pages of the contract that it follows. For display: whoever decides by it
/// asks the chain.
struct ChainWindow {
    chain::Deployment deployment{};
    /// The contract's events begin there, or later.
    uint64_t from_block = 0;
    /// That this entry serves.
    uint64_t pool = 0;
    /// Where pages may ask the chain themselves; public to everybody who opens one.
    std::vector<std::string> rpc_urls{};
    /// As of now, not all of it settled.
    std::function<const chain::ContractState&()> state{};
    /// Up to which the state goes.
    std::function<uint64_t()> block{};
};

/// The member "chain" of /v1/network; null without one.
boost::json::value chain_view(const ChainWindow* chain);

}  // namespace teetee::api
