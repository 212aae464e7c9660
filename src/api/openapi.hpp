// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace teetee::api {

/// The description of the HTTP interface in OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0),
/// which is src/api/openapi.json.
std::string_view openapi_document();

}  // namespace teetee::api
