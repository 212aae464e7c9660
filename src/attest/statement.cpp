// SPDX-License-Identifier: Apache-2.0
#include "attest/statement.hpp"

#include <algorithm>

#include <boost/json.hpp>

#include "attest/binary_fields.hpp"
#include "attest/limits.hpp"
#include "crypto/hash.hpp"

namespace teetee::attest {
namespace {

constexpr std::string_view statement_tag = "teetee statement v2";
constexpr std::string_view report_data_tag = "teetee report data v1";

Result<Statement> decode_fields(ByteReader& reader) {
    Statement out;
    TT_CHECK(read_tag(reader, statement_tag));
    TT_TRY(const uint8_t purpose, reader.read_u8());
    if (purpose != static_cast<uint8_t>(StatementPurpose::node)) {
        return field_error("purpose", std::to_string(purpose), "1");
    }
    TT_TRY(const ByteView version,
           read_run(reader, {.most = software_version_bytes_max}, "software_version"));
    out.software_version = as_text(version);
    TT_TRY(out.chain_id, reader.read_u64());
    TT_TRY(out.contract, reader.read_array<20>());
    TT_TRY(out.pool, reader.read_u64());
    TT_TRY(out.model_root, reader.read_array<32>());
    TT_TRY(out.shard_root, reader.read_array<32>());
    TT_TRY(out.layers.begin, reader.read_u32());
    TT_TRY(out.layers.end, reader.read_u32());
    TT_TRY(out.policy_hash, reader.read_array<32>());
    TT_TRY(const ByteView spki, read_run(reader, {.most = tls_spki_bytes_max}, "tls_spki"));
    out.tls_spki.assign(spki.begin(), spki.end());
    TT_TRY(out.hpke_key, reader.read_array<32>());
    TT_TRY(out.receipt_address, reader.read_array<20>());
    TT_TRY(out.not_before, read_time(reader, "not_before"));
    TT_TRY(out.not_after, read_time(reader, "not_after"));
    TT_CHECK(ensure_at_end(reader));
    return out;
}

Result<void> ensure_well_formed(const Statement& statement) {
    const std::string& version = statement.software_version;
    if (!std::ranges::all_of(version, [](char c) { return c >= 0x20 && c < 0x7f; }))
        return field_error("software_version", quote_foreign(version), "printable ASCII");
    TT_CHECK(ensure_layers(statement.layers));
    if (statement.not_before < statement.not_after) return {};
    return field_error(
        "validity",
        std::to_string(statement.not_before) + ".." + std::to_string(statement.not_after),
        "an end after its start");
}

Error malformed(std::string detail) {
    return in_context("statement", fail(ErrorCode::statement_malformed, std::move(detail)));
}

std::string hex_0x(ByteView bytes) {
    return "0x" + to_hex(bytes);
}

}  // namespace

Bytes encode_statement(const Statement& statement) {
    ByteWriter out;
    out.length_prefixed(as_bytes(statement_tag));
    out.u8(static_cast<uint8_t>(statement.purpose));
    out.length_prefixed(as_bytes(statement.software_version));
    out.u64(statement.chain_id);
    out.bytes(statement.contract);
    out.u64(statement.pool);
    out.bytes(statement.model_root);
    out.bytes(statement.shard_root);
    out.u32(statement.layers.begin);
    out.u32(statement.layers.end);
    out.bytes(statement.policy_hash);
    out.length_prefixed(statement.tls_spki);
    out.bytes(statement.hpke_key);
    out.bytes(statement.receipt_address);
    out.u64(static_cast<uint64_t>(statement.not_before));
    out.u64(static_cast<uint64_t>(statement.not_after));
    return out.take();
}

Result<Statement> decode_statement(ByteView encoded) {
    if (encoded.size() > statement_bytes_max) {
        return malformed("have " + std::to_string(encoded.size()) + " bytes, need at most " +
                         std::to_string(statement_bytes_max));
    }
    ByteReader reader(encoded);
    auto decoded = decode_fields(reader);
    if (!decoded) return malformed(decoded.error().detail);
    const auto well_formed = ensure_well_formed(*decoded);
    if (!well_formed) return malformed(well_formed.error().detail);
    return decoded;
}

std::string statement_json(const Statement& statement) {
    const boost::json::object view = {
        {"version", 2},
        {"purpose", "node"},
        {"software_version", statement.software_version},
        {"chain_id", std::to_string(statement.chain_id)},
        {"contract", hex_0x(statement.contract)},
        {"pool", std::to_string(statement.pool)},
        {"model_root", hex_0x(statement.model_root)},
        {"shard_root", hex_0x(statement.shard_root)},
        {"layers", {{"begin", statement.layers.begin}, {"end", statement.layers.end}}},
        {"policy_hash", hex_0x(statement.policy_hash)},
        {"tls_spki", hex_0x(statement.tls_spki)},
        {"hpke_key", hex_0x(statement.hpke_key)},
        {"receipt_address", hex_0x(statement.receipt_address)},
        {"not_before", statement.not_before},
        {"not_after", statement.not_after},
    };
    return boost::json::serialize(view);
}

ByteArray<64> report_data(ByteView encoded_statement, std::optional<ByteView> nonce) {
    ByteWriter out;
    out.length_prefixed(as_bytes(report_data_tag));
    out.length_prefixed(encoded_statement);
    if (nonce) out.length_prefixed(*nonce);
    return crypto::sha512(out.view());
}

}  // namespace teetee::attest
