// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "base/result.hpp"

// Reading what hubs answer in JSON; pure.
namespace teetee::hub {

/// Errors: hub_malformed naming `where`, limit_exceeded.
Result<boost::json::value> parse_answer(std::string_view json, std::string_view where);

/// "" for a member that is not there or no string.
std::string_view text_at(const boost::json::object& object, std::string_view key);
/// A whole number from 0 to file_bytes_max; nullopt for anything else.
std::optional<uint64_t> byte_count_at(const boost::json::object& object, std::string_view key);

/// A foreign text for people to read: printable ASCII, cut to shown_text_bytes_max.
std::string shown(std::string_view text);

}  // namespace teetee::hub
