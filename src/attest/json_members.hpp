// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "base/bytes.hpp"

namespace teetee::attest {

/// Reads the members of one JSON object, each of a known type and range, and in the end that there
/// are no others. Errors are of the code that the object was made with and name the member, what it
/// has and what it needs. The value MUST outlive it.
class JsonMembers {
  public:
    static Result<JsonMembers> of(const boost::json::value& value, std::string name,
                                  ErrorCode code);

    bool has(std::string_view key) const;
    Result<std::string_view> text(std::string_view key, size_t bytes_max);
    Result<uint64_t> number(std::string_view key, uint64_t max);
    /// A decimal string, for what a JSON number cannot hold everywhere.
    Result<uint64_t> big_number(std::string_view key);
    Result<double> real(std::string_view key);
    Result<bool> flag(std::string_view key);
    Result<Bytes> base64(std::string_view key, size_t bytes_max);
    Result<const boost::json::array*> array(std::string_view key, size_t count_max);
    Result<JsonMembers> object(std::string_view key);

    /// 0x-hex of exactly N bytes.
    template <size_t N>
    Result<ByteArray<N>> hex(std::string_view key) {
        TT_TRY(const auto digits, text(key, 2 + 2 * N));
        auto bytes = array_from_hex<N>(digits);
        if (!bytes || !digits.starts_with("0x"))
            return wrong(key, "another text", "0x and " + std::to_string(2 * N) + " hex digits");
        return bytes;
    }

    /// Error unless every member was asked for.
    Result<void> ensure_read() const;

    Error wrong(std::string_view key, std::string_view have, std::string_view need) const;

  private:
    JsonMembers(const boost::json::object& object, std::string name, ErrorCode code)
        : object_(&object), name_(std::move(name)), code_(code) {}
    Result<const boost::json::value*> member(std::string_view key);

    const boost::json::object* object_;
    std::string name_;
    ErrorCode code_;
    std::set<std::string, std::less<>> read_;
};

}  // namespace teetee::attest
