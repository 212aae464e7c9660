// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/bytes.hpp"

namespace teetee::net {

// Files that a kernel makes up as they are read, in /sys and the like: their size is not told
// beforehand, and a read or write means something. Errors name the path and the system's reason:
// not_found, io_failed, limit_exceeded.

/// Until its end. Waits for as long as the kernel lets it.
Result<Bytes> read_kernel_file(const std::string& path, size_t bytes_max);

/// In one write.
Result<void> write_kernel_file(const std::string& path, ByteView content);

}  // namespace teetee::net
