// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "base/request.hpp"
#include "base/result.hpp"

namespace teetee::api {

/// A request body: a JSON object, at most json_depth_max deep. Errors: invalid_json, invalid_utf8.
Result<boost::json::object> parse_body(std::string_view body);

/// Typed look-ups in a request. An absent field and null are nullopt; a wrong type or a value out
/// of range is field_invalid, naming the field. Fields that nobody looks up are ignored.
Result<std::optional<std::string>> string_field(const boost::json::object& body,
                                                std::string_view name);
Result<std::optional<bool>> bool_field(const boost::json::object& body, std::string_view name);
Result<std::optional<double>> number_field(const boost::json::object& body, std::string_view name);
Result<std::optional<boost::json::object>> object_field(const boost::json::object& body,
                                                        std::string_view name);

struct IntegerRange {
    int64_t least;
    int64_t most;
};
Result<std::optional<int64_t>> integer_field(const boost::json::object& body, std::string_view name,
                                             IntegerRange range);

/// A list of at most token_ids_max token ids. Error: field_invalid.
Result<std::vector<TokenId>> token_ids_of(const boost::json::value& value, std::string_view name);
/// The same; empty where it is absent.
Result<std::vector<TokenId>> token_ids_field(const boost::json::object& body,
                                             std::string_view name);

}  // namespace teetee::api
