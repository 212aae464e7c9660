// SPDX-License-Identifier: Apache-2.0
#include "api/payment_routes.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "api/answer.hpp"
#include "api/limits.hpp"
#include "base/strict_json.hpp"

namespace teetee::api {
namespace {

namespace json = boost::json;

constexpr std::string_view raise_path = "/v1/payment/raise";
constexpr std::string_view challenge_path = "/v1/sign-in";
constexpr std::string_view token_path = "/v1/sign-in/token";

Result<std::string> text_field(const json::object& body, std::string_view name) {
    const json::value* value = body.if_contains(name);
    if (value == nullptr || !value->is_string())
        return fail(ErrorCode::field_invalid, "'" + std::string(name) + "' must be a string");
    return std::string(value->get_string());
}

Result<json::object> body_of(const net::HttpRequest& request) {
    TT_TRY(auto value, parse_strict_json(request.body, {sign_in_bytes_max, json_depth_max}));
    if (!value.is_object()) return fail(ErrorCode::invalid_json, "the body must be an object");
    return std::move(value.get_object());
}

/// Credits, and ids of 64 bits, are strings: not every JSON reader holds so much in a number.
Result<json::object> terms(const Billing& billing) {
    TT_TRY(const auto view, billing.view());
    const auto prices = billing.till.prices(view);
    json::object out = {{"free", false},
                        {"chain_id", std::to_string(billing.deployment.chain_id)},
                        {"contract", chain::to_checksum_text(billing.deployment.contract)},
                        {"pool", std::to_string(billing.pool)},
                        {"entry", chain::to_checksum_text(billing.entry)},
                        {"lead_tokens", billing.till.lead_tokens()}};
    if (prices) {
        out["prompt_price"] = std::to_string(prices->prompt);
        out["completion_price"] = std::to_string(prices->completion);
    }
    return out;
}

Result<json::object> raise(const Billing& billing, const net::HttpRequest& request) {
    TT_TRY(const auto claim, payment_of(request.headers));
    const auto* spend = claim ? std::get_if<billing::SignedSpend>(&*claim) : nullptr;
    if (spend == nullptr) {
        return fail(ErrorCode::payment_malformed,
                    "need 'TeeTee-Payment: voucher id=0x.., amount=.., signature=0x..'");
    }
    TT_TRY(const auto view, billing.view());
    TT_TRY(const auto standing, billing.till.raise(view, *spend));
    return json::object{{"charged", std::to_string(standing.charged)},
                        {"held", std::to_string(standing.held)},
                        {"signed", std::to_string(standing.signed_amount)},
                        {"claimable", std::to_string(standing.claimable)}};
}

Result<json::object> challenge(const Billing& billing, const net::HttpRequest& request) {
    TT_TRY(const auto body, body_of(request));
    TT_TRY(const auto text, text_field(body, "address"));
    const auto wallet = chain::parse_address(text);
    if (!wallet) return fail(ErrorCode::field_invalid, "'address': " + wallet.error().detail);
    const auto host = request.headers.find("host");
    TT_TRY(const auto message,
           billing.sign_ins.challenge(
               *wallet, host == request.headers.end() ? "teetee" : std::string_view(host->second)));
    return json::object{{"message", message}};
}

Result<json::object> token(const Billing& billing, const net::HttpRequest& request) {
    TT_TRY(const auto body, body_of(request));
    TT_TRY(const auto message, text_field(body, "message"));
    TT_TRY(const auto hex, text_field(body, "signature"));
    const auto signature = hex.starts_with("0x")
                               ? array_from_hex<65>(std::string_view(hex).substr(2))
                               : Result<ByteArray<65>>(fail(ErrorCode::field_invalid, ""));
    if (!signature)
        return fail(ErrorCode::field_invalid, "'signature' must be 0x and 130 hex digits");
    TT_TRY(const auto token, billing.sign_ins.sign_in(message, *signature));
    return json::object{{"token", to_hex(token.token)}, {"expires", token.expires}};
}

Result<json::object> answer_of(const Billing* billing, const net::HttpRequest& request) {
    if (billing == nullptr) {
        if (request.path == "/v1/payment") return json::object{{"free", true}};
        return fail(ErrorCode::route_unknown, "answers of this entry are free");
    }
    if (request.path == raise_path) return raise(*billing, request);
    if (request.path == challenge_path) return challenge(*billing, request);
    if (request.path == token_path) return token(*billing, request);
    return terms(*billing);
}

}  // namespace

bool is_payment_post(std::string_view path) {
    return path == raise_path || path == challenge_path || path == token_path;
}

void respond_payment(const Billing* billing, const net::HttpRequest& request,
                     net::HttpExchange& exchange) {
    const auto body = answer_of(billing, request);
    if (!body) return respond_error(exchange, body.error());
    net::HttpResponse response;
    response.headers["cache-control"] = "no-store";
    response.body = json::serialize(*body) + "\n";
    exchange.respond(response);
}

}  // namespace teetee::api
