// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "chain/address.hpp"
#include "chain/json_fields.hpp"

namespace teetee::client {

/// A number of 64 bits in a string, as not every reader of JSON holds so much in a number.
inline Result<uint64_t> big_number(const chain::JsonFields& fields, std::string_view key) {
    TT_TRY(const auto text, fields.text(key));
    const auto number = chain::U256::from_decimal(text);
    const auto value = number ? number->to_u64() : std::nullopt;
    if (!value) return fields.wrong(key, quote_foreign(text), "a number of 64 bits in a string");
    return *value;
}

/// In any case of letters.
inline Result<chain::Address> address_at(const chain::JsonFields& fields, std::string_view key) {
    TT_TRY(const auto text, fields.text(key));
    const auto address = chain::parse_address(text);
    if (!address) return fields.wrong(key, quote_foreign(text), "an address");
    return *address;
}

}  // namespace teetee::client
