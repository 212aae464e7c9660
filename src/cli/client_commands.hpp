// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command.hpp"

namespace teetee::cli {

// What asks a network on behalf of others; one file each.
void add_serve_local(CLI::App& app, Session& session);

}  // namespace teetee::cli
