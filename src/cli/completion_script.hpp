// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/command_tree.hpp"

namespace teetee::cli {

enum class Shell { bash, zsh, fish };

/// A script that completes commands, options, the values of options that have a list of them, and
/// files for those that take a text. The same tree gives the same bytes.
std::string completion_script(const CLI::App& root, Shell shell);

}  // namespace teetee::cli
