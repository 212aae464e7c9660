// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "base/world.hpp"

namespace teetee::net {

/// "Sun, 06 Nov 1994 08:49:37 GMT", the one form that may still be sent (RFC 9110 section 5.6.7);
/// nullopt for any other.
std::optional<UnixSeconds> parse_http_date(std::string_view text);

}  // namespace teetee::net
