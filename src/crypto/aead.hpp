// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/secret.hpp"

namespace teetee::crypto {

/// Numbered as in RFC 9180 section 7.3.
enum class AeadAlgorithm : uint16_t {
    aes_128_gcm = 0x0001,
    aes_256_gcm = 0x0002,
    chacha20_poly1305 = 0x0003,
};

inline constexpr size_t aead_tag_bytes = 16;
/// Of one text; far below what any of the algorithms bears.
inline constexpr size_t aead_text_bytes_max = 1u << 30;

size_t aead_key_bytes(AeadAlgorithm algorithm);

/// MUST differ for each text that is sealed with one key.
using AeadNonce = ByteArray<12>;

/// What is encrypted, or decrypted, and what is authenticated beside it.
struct AeadInput {
    AeadNonce nonce{};
    ByteView aad;
    ByteView text;
};

/// A key of an authenticated cipher; the tag stands behind the ciphertext.
class AeadKey {
  public:
    /// Error: key_invalid on a wrong length.
    static Result<AeadKey> from_bytes(AeadAlgorithm algorithm, ByteView key);

    /// Error: limit_exceeded.
    Result<Bytes> seal(const AeadInput& input) const;
    /// Errors: decrypt_failed for whatever was not sealed so; limit_exceeded.
    Result<SecretBytes> open(const AeadInput& input) const;

  private:
    AeadKey(AeadAlgorithm algorithm, ByteView key)
        : algorithm_(algorithm), key_(key.begin(), key.end()) {}

    AeadAlgorithm algorithm_;
    SecretBytes key_;
};

/// The nonces of one key in order: base XOR the big-endian sequence number (RFC 9180 section 5.2).
/// With a base of zero the nonce is the number.
class NonceSequence {
  public:
    explicit NonceSequence(const AeadNonce& base, uint64_t next = 0) : base_(base), next_(next) {}

    /// Error: sequence_exhausted rather than a nonce twice.
    Result<AeadNonce> peek() const;
    void advance() { ++next_; }

  private:
    AeadNonce base_;
    uint64_t next_;
};

}  // namespace teetee::crypto
