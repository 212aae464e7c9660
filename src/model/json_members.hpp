// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/result.hpp"

namespace teetee::model {

/// Parses a JSON text of bounded size and depth into a tree. `where` names the text in errors.
/// Errors: limit_exceeded, invalid_json.
Result<boost::json::value> parse_json_tree(std::string_view text, std::string_view where);

/// Typed look-ups in a foreign JSON object, which MUST outlive it. A member that is null counts as
/// absent. Remembers which members were asked for. Errors: `code`, naming the path to the member.
class JsonMembers {
  public:
    /// Error: `code`, when the value is no object.
    static Result<JsonMembers> of(const boost::json::value& value, std::string where,
                                  ErrorCode code);

    /// Null when absent.
    const boost::json::value* find(std::string_view key);
    Result<std::optional<std::string>> string(std::string_view key);
    Result<std::optional<bool>> boolean(std::string_view key);
    Result<std::optional<uint32_t>> u32(std::string_view key);
    Result<std::optional<double>> number(std::string_view key);
    /// An error when absent.
    Result<std::string> required_string(std::string_view key);

    void ignore(std::initializer_list<std::string_view> keys);
    /// A member that nobody asked for may ask for something that is not done.
    Result<void> ensure_all_taken() const;

    Error invalid(std::string_view key, std::string_view why) const;
    std::string path_of(std::string_view key) const;

  private:
    JsonMembers(const boost::json::object& object, std::string where, ErrorCode code)
        : object_(&object), where_(std::move(where)), code_(code) {}

    const boost::json::object* object_;
    std::string where_;
    ErrorCode code_;
    std::set<std::string, std::less<>> taken_;
};

}  // namespace teetee::model
