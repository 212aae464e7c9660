// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <boost/json/object.hpp>

#include "api/api_keys.hpp"
#include "api/paid_answer.hpp"
#include "net/http_message.hpp"

namespace teetee::api {

/// Prices, and what else a client needs so as to pay (docs/api.md):
///   GET  /v1/payment
///   POST /v1/payment/raise     TeeTee-Payment: voucher .. -> how the voucher stands
///   POST /v1/sign-in           {"address"} -> {"message"}
///   POST /v1/sign-in/token     {"message", "signature"} -> {"token", "expires"}
///   POST /v1/payment/settle    TeeTee-Payment: host .. -> what is settled, and what is not
/// An entry whose answers are free (null) says so, and knows nothing of the others.
Result<boost::json::object> answer_payment(const Billing* billing, const net::HttpRequest& request);

/// GET /v1/receipts/ID/anchor: where a charged answer stands, and the proof that its receipt is
/// under the root that the contract anchors (crypto/merkle.hpp).
Result<boost::json::object> anchor_of(const Billing* billing, std::string_view id);

/// POST /v1/api-keys, {"purpose": "api key", "expires_in": seconds (30 days)}, with the header
/// TeeTee-Payment of a voucher or a host: a key that pays for requests as that would, as long as it
/// can. Errors: payment_malformed; of Till::admit, ApiKeys::issue.
Result<boost::json::object> issue_key(const Billing* billing, ApiKeys& keys,
                                      const net::HttpRequest& request, UnixSeconds now);

/// POST /v1/api-keys/revoke, {"key"}: whoever has it may. Error: api_key_invalid.
Result<boost::json::object> revoke_key(ApiKeys& keys, std::string_view body);

}  // namespace teetee::api
