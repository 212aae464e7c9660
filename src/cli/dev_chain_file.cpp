// SPDX-License-Identifier: Apache-2.0
#include "cli/dev_chain_file.hpp"

#include <array>

#include "base/strict_json.hpp"
#include "chain/json_fields.hpp"
#include "cli/limits.hpp"
#include "net/address.hpp"

namespace teetee::cli {
namespace {

constexpr std::array<std::string_view, 3> members = {"version", "rpc_url", "pool"};

Result<boost::json::value> parse(std::string_view text) {
    auto parsed = parse_strict_json(
        text, {.bytes_max = dev_chain_file_bytes_max, .depth_max = dev_chain_file_depth_max});
    if (!parsed) return fail(ErrorCode::config_invalid, "chain: " + parsed.error().message());
    return parsed;
}

Result<uint64_t> pool_of(const chain::JsonFields& fields) {
    TT_TRY(const uint64_t pool, fields.number("pool", UINT64_MAX));
    if (pool == 0) return fields.wrong("pool", "0", "a pool's number");
    return pool;
}

}  // namespace

Result<DevChainFile> parse_dev_chain_file(std::string_view text) {
    TT_TRY(const auto parsed, parse(text));
    TT_TRY(const auto fields, chain::JsonFields::of(parsed, "chain", ErrorCode::config_invalid));
    TT_CHECK(fields.ensure_only(members));
    TT_TRY(const uint64_t version, fields.number("version", UINT64_MAX));
    if (version != 1) return fields.wrong("version", std::to_string(version), "1");
    DevChainFile out;
    TT_TRY(const auto url, fields.text("rpc_url"));
    if (!net::parse_url(url))
        return fields.wrong("rpc_url", quote_foreign(url), "http:// or https:// and a host");
    out.rpc_url = url;
    TT_TRY(out.pool, pool_of(fields));
    return out;
}

std::string encode_dev_chain_file(const DevChainFile& file) {
    const boost::json::object object = {
        {"version", 1}, {"rpc_url", file.rpc_url}, {"pool", file.pool}};
    return boost::json::serialize(object) + "\n";
}

Result<uint64_t> parse_created_pool(std::string_view text) {
    TT_TRY(const auto parsed, parse(text));
    TT_TRY(const auto fields, chain::JsonFields::of(parsed, "chain", ErrorCode::config_invalid));
    return pool_of(fields);
}

Result<Digest> parse_opened_voucher(std::string_view text) {
    TT_TRY(const auto parsed, parse(text));
    TT_TRY(const auto fields, chain::JsonFields::of(parsed, "chain", ErrorCode::config_invalid));
    return fields.array_data<32>("voucher");
}

}  // namespace teetee::cli
