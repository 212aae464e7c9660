// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/request.hpp"

namespace teetee::crypto {

/// HMAC with SHA-256 (RFC 2104).
Digest hmac_sha256(ByteView key, ByteView bytes);

/// Whether `mac` is theirs, in a time that does not tell how much of it is right.
bool verify_hmac_sha256(ByteView key, ByteView bytes, const Digest& mac);

}  // namespace teetee::crypto
