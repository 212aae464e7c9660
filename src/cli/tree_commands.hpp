// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command.hpp"
#include "cli/command_tree.hpp"

// Commands that speak of others: of what they take, or of how they would fare.
namespace teetee::cli {

/// Takes what 'node' takes.
void add_doctor(CLI::App& app, Session& session);
// These need a tree of their own.
void add_config(CLI::App& app, Session& session, const AddCommands& add_commands);
void add_man(CLI::App& app, Session& session, const AddCommands& add_commands);
void add_completion(CLI::App& app, Session& session, const AddCommands& add_commands);

}  // namespace teetee::cli
