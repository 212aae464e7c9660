// SPDX-License-Identifier: Apache-2.0
#include "api/voucher_routes.hpp"

#include <algorithm>
#include <array>

#include "api/limits.hpp"
#include "base/ascii.hpp"
#include "base/strict_json.hpp"

namespace teetee::api {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 7> members = {"payer",  "pool", "session_key", "ceiling",
                                                     "expiry", "salt", "signature"};

Error invalid(std::string_view name, std::string_view need) {
    return fail(ErrorCode::field_invalid,
                "'" + std::string(name) + "' must be " + std::string(need));
}

Result<std::string_view> text_of(const json::object& body, std::string_view name,
                                 std::string_view need) {
    const json::string* text = body.at(name).if_string();
    if (text == nullptr) return invalid(name, need);
    return std::string_view(text->data(), text->size());
}

/// Below 2^64; a string where a JSON reader may not hold so much in a number.
Result<uint64_t> number_of(const json::object& body, std::string_view name) {
    constexpr std::string_view need = "a whole number below 2^64, maybe as a string";
    const json::value& value = body.at(name);
    std::optional<uint64_t> out;
    if (const int64_t* number = value.if_int64(); number != nullptr && *number >= 0)
        out = static_cast<uint64_t>(*number);
    else if (const uint64_t* large = value.if_uint64())
        out = *large;
    else if (const json::string* text = value.if_string())
        out = parse_decimal({text->data(), text->size()});
    if (!out) return invalid(name, need);
    return *out;
}

Result<chain::Address> address_of(const json::object& body, std::string_view name) {
    constexpr std::string_view need = "0x and 40 hex digits, with a right checksum if with any";
    TT_TRY(const auto text, text_of(body, name, need));
    const auto address = chain::parse_address(text);
    if (!address) return invalid(name, need);
    return *address;
}

Result<Bytes> hex_of(const json::object& body, std::string_view name, std::string_view need) {
    TT_TRY(const auto text, text_of(body, name, need));
    auto bytes =
        text.starts_with("0x") ? from_hex(text.substr(2)) : Result<Bytes>(invalid(name, need));
    if (!bytes) return invalid(name, need);
    return bytes;
}

}  // namespace

Result<billing::SignedVoucher> parse_signed_voucher(std::string_view body) {
    TT_TRY(const auto value, parse_strict_json(body, {voucher_bytes_max, json_depth_max}));
    const json::object* object = value.if_object();
    if (object == nullptr) return fail(ErrorCode::invalid_json, "the body must be an object");
    for (const std::string_view name : members) {
        if (!object->contains(name))
            return fail(ErrorCode::field_invalid, "'" + std::string(name) + "' is missing");
    }
    if (object->size() != members.size())
        return fail(ErrorCode::field_invalid, "there is a member that no voucher has");
    constexpr std::string_view salt_need = "0x and 64 hex digits";
    constexpr std::string_view signature_need = "0x and the hex digits of 65 bytes";
    billing::SignedVoucher out;
    TT_TRY(out.voucher.payer, address_of(*object, "payer"));
    TT_TRY(out.voucher.pool, number_of(*object, "pool"));
    TT_TRY(out.voucher.session_key, address_of(*object, "session_key"));
    TT_TRY(const uint64_t ceiling, number_of(*object, "ceiling"));
    if (ceiling == 0) return invalid("ceiling", "one credit or more");
    out.voucher.ceiling = ceiling;
    TT_TRY(out.voucher.expiry, number_of(*object, "expiry"));
    TT_TRY(const Bytes salt, hex_of(*object, "salt", salt_need));
    if (salt.size() != out.voucher.salt.size()) return invalid("salt", salt_need);
    std::ranges::copy(salt, out.voucher.salt.begin());
    TT_TRY(out.signature, hex_of(*object, "signature", signature_need));
    if (out.signature.size() != payer_signature_bytes)
        return invalid("signature", signature_need);
    return out;
}

void open_voucher(const Billing* billing, std::string_view body,
                  std::function<void(Result<json::object>)> done) {
    if (billing == nullptr)
        return done(fail(ErrorCode::route_unknown, "answers of this entry are free"));
    if (!billing->open_voucher) {
        return done(
            fail(ErrorCode::route_unknown,
                 "this entry opens no vouchers: open yours by a transaction (openVoucher)"));
    }
    auto parsed = parse_signed_voucher(body);
    if (!parsed) return done(std::move(parsed).error());
    const Digest id = chain::voucher_digest(billing->deployment, parsed->voucher);
    billing->open_voucher(std::move(*parsed), [id, done = std::move(done)](
                                                  const Result<billing::VoucherState>& state) {
        if (!state) return done(state.error());
        const bool is_open = *state == billing::VoucherState::open;
        done(json::object{{"voucher", "0x" + to_hex(id)}, {"state", is_open ? "open" : "opening"}});
    });
}

}  // namespace teetee::api
