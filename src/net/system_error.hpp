// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.hpp"

namespace teetee::net {

/// What the kernel said of a file: not_found where there is none, else io_failed. `action` is what
/// was tried ("open"). MUST be called before errno changes again.
Error system_error(const std::string& path, const char* action);

}  // namespace teetee::net
