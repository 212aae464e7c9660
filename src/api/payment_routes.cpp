// SPDX-License-Identifier: Apache-2.0
#include "api/payment_routes.hpp"

#include <algorithm>
#include <limits>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "api/errors.hpp"
#include "api/json_fields.hpp"
#include "api/limits.hpp"
#include "api/receipt_store.hpp"
#include "base/strict_json.hpp"
#include "billing/settlement_plan.hpp"
#include "crypto/hash.hpp"
#include "crypto/merkle.hpp"

namespace teetee::api {
namespace {

namespace json = boost::json;

constexpr std::string_view raise_path = "/v1/payment/raise";
constexpr std::string_view settle_path = "/v1/payment/settle";
constexpr std::string_view challenge_path = "/v1/sign-in";
constexpr std::string_view token_path = "/v1/sign-in/token";

Result<std::string> text_field(const json::object& body, std::string_view name) {
    TT_TRY(auto text, string_field(body, name));
    if (!text) return fail(ErrorCode::field_invalid, "'" + std::string(name) + "' is missing");
    return *std::move(text);
}

/// A member that stands there twice is refused: what is signed must mean one thing.
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
    out["opens_vouchers"] = static_cast<bool>(billing.open_voucher);
    if (billing.open_voucher) {
        if (const auto least = billing.voucher_ceiling_min())
            out["voucher_ceiling_min"] = std::to_string(*least);
    }
    if (prices) {
        out["prompt_price"] = std::to_string(prices->prompt);
        out["completion_price"] = std::to_string(prices->completion);
    }
    return out;
}

Result<json::object> raise(const Billing& billing, const net::HttpRequest& request) {
    TT_TRY(const auto claim, payment_of(request.headers));
    const auto* voucher = claim ? std::get_if<billing::VoucherPayment>(&*claim) : nullptr;
    if (voucher == nullptr) {
        return fail(ErrorCode::payment_malformed,
                    "need 'TeeTee-Payment: voucher id=0x.., amount=.., signature=0x..'");
    }
    TT_TRY(const auto view, billing.view());
    TT_TRY(const auto standing, billing.till.raise(view, voucher->spend));
    return json::object{{"charged", std::to_string(standing.charged)},
                        {"held", std::to_string(standing.held)},
                        {"signed", std::to_string(standing.signed_amount)},
                        {"claimable", std::to_string(standing.claimable)}};
}

/// By the host of this entry, whose gas it is.
Result<json::object> settle(const Billing& billing, const net::HttpRequest& request) {
    TT_TRY(const auto claim, payment_of(request.headers));
    const auto* host = claim ? std::get_if<billing::HostToken>(&*claim) : nullptr;
    if (host == nullptr)
        return fail(ErrorCode::payment_malformed, "need 'TeeTee-Payment: host token=..'");
    TT_TRY(const auto wallet, billing.sign_ins.wallet_of(host->token));
    TT_TRY(const auto view, billing.view());
    if (view.host_of(billing.entry) != wallet) {
        return fail(ErrorCode::host_unknown,
                    chain::to_checksum_text(wallet) + " is not the host of this entry");
    }
    billing.settle_now();
    TT_TRY(const auto totals, billing.ledger.totals());
    return json::object{{"charges", totals.charges},
                        {"unsettled", std::to_string(totals.unsettled)},
                        {"settling", std::to_string(totals.settling)},
                        {"settled", std::to_string(totals.settled)},
                        {"given_up", std::to_string(totals.given_up)}};
}

Result<json::object> challenge(const Billing& billing, const net::HttpRequest& request) {
    TT_TRY(const auto body, body_of(request));
    TT_TRY(const auto text, text_field(body, "address"));
    const auto wallet = chain::parse_address(text);
    if (!wallet) return fail(ErrorCode::field_invalid, "'address': " + wallet.error().detail);
    const auto host = request.headers.find("host");
    TT_TRY(const auto message,
           billing.sign_ins.challenge(
               *wallet, host == request.headers.end() ? "" : std::string_view(host->second)));
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
    const auto is_host = [&](const crypto::Address& wallet, UnixSeconds now) -> Result<bool> {
        TT_TRY(const auto view, billing.view());
        return view.is_host(billing.pool, wallet, static_cast<uint64_t>(now));
    };
    TT_TRY(const auto token, billing.sign_ins.sign_in(message, *signature, is_host));
    return json::object{{"token", to_hex(token.token)}, {"expires", token.expires}};
}

}  // namespace

Result<json::object> answer_payment(const Billing* billing, const net::HttpRequest& request) {
    if (billing == nullptr) {
        if (request.path == "/v1/payment") return json::object{{"free", true}};
        return fail(ErrorCode::route_unknown, "answers of this entry are free");
    }
    if (request.path == raise_path) return raise(*billing, request);
    if (request.path == settle_path) return settle(*billing, request);
    if (request.path == challenge_path) return challenge(*billing, request);
    if (request.path == token_path) return token(*billing, request);
    return terms(*billing);
}

namespace {

std::string_view name_of(billing::ChargeState state) {
    switch (state) {
        case billing::ChargeState::unsettled:
            return "unsettled";
        case billing::ChargeState::settling:
            return "settling";
        case billing::ChargeState::settled:
            return "settled";
        case billing::ChargeState::given_up:
            break;
    }
    return "given_up";
}

json::object anchor_json(const Billing& billing, const billing::ChargePlace& place) {
    json::object out = {{"state", name_of(place.state)},
                        {"receipt", "0x" + to_hex(place.charge.receipt)},
                        {"chain_id", std::to_string(billing.deployment.chain_id)},
                        {"contract", chain::to_checksum_text(billing.deployment.contract)}};
    std::vector<Digest> leaves;
    size_t index = place.receipts.size();
    for (const Digest& receipt : place.receipts) {
        if (receipt == place.charge.receipt) index = leaves.size();
        leaves.push_back(billing::receipt_leaf(receipt));
    }
    if (index == leaves.size()) return out;
    const crypto::MerkleProof proof = crypto::merkle_proof(leaves, index);
    json::array siblings;
    for (const Digest& sibling : proof.siblings) siblings.emplace_back("0x" + to_hex(sibling));
    out["entry_node"] = std::to_string(place.entry_node);
    out["receipts_root"] = "0x" + to_hex(place.receipts_root);
    out["proof"] = json::object{
        {"index", proof.index}, {"count", proof.count}, {"siblings", std::move(siblings)}};
    return out;
}

}  // namespace

Result<json::object> anchor_of(const Billing* billing, std::string_view id) {
    TT_TRY(const auto request, ReceiptStore::parse_id(id));
    const Error unknown = fail(ErrorCode::receipt_unknown, "no answer of this id was charged here");
    if (billing == nullptr) return unknown;
    TT_TRY(const auto place, billing->ledger.place_of(request));
    if (!place) return unknown;
    return anchor_json(*billing, *place);
}

namespace {

struct KeyPayment {
    billing::Payment payment;
    /// From when on it pays for nothing.
    UnixSeconds expires = std::numeric_limits<UnixSeconds>::max();
};

/// Whose voucher, or wallet, it is has been shown by this request.
Result<KeyPayment> payment_of_key(const Billing& billing, const net::HttpRequest& request,
                                  UnixSeconds now) {
    TT_TRY(const auto claim, payment_of(request.headers));
    const Error malformed =
        fail(ErrorCode::payment_malformed, "need TeeTee-Payment of a voucher or a host");
    if (!claim) return malformed;
    TT_TRY(const auto payment, payment_from(billing, *claim));
    TT_TRY(const auto view, billing.view());
    // An answer without a token: the till looks at everything, and holds nothing.
    TT_TRY(const auto admission,
           billing.till.admit(view, payment,
                              {.request_hash = crypto::sha256(as_bytes(request.body))}));
    billing.till.drop(admission.hold);
    if (std::holds_alternative<billing::HostUse>(payment)) return KeyPayment{.payment = payment};
    const auto* voucher = std::get_if<billing::VoucherPayment>(&payment);
    if (voucher == nullptr) return malformed;
    const auto record = view.voucher(voucher->spend.voucher, static_cast<uint64_t>(now));
    if (!record) return malformed;
    return KeyPayment{.payment = billing::KeyedVoucher{voucher->spend},
                      .expires = static_cast<UnixSeconds>(record->expiry)};
}

}  // namespace

Result<json::object> issue_key(const Billing* billing, ApiKeys& keys,
                               const net::HttpRequest& request, UnixSeconds now) {
    if (billing == nullptr) {
        return fail(ErrorCode::route_unknown,
                    "answers of this entry are free: its host makes the keys (teetee api-key)");
    }
    TT_TRY(const auto body, body_of(request));
    // The payer's signature is over the body alone: one that was made for an answer is for no key.
    TT_TRY(const auto purpose, text_field(body, "purpose"));
    if (purpose != "api key" || body.size() != (body.contains("expires_in") ? 2u : 1u))
        return fail(ErrorCode::field_invalid,
                    "'purpose' must be \"api key\", and beside it there may be 'expires_in' alone");
    TT_TRY(const auto lifetime, integer_field(body, "expires_in", {60, key_lifetime_s_max}));
    TT_TRY(const auto payment, payment_of_key(*billing, request, now));
    const UnixSeconds lifetime_s =
        std::min<UnixSeconds>(lifetime.value_or(key_lifetime_s_default), payment.expires - now);
    TT_TRY(const auto issued, keys.issue(payment.payment, lifetime_s));
    return json::object{{"key", issued.key}, {"expires", issued.expires}};
}

Result<json::object> revoke_key(ApiKeys& keys, std::string_view body) {
    TT_TRY(const auto parsed, parse_body(body));
    TT_TRY(const auto key, string_field(parsed, "key"));
    if (!key || !keys.revoke(*key))
        return fail(ErrorCode::api_key_invalid, "there is no such key that this entry has made");
    return json::object{{"revoked", true}};
}

}  // namespace teetee::api
