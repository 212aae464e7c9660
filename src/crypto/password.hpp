// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "base/bytes.hpp"

namespace teetee::crypto {

struct Pbkdf2Input {
    ByteView password{};
    ByteView salt{};
    uint64_t iterations = 0;
};

/// PBKDF2 with HMAC-SHA-256 (RFC 8018) into all of `key`. Error: crypto_failed.
Result<void> pbkdf2_sha256(const Pbkdf2Input& input, std::span<uint8_t> key);

struct ScryptInput {
    ByteView password{};
    ByteView salt{};
    /// Cost (N), a power of two above 1; block size; parallel parts. It takes 128 * N * r bytes.
    uint64_t n = 0;
    uint64_t r = 0;
    uint64_t p = 0;
    uint64_t memory_bytes_max = 0;
};

/// scrypt (RFC 7914) into all of `key`. Error: crypto_failed, also where the parameters are none or
/// need more memory.
Result<void> scrypt(const ScryptInput& input, std::span<uint8_t> key);

}  // namespace teetee::crypto
