// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace teetee::cli {

/// What was typed in earlier conversations, the newest last: a JSON text a line. Of more than the
/// limits the newest. Error: config_invalid.
Result<std::vector<std::string>> parse_history(std::string_view text);
/// Of the newest of them, as far as the limits go.
std::string encode_history(const std::vector<std::string>& lines);

/// The lines of a file, which is shortened where it has grown beyond the limits; none where there
/// is no file. Errors: config_invalid, io_failed.
Result<std::vector<std::string>> load_history(const std::string& path);
/// One line more, behind those that other conversations have added meanwhile; a new file is for
/// its owner alone. Error: io_failed.
Result<void> append_history(const std::string& path, const std::string& line);

}  // namespace teetee::cli
