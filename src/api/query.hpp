// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace teetee::api {

/// The value of the first parameter of this name in the query of an URL ("a=1&b=2"), as it stands
/// there.
std::optional<std::string_view> query_parameter(std::string_view query, std::string_view name);

}  // namespace teetee::api
