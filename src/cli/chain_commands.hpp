// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command.hpp"

// The commands that deal with the contract (docs/wallet.md), one file each.
namespace teetee::cli {

void add_account(CLI::App& app, Session& session);
void add_credits(CLI::App& app, Session& session);
void add_voucher(CLI::App& app, Session& session);
void add_pool(CLI::App& app, Session& session);
/// 'register', 'renew' and 'leave'.
void add_register(CLI::App& app, Session& session);
/// 'earnings' and 'withdraw'.
void add_earnings(CLI::App& app, Session& session);
void add_settle(CLI::App& app, Session& session);

}  // namespace teetee::cli
