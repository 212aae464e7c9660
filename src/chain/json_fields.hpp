// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "chain/u256.hpp"

namespace teetee::chain {

/// Reads members of one JSON object by key and type. Unknown members are passed over: wallets and
/// chains of different kinds add their own. Errors have the given code and name the member, what it
/// has and what it needs. Looks into a value that MUST outlive it.
class JsonFields {
  public:
    static Result<JsonFields> of(const boost::json::value& value, std::string name, ErrorCode code);

    /// Not there, or null.
    bool is_absent(std::string_view key) const;
    Result<const boost::json::value*> value(std::string_view key) const;
    Result<JsonFields> object(std::string_view key) const;
    Result<const boost::json::array*> array(std::string_view key, size_t count_max) const;
    Result<std::string_view> text(std::string_view key) const;
    /// A JSON number from 0 to `most`.
    Result<uint64_t> number(std::string_view key, uint64_t most) const;
    /// JSON-RPC's form of numbers, see U256::from_quantity.
    Result<U256> quantity(std::string_view key) const;
    Result<uint64_t> quantity_u64(std::string_view key) const;
    /// Hex digits with 0x before them.
    Result<Bytes> data(std::string_view key, size_t bytes_max) const;
    /// Hex digits with or without 0x before them.
    Result<Bytes> hex(std::string_view key, size_t bytes_max) const;
    /// As data, for exactly N bytes.
    template <size_t N>
    Result<ByteArray<N>> array_data(std::string_view key) const {
        TT_TRY(const Bytes bytes, data(key, N));
        if (bytes.size() != N)
            return wrong(key, std::to_string(bytes.size()) + " bytes", std::to_string(N));
        ByteArray<N> out;
        for (size_t i = 0; i < N; ++i) out[i] = bytes[i];
        return out;
    }

    /// Error for a member that is not listed.
    Result<void> ensure_only(std::span<const std::string_view> keys) const;

    Error wrong(std::string_view key, std::string_view have, std::string_view need) const;

  private:
    JsonFields(const boost::json::object& object, std::string name, ErrorCode code)
        : object_(&object), name_(std::move(name)), code_(code) {}

    const boost::json::object* object_;
    std::string name_;
    ErrorCode code_;
};

}  // namespace teetee::chain
