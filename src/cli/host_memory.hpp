// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace teetee::cli {

/// What this machine, or the container whose root control group this process sees, could still give
/// to programs; 0 where the kernel does not say.
uint64_t available_memory_bytes();

}  // namespace teetee::cli
