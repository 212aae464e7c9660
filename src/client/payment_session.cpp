// SPDX-License-Identifier: Apache-2.0
#include "client/payment_session.hpp"

#include <fmt/format.h>

#include "base/strict_json.hpp"
#include "client/json_numbers.hpp"
#include "client/limits.hpp"
#include "crypto/secp256k1.hpp"

namespace teetee::client {
namespace {

constexpr std::string_view members[] = {"version", "chain_id",    "contract", "pool",
                                        "voucher", "session_key", "ceiling",  "expiry"};

Result<crypto::Secret<32>> key_of(const chain::JsonFields& fields) {
    constexpr std::string_view name = "session_key";
    TT_TRY(std::string_view text, fields.text(name));
    if (text.starts_with("0x")) text.remove_prefix(2);
    const auto bytes = array_from_hex<32>(text);
    if (!bytes || !crypto::SecpKey::from_bytes(*bytes))
        return fields.wrong(name, "no private key", "0x and 64 hex digits");
    return crypto::Secret<32>(*bytes);
}

}  // namespace

Result<PaymentSession> parse_payment_session(std::string_view text) {
    const auto parsed = parse_strict_json(text, {payment_session_bytes_max, 4});
    if (!parsed)
        return fail(ErrorCode::config_invalid, "payment session: " + parsed.error().message());
    TT_TRY(const auto fields,
           chain::JsonFields::of(*parsed, "payment session", ErrorCode::config_invalid));
    TT_CHECK(fields.ensure_only(members));
    TT_TRY(const uint64_t version, fields.number("version", UINT64_MAX));
    if (version != 1) return fields.wrong("version", std::to_string(version), "1");
    PaymentSession out;
    TT_TRY(out.deployment.chain_id, fields.number("chain_id", UINT64_MAX));
    if (out.deployment.chain_id == 0) return fields.wrong("chain_id", "0", "a chain's id");
    TT_TRY(out.deployment.contract, fields.array_data<20>("contract"));
    TT_TRY(out.pool, fields.number("pool", UINT64_MAX));
    if (out.pool == 0) return fields.wrong("pool", "0", "a pool's number");
    TT_TRY(out.voucher, fields.array_data<32>("voucher"));
    TT_TRY(out.key, key_of(fields));
    TT_TRY(out.ceiling, big_number(fields, "ceiling"));
    TT_TRY(out.expiry, fields.number("expiry", UINT64_MAX));
    return out;
}

crypto::SecretBytes encode_payment_session(const PaymentSession& session) {
    crypto::SecretBytes out;
    fmt::format_to(std::back_inserter(out),
                   R"({{"version":1,"chain_id":{},"contract":"0x{}","pool":{},"voucher":"0x{}",)"
                   R"("session_key":"0x)",
                   session.deployment.chain_id, to_hex(session.deployment.contract), session.pool,
                   to_hex(session.voucher));
    constexpr std::string_view digits = "0123456789abcdef";
    for (const uint8_t byte : session.key.view()) {
        out.push_back(static_cast<uint8_t>(digits[byte >> 4]));
        out.push_back(static_cast<uint8_t>(digits[byte & 15]));
    }
    fmt::format_to(std::back_inserter(out), R"(","ceiling":"{}","expiry":{}}}{})", session.ceiling,
                   session.expiry, "\n");
    return out;
}

}  // namespace teetee::client
