// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/collateral_option.hpp"
#include "cli/registration_command.hpp"
#include "cli/slot_choice.hpp"
#include "cli/slot_files.hpp"

namespace teetee::cli {

/// What 'teetee host' takes.
struct HostOptions : WalletOptions {
    uint64_t pool = 0;
    std::optional<uint64_t> slot;
    std::string dir;
    SlotFilesOptions files;
    bool fetch_only = false;
    bool no_fetch = false;
    // What is written.
    std::string image;
    std::string dev_tee;
    std::string image_measurements;
    std::string app_id;
    std::string account;
    std::string advertise;
    std::vector<std::string> next;
    std::string gateway;
    // What is registered.
    std::string deployed;
    bool no_dial = false;
    CollateralOption collateral;
    RegistrationOption registration;

    void add_to(CLI::App& command);
    /// --dir, or where a slot's files lie without it.
    std::string folder(uint64_t slot) const;
    SlotFilesOptions slot_files(uint64_t slot) const;
};

/// Errors: call_reverted where the contract has no such pool.
Result<PoolSight> find_pool(const ChainSession& chain, uint64_t id, uint64_t now);

/// The second part, once the node runs: its evidence is judged as its neighbours would, and the
/// contract is told of it. Errors: connect_failed and what else asking it brings; of
/// attest::verify_evidence; of register_node_of.
Result<void> register_deployed(const HostOptions& options, Session& session);

}  // namespace teetee::cli
