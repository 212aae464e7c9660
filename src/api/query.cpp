// SPDX-License-Identifier: Apache-2.0
#include "api/query.hpp"

#include <algorithm>

namespace teetee::api {

std::optional<std::string_view> query_parameter(std::string_view query, std::string_view name) {
    while (!query.empty()) {
        const size_t end = std::min(query.find('&'), query.size());
        const std::string_view parameter = query.substr(0, end);
        const size_t name_end = parameter.find('=');
        if (name_end != std::string_view::npos && parameter.substr(0, name_end) == name)
            return parameter.substr(name_end + 1);
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return {};
}

}  // namespace teetee::api
