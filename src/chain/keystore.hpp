// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/world.hpp"
#include "crypto/secp256k1.hpp"
#include "crypto/secret.hpp"

namespace teetee::chain {

/// The key in a file of the Web3 Secret Storage, version 3: the key under AES-128-CTR, that under a
/// password by scrypt or PBKDF2, with a keccak256 MAC. If the file names an address, it must be the
/// key's. Errors: keystore_malformed; keystore_unsupported for another version, cipher or KDF, or
/// one that asks for more work than limits.hpp allows; keystore_locked when the password is not the
/// file's (or the file was changed: the two cannot be told apart).
Result<crypto::SecpKey> open_keystore(std::string_view json, ByteView password);

/// Whose key the file says that it holds; nullopt where it does not say. Only open_keystore tells
/// whether that is so. Error: keystore_malformed.
Result<std::optional<crypto::Address>> keystore_address(std::string_view json);

/// scrypt's cost; the default is what wallets write (256 MiB and about a second).
struct KeystoreCost {
    uint64_t n = 1u << 18;
    uint64_t r = 8;
    uint64_t p = 1;
};

/// Such a file for a key of 32 bytes. Errors: key_invalid, keystore_unsupported.
Result<std::string> seal_keystore(const crypto::Secret<32>& key, ByteView password, Rng& rng,
                                  const KeystoreCost& cost = {});

}  // namespace teetee::chain
