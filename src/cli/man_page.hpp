// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/command_tree.hpp"

namespace teetee::cli {

/// "teetee-attest-verify": the page's name, and the file's before ".1".
std::string man_page_name(const CLI::App& command);

/// A command's manual page, section 1, in the language of man(7): what its --help says, and the
/// variables and keys that stand in for its flags. The same tree and version give the same bytes.
std::string man_page(const CLI::App& command, const std::string& version);

}  // namespace teetee::cli
