// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "crypto/hash.hpp"
#include "net/http_message.hpp"

namespace teetee::proxy {

/// Who may ask. Every program of the machine, and every page in a browser on it, can reach a local
/// port.
struct AccessRules {
    /// Names, in lower case, under which it may be asked beside localhost and plain addresses: a
    /// page whose own name was made to lead here (DNS rebinding) asks under that name.
    std::vector<std::string> hosts{};
    /// Of pages that may ask from a browser, as a browser writes them: "http://localhost:3000".
    std::vector<std::string> origins{};
    /// SHA-256 of each key, of which a request must bring one; empty: none is asked for.
    std::vector<Digest> key_hashes{};
};

/// Why this request is refused; nullopt where it may pass.
std::optional<net::HttpError> refuse_access(const AccessRules& rules,
                                            const net::HttpRequest& request);

/// A key a line; empty lines, and those that begin with '#', are none. Errors: config_invalid,
/// which never quotes a key; limit_exceeded.
Result<std::vector<Digest>> parse_key_file(std::string_view text);

/// The token of "Authorization: Bearer TOKEN"; "" where there is none.
std::string_view bearer_token(const net::HttpHeaders& headers);

}  // namespace teetee::proxy
