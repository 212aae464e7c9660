// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/world.hpp"
#include "crypto/openssl.hpp"
#include "crypto/secret.hpp"

namespace teetee::crypto {

/// A u coordinate as RFC 7748 encodes it.
using X25519PublicKey = ByteArray<32>;

/// An X25519 private key (RFC 7748); OpenSSL wipes it when it goes.
class X25519Key {
  public:
    static Result<X25519Key> generate(Rng& rng);
    /// Any 32 bytes are a key. Error: key_invalid on another length.
    static Result<X25519Key> from_bytes(ByteView secret);

    const X25519PublicKey& public_key() const { return public_key_; }
    /// Error: key_invalid for a peer's key of low order (the result would be all zero).
    Result<Secret<32>> agree(const X25519PublicKey& peer) const;

  private:
    explicit X25519Key(EvpPkeyPtr key) : key_(std::move(key)) {}

    EvpPkeyPtr key_;
    X25519PublicKey public_key_{};
};

}  // namespace teetee::crypto
