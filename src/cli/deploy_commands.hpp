// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command.hpp"

// Commands that deployments are made with (docs/deploy.md), one file each.
namespace teetee::cli {

/// A slot of a pool, from its choice to its registration.
void add_host(CLI::App& app, Session& session);
void add_deploy(CLI::App& app, Session& session);
/// Of 'attest'.
void add_attest_measure(CLI::App& attest, Session& session);

}  // namespace teetee::cli
