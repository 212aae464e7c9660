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
    /// Names, as of clean_host, under which it may be asked beside localhost and plain addresses: a
    /// page whose own name was made to lead here (DNS rebinding) asks under that name.
    std::vector<std::string> hosts{};
    /// Of pages that may ask from a browser, as of clean_origin: "http://localhost:3000".
    std::vector<std::string> origins{};
    /// Of which a request must bring one; null: none is asked for. MUST outlive the rules.
    net::ApiKeyFile* keys = nullptr;
};

/// A name as Host has it, in lower case; an origin as a browser writes it, in lower case and
/// without the port that its scheme has anyway. Error: invalid_argument, with what is needed.
Result<std::string> clean_host(std::string_view text);
Result<std::string> clean_origin(std::string_view text);

/// Whether a page asks that is listed, and may read what it is answered.
bool is_listed_page(const AccessRules& rules, const net::HttpRequest& request);
/// Why this request is refused; nullopt where it may pass.
std::optional<net::HttpError> refuse_access(const AccessRules& rules,
                                            const net::HttpRequest& request);

}  // namespace teetee::proxy
