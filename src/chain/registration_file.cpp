// SPDX-License-Identifier: Apache-2.0
#include "chain/registration_file.hpp"

#include <algorithm>

#include "base/strict_json.hpp"
#include "chain/json_fields.hpp"
#include "chain/limits.hpp"

namespace teetee::chain {
namespace {

namespace json = boost::json;

constexpr std::string_view members[] = {"version", "chain_id",  "contract",        "pool",
                                        "slot",    "host",      "endpoint",        "statement",
                                        "quote",   "signature", "platform_verdict"};

Result<std::string> endpoint_of(const JsonFields& fields) {
    TT_TRY(const auto text, fields.text("endpoint"));
    const bool is_printable =
        std::ranges::all_of(text, [](char c) { return c >= '!' && c <= '~'; });
    if (text.empty() || text.size() > registration_endpoint_bytes_max || !is_printable) {
        return fields.wrong(
            "endpoint", quote_foreign(text),
            "printable ASCII of 1 to " + std::to_string(registration_endpoint_bytes_max));
    }
    return std::string(text);
}

// Of the chain alone: what is in it is judged by who uses it.
Result<Bytes> some_bytes(const JsonFields& fields, std::string_view key, size_t bytes_max) {
    TT_TRY(Bytes bytes, fields.data(key, bytes_max));
    if (bytes.empty()) return fields.wrong(key, "no bytes", "some");
    return bytes;
}

}  // namespace

Result<RegistrationFile> parse_registration_file(std::string_view text) {
    const auto parsed = parse_strict_json(
        text, {.bytes_max = registration_file_bytes_max, .depth_max = file_json_depth_max});
    if (!parsed)
        return fail(ErrorCode::config_invalid, "registration: " + parsed.error().message());
    TT_TRY(const auto fields, JsonFields::of(*parsed, "registration", ErrorCode::config_invalid));
    TT_CHECK(fields.ensure_only(members));
    TT_TRY(const uint64_t version, fields.number("version", UINT64_MAX));
    if (version != 1) return fields.wrong("version", std::to_string(version), "1");
    RegistrationFile out;
    TT_TRY(out.deployment.chain_id, fields.number("chain_id", UINT64_MAX));
    TT_TRY(out.deployment.contract, fields.array_data<20>("contract"));
    TT_TRY(out.pool, fields.number("pool", UINT64_MAX));
    TT_TRY(out.slot, fields.number("slot", UINT16_MAX));
    TT_TRY(out.host, fields.array_data<20>("host"));
    TT_TRY(out.endpoint, endpoint_of(fields));
    TT_TRY(out.statement, some_bytes(fields, "statement", registration_statement_bytes_max));
    TT_TRY(out.quote, some_bytes(fields, "quote", evidence_bytes_max));
    TT_TRY(out.signature, fields.array_data<65>("signature"));
    if (!fields.is_absent("platform_verdict")) {
        TT_TRY(out.platform_verdict,
               some_bytes(fields, "platform_verdict", platform_verdict_bytes_max));
    }
    return out;
}

std::string encode_registration_file(const RegistrationFile& file) {
    const auto hex = [](ByteView bytes) { return "0x" + to_hex(bytes); };
    json::object object = {{"version", 1},
                           {"chain_id", file.deployment.chain_id},
                           {"contract", hex(file.deployment.contract)},
                           {"pool", file.pool},
                           {"slot", file.slot},
                           {"host", hex(file.host)},
                           {"endpoint", file.endpoint},
                           {"statement", hex(file.statement)},
                           {"quote", hex(file.quote)},
                           {"signature", hex(file.signature)}};
    if (!file.platform_verdict.empty()) object["platform_verdict"] = hex(file.platform_verdict);
    return json::serialize(object) + "\n";
}

}  // namespace teetee::chain
