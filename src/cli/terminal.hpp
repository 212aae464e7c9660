// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "crypto/secret.hpp"

namespace teetee::cli {

/// Whether somebody can be asked: stdin and stderr are terminals.
bool has_terminal();

/// Asks on the terminal without echo. Errors: invalid_argument for none or one that is too long;
/// io_failed without a terminal.
Result<crypto::SecretBytes> ask_password(const std::string& question);

/// Asks on the terminal; only "y" and "yes" are that.
bool ask_yes(const std::string& question);

}  // namespace teetee::cli
