// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "crypto/secret.hpp"

namespace teetee::crypto {

struct AesCtrInput {
    /// 16 bytes.
    ByteView key;
    /// The first counter block, counted up as one big-endian number of 128 bits.
    ByteArray<16> counter{};
    ByteView text{};
};

/// AES-128 in counter mode (NIST SP 800-38A), which enciphers and deciphers alike. It authenticates
/// nothing: for formats that do so themselves. Error: key_invalid, crypto_failed.
Result<SecretBytes> aes_128_ctr(const AesCtrInput& input);

}  // namespace teetee::crypto
