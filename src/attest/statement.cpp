// SPDX-License-Identifier: Apache-2.0
#include "attest/statement.hpp"

#include <algorithm>

#include <boost/json.hpp>

#include "attest/limits.hpp"
#include "crypto/hash.hpp"

namespace teetee::attest {
namespace {

constexpr std::string_view statement_tag = "teetee statement v2";
constexpr std::string_view report_data_tag = "teetee report data v1";

Error malformed(std::string_view field, std::string_view have, std::string_view need) {
    return fail(ErrorCode::statement_malformed,
                std::string(field) + ": have " + std::string(have) + ", need " + std::string(need));
}

// A length-prefixed run of 1 to `bytes_max` bytes.
Result<ByteView> read_run(ByteReader& reader, size_t bytes_max, std::string_view field) {
    TT_TRY(const uint32_t byte_count, reader.read_u32());
    if (byte_count == 0 || byte_count > bytes_max) {
        return malformed(field, std::to_string(byte_count) + " bytes",
                         "1 to " + std::to_string(bytes_max));
    }
    return reader.read_bytes(byte_count);
}

Result<UnixSeconds> read_time(ByteReader& reader, std::string_view field) {
    TT_TRY(const uint64_t time, reader.read_u64());
    if (time > static_cast<uint64_t>(unix_seconds_max)) {
        return malformed(field, std::to_string(time),
                         "at most " + std::to_string(unix_seconds_max));
    }
    return static_cast<UnixSeconds>(time);
}

Result<Statement> decode_fields(ByteReader& reader) {
    Statement out;
    TT_TRY(const ByteView tag, read_run(reader, statement_tag.size(), "tag"));
    if (as_text(tag) != statement_tag) {
        return malformed("tag", quote_foreign(as_text(tag)), statement_tag);
    }
    TT_TRY(const uint8_t purpose, reader.read_u8());
    if (purpose != static_cast<uint8_t>(StatementPurpose::node)) {
        return malformed("purpose", std::to_string(purpose), "1");
    }
    TT_TRY(const ByteView version,
           read_run(reader, software_version_bytes_max, "software_version"));
    out.software_version = as_text(version);
    TT_TRY(out.chain_id, reader.read_u64());
    TT_TRY(out.contract, reader.read_array<20>());
    TT_TRY(out.pool, reader.read_u64());
    TT_TRY(out.model_root, reader.read_array<32>());
    TT_TRY(out.shard_root, reader.read_array<32>());
    TT_TRY(out.layers.begin, reader.read_u32());
    TT_TRY(out.layers.end, reader.read_u32());
    TT_TRY(out.policy_hash, reader.read_array<32>());
    TT_TRY(const ByteView spki, read_run(reader, tls_spki_bytes_max, "tls_spki"));
    out.tls_spki.assign(spki.begin(), spki.end());
    TT_TRY(out.hpke_key, reader.read_array<32>());
    TT_TRY(out.receipt_address, reader.read_array<20>());
    TT_TRY(out.not_before, read_time(reader, "not_before"));
    TT_TRY(out.not_after, read_time(reader, "not_after"));
    return out;
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
        return malformed("statement", std::to_string(encoded.size()) + " bytes",
                         "at most " + std::to_string(statement_bytes_max));
    }
    ByteReader reader(encoded);
    auto decoded = decode_fields(reader);
    if (!decoded) {
        return in_context("statement",
                          fail(ErrorCode::statement_malformed, decoded.error().detail));
    }
    const Statement& out = *decoded;
    if (!reader.at_end()) {
        return malformed("statement", std::to_string(reader.remaining()) + " bytes behind its end",
                         "none");
    }
    if (!std::all_of(out.software_version.begin(), out.software_version.end(),
                     [](char c) { return c >= 0x20 && c < 0x7f; })) {
        return malformed("software_version", quote_foreign(out.software_version),
                         "printable ASCII");
    }
    if (out.layers.begin >= out.layers.end) {
        return malformed("layers",
                         std::to_string(out.layers.begin) + ".." + std::to_string(out.layers.end),
                         "at least one layer");
    }
    if (out.not_before >= out.not_after) {
        return malformed("validity",
                         std::to_string(out.not_before) + ".." + std::to_string(out.not_after),
                         "an end after its start");
    }
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
