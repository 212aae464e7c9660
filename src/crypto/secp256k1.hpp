// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/request.hpp"
#include "base/world.hpp"
#include "crypto/secret.hpp"

namespace teetee::crypto {

/// An Ethereum account: the last 20 bytes of keccak256(x || y).
using Address = ByteArray<20>;

/// r || s || v, big-endian, s in the lower half of the order, v 27 or 28: what contracts recover.
using RecoverableSignature = ByteArray<65>;

/// A secp256k1 private key (SEC 2) that signs as Ethereum does. Wiped when it goes.
class SecpKey {
  public:
    /// Error: key_invalid when the generator gives a number outside [1, order).
    static Result<SecpKey> generate(Rng& rng);
    /// 32 bytes, big-endian. Error: key_invalid on another length or outside [1, order).
    static Result<SecpKey> from_bytes(ByteView secret);

    const Address& address() const { return address_; }
    /// Deterministic (RFC 6979).
    RecoverableSignature sign_recoverable(const Digest& digest) const;

  private:
    explicit SecpKey(Secret<32> secret) : secret_(std::move(secret)) {}
    static Result<SecpKey> from_secret(Secret<32> secret);

    Secret<32> secret_;
    Address address_{};
};

/// Who signed the digest. Error: signature_invalid on a wrong length, v, range, or a high s (the
/// same signature must not have two forms).
Result<Address> recover_address(const Digest& digest, ByteView signature);

}  // namespace teetee::crypto
