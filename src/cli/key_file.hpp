// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.hpp"

namespace teetee::cli {

/// The API key that a file has on its one line: command lines are for all to see. Errors: of
/// reading, config_invalid.
Result<std::string> read_key_file(const std::string& path);

}  // namespace teetee::cli
