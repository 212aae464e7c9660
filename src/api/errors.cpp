// SPDX-License-Identifier: Apache-2.0
#include "api/errors.hpp"

#include <string>

#include <boost/json/serialize.hpp>

namespace teetee::api {
namespace {

/// Of a detail that begins with the name of a field: 'temperature' must be ..
boost::json::value param_of(const Error& error) {
    if (error.code != ErrorCode::field_invalid || !error.detail.starts_with('\'')) return nullptr;
    const size_t end = error.detail.find('\'', 1);
    if (end == std::string::npos) return nullptr;
    return boost::json::value(std::string_view(error.detail).substr(1, end - 1));
}

}  // namespace

std::string_view public_message(const Error& error) {
    // Of what happens on the tail only the code comes here.
    if (error.code == ErrorCode::grammar_stuck)
        return "no token of this model keeps the answer inside the grammar or schema";
    if (status_for(error.code).status < 500) return error.detail;
    switch (error.code) {
        case ErrorCode::route_unavailable:
        case ErrorCode::not_ready:
            return "not every layer of the model is served just now; try again";
        case ErrorCode::rpc_unavailable:
        case ErrorCode::rpc_disagreement:
        case ErrorCode::chain_mismatch:
        case ErrorCode::events_inconsistent:
        case ErrorCode::chain_reorganised:
            return "the chain cannot be read with certainty just now, so no payment is taken; try "
                   "again";
        case ErrorCode::fee_too_high:
            return "this entry's wallet lacks gas, so it opens no voucher: open yours by a "
                   "transaction (openVoucher), or ask another entry";
        case ErrorCode::stage_failed:
            return "a node of the route failed while it worked on this request; try again";
        case ErrorCode::stage_timeout:
            return "a node of the route did not answer in time; try again";
        case ErrorCode::deadline_exceeded:
            return "the answer was not whole in the time that the request, or this node, allows";
        default:
            return "the node could not do this";
    }
}

boost::json::object error_body(const Error& error) {
    return {{"error",
             {{"message", public_message(error)},
              {"type", status_for(error.code).type},
              {"param", param_of(error)},
              {"code", to_string(error.code)}}}};
}

net::HttpResponse error_response(const Error& error, const boost::json::object& body,
                                 std::chrono::seconds retry_after) {
    const ErrorStatus kind = status_for(error.code);
    net::HttpResponse response;
    response.status = kind.status;
    response.body = boost::json::serialize(body) + "\n";
    if (kind.status == 429 || kind.status >= 502)
        response.headers["retry-after"] = std::to_string(retry_after.count());
    return response;
}

void respond_error(net::HttpExchange& exchange, const Error& error,
                   std::chrono::seconds retry_after) {
    exchange.respond(error_response(error, error_body(error), retry_after));
}

}  // namespace teetee::api
