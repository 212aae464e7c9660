// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string_view>

#include <boost/json/object.hpp>

#include "base/result.hpp"
#include "net/error_status.hpp"
#include "net/http_server.hpp"

namespace teetee::api {

using net::ErrorStatus;
using net::status_for;

/// What a client is told: the detail where the request is at fault, a sentence of our own where the
/// node is, whose details stay in its log.
std::string_view public_message(const Error& error);

/// {"error":{"message","type","param","code"}}; "param" is the field of the request that is wrong,
/// or null.
boost::json::object error_body(const Error& error);

/// With Retry-After where trying again makes sense.
net::HttpResponse error_response(const Error& error, const boost::json::object& body,
                                 std::chrono::seconds retry_after = std::chrono::seconds(1));

void respond_error(net::HttpExchange& exchange, const Error& error,
                   std::chrono::seconds retry_after = std::chrono::seconds(1));

}  // namespace teetee::api
