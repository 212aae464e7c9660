// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/http_message.hpp"

namespace teetee::net {

/// "" for a field that is not there.
inline std::string_view field(const HttpHeaders& headers, std::string_view name) {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace teetee::net
