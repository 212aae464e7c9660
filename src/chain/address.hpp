// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/secp256k1.hpp"

namespace teetee::chain {

using crypto::Address;

/// 0x and 40 hex digits whose case is a checksum (EIP-55).
std::string to_checksum_text(const Address& address);

/// 0x and 40 hex digits: all of lower case, all of upper case, or with a checksum that holds.
/// Error: account_malformed.
Result<Address> parse_address(std::string_view text);

/// Where the contract comes to stand that `creator` deploys with the transaction of that nonce.
Address contract_address(const Address& creator, uint64_t nonce);

}  // namespace teetee::chain
