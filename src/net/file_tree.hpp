// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace teetee::net {

struct TreeLimits {
    /// Files and folders together.
    size_t entries_max = 0;
    /// Of all files together.
    size_t bytes_max = 0;
    /// Folders in folders.
    size_t depth_max = 8;
};

/// All files below a folder, by their paths in it ("assets/app.js"). Links in it are refused,
/// wherever they lead, and so is all that is neither file nor folder: nothing that lies elsewhere
/// is read. The folder itself may be a link. Errors, which name the path: not_found (no such
/// folder), limit_exceeded, io_failed.
Result<std::map<std::string, Bytes>> read_tree(const std::string& folder, const TreeLimits& limits);

}  // namespace teetee::net
