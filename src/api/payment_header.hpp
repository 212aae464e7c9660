// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include "billing/till.hpp"
#include "net/http_message.hpp"

namespace teetee::api {

/// A host that has signed in; the token is of SignIns.
struct HostToken {
    ByteArray<32> token{};
    bool operator==(const HostToken&) const = default;
};
using PaymentClaim = std::variant<billing::SignedSpend, billing::QueryPayment, HostToken>;

/// How a client pays, by the header TeeTee-Payment:
///   voucher id=0x<64 hex digits>, amount=<credits>, signature=0x<130 hex digits>
///   query id=<number>
///   host token=<64 hex digits>
/// with one space behind the word and ", " between members, in this order. nullopt without the
/// header. Error: payment_malformed.
Result<std::optional<PaymentClaim>> payment_of(const net::HttpHeaders& headers);
Result<PaymentClaim> parse_payment(std::string_view text);

/// As a client writes it.
std::string encode_payment(const PaymentClaim& claim);

}  // namespace teetee::api
