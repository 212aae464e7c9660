// SPDX-License-Identifier: Apache-2.0
#include "chain/deployment_file.hpp"

#include "base/strict_json.hpp"
#include "chain/json_fields.hpp"
#include "chain/limits.hpp"

namespace teetee::chain {
namespace {

namespace json = boost::json;

Result<Address> address_at(const JsonFields& fields, std::string_view key) {
    TT_TRY(const auto text, fields.text(key));
    const auto address = parse_address(text);
    if (!address) return fields.wrong(key, quote_foreign(text), "0x and 40 hex digits");
    return *address;
}

Result<std::optional<U256>> wei_per_credit(const JsonFields& fields) {
    constexpr std::string_view key = "wei_per_credit";
    if (fields.is_absent(key)) return std::optional<U256>();
    TT_TRY(const auto text, fields.text(key));
    const auto wei = U256::from_decimal(text);
    if (!wei || wei->is_zero())
        return fields.wrong(key, quote_foreign(text), "a decimal number above 0 in a string");
    return std::optional<U256>(*wei);
}

}  // namespace

Result<DeploymentFile> parse_deployment_file(std::string_view text) {
    const auto parsed = parse_strict_json(
        text, {.bytes_max = deployment_file_bytes_max, .depth_max = file_json_depth_max});
    if (!parsed) return fail(ErrorCode::config_invalid, "deployment: " + parsed.error().message());
    TT_TRY(const auto fields, JsonFields::of(*parsed, "deployment", ErrorCode::config_invalid));
    TT_TRY(const uint64_t version, fields.number("version", UINT64_MAX));
    if (version != 1) return fields.wrong("version", std::to_string(version), "1");
    DeploymentFile out;
    TT_TRY(out.deployment.chain_id, fields.number("chain_id", UINT64_MAX));
    if (out.deployment.chain_id == 0) return fields.wrong("chain_id", "0", "a chain's id");
    TT_TRY(out.deployment.contract, address_at(fields, "contract"));
    TT_TRY(out.verifier, address_at(fields, "verifier"));
    TT_TRY(const auto kind, fields.text("kind"));
    const auto known = parse_verifier_kind(kind);
    if (!known) return fields.wrong("kind", quote_foreign(kind), "dev, quote or automata");
    out.kind = *known;
    TT_TRY(out.block, fields.number("block", UINT64_MAX));
    TT_TRY(out.wei_per_credit, wei_per_credit(fields));
    return out;
}

std::string encode_deployment_file(const DeploymentFile& file) {
    json::object object = {{"version", 1},
                           {"chain_id", file.deployment.chain_id},
                           {"contract", "0x" + to_hex(file.deployment.contract)},
                           {"verifier", "0x" + to_hex(file.verifier)},
                           {"kind", to_string(file.kind)},
                           {"block", file.block}};
    if (file.wei_per_credit) object["wei_per_credit"] = file.wei_per_credit->to_decimal();
    return json::serialize(object) + "\n";
}

}  // namespace teetee::chain
