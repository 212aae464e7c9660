// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api/paid_answer.hpp"
#include "net/http_server.hpp"

namespace teetee::api {

/// Of the paths below, those that take POST.
bool is_payment_post(std::string_view path);

/// Prices, and what else a client needs so as to pay (docs/api.md):
///   GET  /v1/payment
///   POST /v1/payment/raise     TeeTee-Payment: voucher .. -> how the voucher stands
///   POST /v1/sign-in           {"address"} -> {"message"}
///   POST /v1/sign-in/token     {"message", "signature"} -> {"token", "expires"}
///   POST /v1/payment/settle    TeeTee-Payment: host .. -> what is settled, and what is not
/// An entry whose answers are free (null) says so, and knows nothing of the others.
void respond_payment(const Billing* billing, const net::HttpRequest& request,
                     net::HttpExchange& exchange);

/// GET /v1/receipts/ID/anchor: where a charged answer stands, and the proof that its receipt is
/// under the root that the contract anchors (crypto/merkle.hpp).
void respond_anchor(const Billing* billing, std::string_view id, net::HttpExchange& exchange);

}  // namespace teetee::api
