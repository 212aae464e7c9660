// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/aead.hpp"
#include "crypto/x25519.hpp"

namespace teetee::crypto {

// HPKE (RFC 9180) in base mode with DHKEM(X25519, HKDF-SHA256) and HKDF-SHA256: whoever knows a
// recipient's public key sets up a context that only the recipient can set up as well. The sender
// stays anonymous.

inline constexpr uint16_t hpke_kem_x25519_sha256 = 0x0020;
inline constexpr uint16_t hpke_kdf_sha256 = 0x0001;

/// What both sides must agree on beside the recipient's key.
struct HpkeSetup {
    AeadAlgorithm aead{};
    ByteView info;
};

struct HpkeText {
    ByteView aad;
    ByteView text;
};

/// What both sides have derived (RFC 9180 section 5.1).
struct HpkeKeys {
    AeadKey key;
    NonceSequence nonces;
    Secret<32> exporter;
    AeadAlgorithm aead{};

    /// A secret for `out.size()` bytes of other use; another for every context.
    /// Error: limit_exceeded beyond hkdf_expand_bytes_max.
    Result<void> export_secret(ByteView context, std::span<uint8_t> out) const;
};

class HpkeSender {
  public:
    /// `ephemeral` MUST be fresh. Error: key_invalid for a recipient's key of low order.
    static Result<HpkeSender> setup(const HpkeSetup& setup, const X25519PublicKey& recipient,
                                    const X25519Key& ephemeral);

    /// What the recipient needs beside the sealed texts.
    const X25519PublicKey& encapsulated_key() const { return encapsulated_key_; }
    /// Texts are opened in the order in which they were sealed.
    /// Errors: sequence_exhausted, limit_exceeded.
    Result<Bytes> seal(const HpkeText& plain);
    Result<void> export_secret(ByteView context, std::span<uint8_t> out) const {
        return keys_.export_secret(context, out);
    }

  private:
    HpkeSender(const X25519PublicKey& encapsulated_key, HpkeKeys keys)
        : encapsulated_key_(encapsulated_key), keys_(std::move(keys)) {}

    X25519PublicKey encapsulated_key_;
    HpkeKeys keys_;
};

class HpkeRecipient {
  public:
    /// Error: key_invalid for an encapsulated key of low order. Any other one gives a context,
    /// which then opens nothing that was not sealed to it.
    static Result<HpkeRecipient> setup(const HpkeSetup& setup, const X25519Key& recipient,
                                       const X25519PublicKey& encapsulated_key);

    /// Errors: decrypt_failed, after which the context is as before; sequence_exhausted;
    /// limit_exceeded.
    Result<SecretBytes> open(const HpkeText& sealed);
    Result<void> export_secret(ByteView context, std::span<uint8_t> out) const {
        return keys_.export_secret(context, out);
    }

  private:
    explicit HpkeRecipient(HpkeKeys keys) : keys_(std::move(keys)) {}

    HpkeKeys keys_;
};

}  // namespace teetee::crypto
