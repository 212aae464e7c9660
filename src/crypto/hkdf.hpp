// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "base/bytes.hpp"
#include "crypto/secret.hpp"

namespace teetee::crypto {

/// What one call of hkdf_expand can give (RFC 5869 section 2.3).
inline constexpr size_t hkdf_expand_bytes_max = 255 * 32;

struct HkdfExtractInput {
    ByteView salt;
    ByteView key_material;
};
/// The first half of HKDF with SHA-256 (RFC 5869): a uniform key out of secret material.
Secret<32> hkdf_extract(const HkdfExtractInput& input);

struct HkdfExpandInput {
    ByteView key;
    ByteView info;
};
/// The second half: fills `out` with what belongs to this key and info.
/// Error: limit_exceeded beyond hkdf_expand_bytes_max.
Result<void> hkdf_expand(const HkdfExpandInput& input, std::span<uint8_t> out);

template <size_t N>
Secret<N> hkdf_expand(const HkdfExpandInput& input) {
    static_assert(N <= hkdf_expand_bytes_max);
    Secret<N> out;
    TT_ASSERT(hkdf_expand(input, out.writable()));
    return out;
}

}  // namespace teetee::crypto
