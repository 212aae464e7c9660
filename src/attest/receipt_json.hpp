// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "attest/receipt.hpp"

namespace teetee::attest {

/// Stands in every receipt whose quotes prove nothing about hardware.
inline constexpr std::string_view simulated_notice =
    "SIMULATED: these quotes come from a development TEE and protect nothing";

/// The one encoding of a receipt, the file that a client keeps (docs/receipts.md).
std::string encode_receipt(const Receipt& receipt);

/// Strict: what encode_receipt writes, byte for byte but for a newline at the end, every member
/// within its limits. Nothing is verified yet. Error: receipt_malformed.
Result<Receipt> parse_receipt(std::string_view text);

}  // namespace teetee::attest
