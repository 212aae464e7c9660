// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the files of 'teetee pool' have in common.

#include "chain/contract_records.hpp"
#include "cli/command.hpp"

namespace teetee::cli {

/// "2,5". Error: invalid_argument.
Result<chain::Prices> parse_prices(const std::string& text);

void add_pool_create(CLI::App& pool, Session& session);
/// prices, policy, measurement, close, offer, take.
void add_pool_changes(CLI::App& pool, Session& session);

}  // namespace teetee::cli
