// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string_view>

#include <boost/json/object.hpp>

#include "api/paid_answer.hpp"

namespace teetee::api {

/// {"payer", "pool", "session_key", "ceiling", "expiry", "salt", "signature"}, each once and
/// nothing else: the members of the EIP-712 type Voucher and its payer's signature. Numbers are
/// JSON's or decimal strings, the rest 0x-hex. Errors: invalid_json, invalid_utf8, field_invalid.
Result<billing::SignedVoucher> parse_signed_voucher(std::string_view body);

/// POST /v1/vouchers: has the entry open it, and says how far that is: {"voucher", "state"}. Calls
/// back once, maybe at once. Errors: as above, of node::VoucherOpener; route_unknown where the
/// entry opens none.
void open_voucher(const Billing* billing, std::string_view body,
                  std::function<void(Result<boost::json::object>)> done);

}  // namespace teetee::api
