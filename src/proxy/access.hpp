// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/api_key_file.hpp"
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
    /// Of which a request must bring one; null: none is asked for. MUST outlive the rules.
    net::ApiKeyFile* keys = nullptr;
};

/// Why this request is refused; nullopt where it may pass.
std::optional<net::HttpError> refuse_access(const AccessRules& rules,
                                            const net::HttpRequest& request);

}  // namespace teetee::proxy
