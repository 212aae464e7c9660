// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace teetee::client {

/// Where an entry can be asked; either may be "". Nothing of it is proven: an entry shows its
/// evidence before it is told anything.
struct ListedEntry {
    std::string api_url;
    /// With the attested certificate.
    std::string api_tls_url;
    bool operator==(const ListedEntry&) const = default;
};

/// The body of GET /v1/entries. What is no URL is left out, as is what is beyond entries_max.
/// Errors: invalid_json, limit_exceeded.
Result<std::vector<ListedEntry>> parse_entry_list(std::string_view body);

}  // namespace teetee::client
