// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/request.hpp"
#include "base/world.hpp"
#include "crypto/secp256k1.hpp"
#include "crypto/x25519.hpp"

namespace teetee::attest {

/// What a statement's keys may be used for. A quote made for one purpose is none for another.
enum class StatementPurpose : uint8_t {
    /// A node that serves a shard of a pool.
    node = 1,
};

/// The document that a TEE binds into its quote's report data: who this node is, what it serves,
/// and which keys exist only inside it.
struct Statement {
    StatementPurpose purpose = StatementPurpose::node;
    /// Printable ASCII, at most software_version_bytes_max.
    std::string software_version;
    uint64_t chain_id = 0;
    crypto::Address contract{};
    uint64_t pool = 0;
    Digest model_root{};
    Digest shard_root{};
    LayerRange layers;
    /// SHA-256 of the policy file that this node holds its peers against.
    Digest policy_hash{};
    /// SubjectPublicKeyInfo of the node's TLS certificate.
    Bytes tls_spki;
    crypto::X25519PublicKey hpke_key{};
    /// The account whose key signs receipts and channel proofs; the node's id.
    crypto::Address receipt_address{};
    UnixSeconds not_before = 0;
    UnixSeconds not_after = 0;

    bool operator==(const Statement&) const = default;
};

/// The one encoding of a statement. The statement must be well-formed (see decode_statement).
///   length-prefixed "teetee statement v2", u8 purpose, length-prefixed software version,
///   u64 chain id, 20 bytes contract, u64 pool, 32 bytes model root, 32 bytes shard root,
///   u32 first layer, u32 end layer, 32 bytes policy hash, length-prefixed TLS SPKI,
///   32 bytes HPKE key, 20 bytes receipt address, u64 not before, u64 not after; integers
///   little-endian.
Bytes encode_statement(const Statement& statement);

/// Strict: every field within its limits, layers and validity not empty, nothing behind the end,
/// so that encoding again gives the same bytes. Error: statement_malformed.
Result<Statement> decode_statement(ByteView encoded);

/// For APIs: one JSON object; bytes as 0x-hex, 64-bit ids as decimal strings, times as numbers.
std::string statement_json(const Statement& statement);

/// SHA-512 over the length-prefixed "teetee report data v1", the length-prefixed statement and,
/// if a caller asked for a fresh quote, its length-prefixed nonce.
ByteArray<64> report_data(ByteView encoded_statement, std::optional<ByteView> nonce);

}  // namespace teetee::attest
