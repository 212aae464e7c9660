// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "base/bytes.hpp"
#include "base/world.hpp"

namespace teetee::attest {

/// Where a JSON value stands and which error a fault in it is.
struct JsonPlace {
    std::string component;
    ErrorCode code;

    Error wrong(std::string_view have, std::string_view need) const;
    /// "component.key", or "component[index]".
    JsonPlace at(std::string_view key) const { return {component + "." + std::string(key), code}; }
    JsonPlace at(size_t index) const {
        return {component + "[" + std::to_string(index) + "]", code};
    }
};

/// The members of an object by key and type, with errors that name place, have and need. Looks into
/// a value of which its user takes care.
class JsonObject {
  public:
    static Result<JsonObject> of(const boost::json::value& value, JsonPlace place);

    const JsonPlace& place() const { return place_; }
    bool has(std::string_view key) const { return object_->contains(key); }

    Result<std::string_view> text(std::string_view key) const;
    Result<bool> boolean(std::string_view key) const;
    /// An integer from 0 to value_max.
    Result<uint64_t> number(std::string_view key, uint64_t value_max) const;
    /// As Intel writes times; see parse_utc.
    Result<UnixSeconds> time(std::string_view key) const;
    Result<JsonObject> object(std::string_view key) const;
    /// From 1 to count_max elements.
    Result<const boost::json::array*> array(std::string_view key, size_t count_max) const;
    /// From none to count_max elements.
    Result<const boost::json::array*> array_or_empty(std::string_view key, size_t count_max) const;
    /// 2 * N hex digits.
    template <size_t N>
    Result<ByteArray<N>> hex(std::string_view key) const {
        TT_TRY(const std::string_view digits, text(key));
        const auto bytes = array_from_hex<N>(digits);
        if (!bytes) return place_.at(key).wrong(bytes.error().detail, hex_digits(N));
        return bytes;
    }

    static std::string hex_digits(size_t byte_count) {
        return std::to_string(2 * byte_count) + " hex digits";
    }

  private:
    JsonObject(const boost::json::object& object, JsonPlace place)
        : object_(&object), place_(std::move(place)) {}
    Result<const boost::json::value*> member(std::string_view key, std::string_view need) const;

    const boost::json::object* object_;
    JsonPlace place_;
};

/// The string in a value. Error: the place's code.
Result<std::string_view> json_text(const boost::json::value& value, const JsonPlace& place);

}  // namespace teetee::attest
