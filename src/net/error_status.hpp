// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/error.hpp"

namespace teetee::net {

/// The HTTP status an error is answered with, and OpenAI's "type" for it.
struct ErrorStatus {
    int status;
    std::string_view type;
};
ErrorStatus status_for(ErrorCode code);

}  // namespace teetee::net
