// SPDX-License-Identifier: Apache-2.0
#include "net/system_error.hpp"

#include <cerrno>
#include <cstring>

namespace teetee::net {

Error system_error(const std::string& path, const char* action) {
    const int number = errno;
    const ErrorCode code = number == ENOENT ? ErrorCode::not_found : ErrorCode::io_failed;
    return fail(code, path + ": cannot " + action + ": " + std::strerror(number));
}

}  // namespace teetee::net
