// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "chain/registration_file.hpp"
#include "cli/wallet.hpp"

namespace teetee::cli {

/// What the contract's verifier takes besides the registration.
struct RegistrationOption {
    std::string verifier_kind;
    std::string evidence;
    std::string verifier_fee;

    void add_to(CLI::App& command);
};

/// Enrols the node of a registration, or gives the contract its new evidence, and tells what came
/// of it; `details` are told besides, with --json. Errors: of checked_registration; call_reverted
/// where the contract has the node already, or not; of Wallet::pay.
Result<void> register_node_of(const RegistrationOption& option, Wallet& wallet,
                              chain::RegistrationFile file, boost::json::object details,
                              Session& session);
Result<void> renew_node_of(const RegistrationOption& option, Wallet& wallet,
                           chain::RegistrationFile file, boost::json::object details,
                           Session& session);

}  // namespace teetee::cli
