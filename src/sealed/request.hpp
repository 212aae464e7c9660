// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/request.hpp"
#include "base/world.hpp"
#include "crypto/x25519.hpp"
#include "sealed/fields.hpp"

namespace teetee::sealed {

// A request that only the TEE of one entry can read (docs/api.md, "Sealed requests"). Pure, for
// both sides.

inline constexpr std::string_view content_type = "application/teetee-sealed";

/// The entry that a request is for, from evidence that has been verified.
struct Recipient {
    crypto::X25519PublicKey hpke_key{};
    /// SHA-256 of the encoded statement that names the key.
    Digest statement_hash{};
};

/// Where a request is sent. It travels outside and is authenticated with the rest.
struct Target {
    std::string_view method;
    std::string_view path;
};

/// What is inside.
struct Request {
    /// By the entry's clock (/attestation tells it); see ReplayWindow.
    UnixSeconds sent_at = 0;
    Headers headers;
    std::string body;
};

/// Of one request; the answer's key comes from it. The same secret on both sides.
using AnswerSecret = crypto::Secret<32>;

struct SealedRequest {
    Bytes body;
    AnswerSecret answer_secret;
};

/// u8 version (1), u16 KEM (0x0020), u16 KDF (0x0001), u16 AEAD (0x0002), 32 bytes statement hash,
/// 32 bytes encapsulated key, ciphertext; integers little-endian; padded so that the whole is a
/// power of two.
///   HPKE info: length-prefixed "teetee sealed request v1", the statement hash.
///   AAD: everything before the ciphertext, length-prefixed method, length-prefixed path.
///   Plaintext: u64 time, headers, length-prefixed body, zeros.
/// Errors: key_invalid; limit_exceeded beyond request_bytes_max; invalid_argument (headers).
Result<SealedRequest> seal_request(const Recipient& recipient, const Target& target,
                                   const Request& request, Rng& rng);

/// The outside of a sealed request. The views are into the body that was parsed.
struct Envelope {
    Digest statement_hash{};
    crypto::X25519PublicKey encapsulated_key{};
    ByteView header;
    ByteView ciphertext;
};

/// Errors: sealed_malformed; version_unsupported (also: another suite).
Result<Envelope> parse_envelope(ByteView body);

struct OpenedRequest {
    Request request;
    AnswerSecret answer_secret;
};

/// Errors: decrypt_failed for whatever was not sealed to this key for this target; key_invalid for
/// an encapsulated key of low order; sealed_malformed.
Result<OpenedRequest> open_request(const Envelope& envelope, const Target& target,
                                   const crypto::X25519Key& key);

}  // namespace teetee::sealed
