// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <variant>

#include "billing/till.hpp"

namespace teetee::billing {

/// A host that has signed in has a token of the entry's for an hour.
struct HostToken {
    ByteArray<32> token{};
    bool operator==(const HostToken&) const = default;
};
using PaymentClaim = std::variant<VoucherPayment, QueryPayment, HostToken>;

inline constexpr std::string_view payment_header_name = "teetee-payment";

/// How a client pays, by the header TeeTee-Payment:
///   voucher id=0x<64 hex digits>, amount=<credits>, signature=0x<130 hex digits>
///   voucher .., time=<Unix milliseconds>, request=0x<130 hex digits>
///   query id=<number>
///   host token=<64 hex digits>
/// with one space behind the word and ", " between members, in this order.
/// Error: payment_malformed.
Result<PaymentClaim> parse_payment(std::string_view text);

/// As a client writes it.
std::string encode_payment(const PaymentClaim& claim);

}  // namespace teetee::billing
