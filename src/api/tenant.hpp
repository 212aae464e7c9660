// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "base/request.hpp"
#include "net/http_message.hpp"

namespace teetee::api {

/// Who shares cached prefixes with whom: a hash of the bearer token of RFC 6750 ("Authorization:
/// Bearer ..."). None without such a token: whoever sends none shares with nobody.
std::optional<Digest> tenant_of(const net::HttpHeaders& headers);

}  // namespace teetee::api
