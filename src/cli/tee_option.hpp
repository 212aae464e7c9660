// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "attest/evidence.hpp"
#include "base/world.hpp"

namespace teetee::cli {

/// --tee auto|dstack|tsm|dev and what goes with it: whose evidence a node shows.
struct TeeOption {
    std::string kind = "auto";
    /// Seed file of the dev TEE. Naming one is asking for the dev TEE.
    std::string dev_seed;
    /// Of the guest agent; empty for the usual places.
    std::string dstack_socket;

    void add_to(CLI::App& command);
    /// Which was taken, and why, goes to the log; a simulated TEE as a warning.
    /// Errors: invalid_argument; evidence_unavailable, with every place that was looked at.
    Result<std::unique_ptr<attest::EvidenceProvider>> open(Log& log, UnixSeconds now) const;
};

}  // namespace teetee::cli
