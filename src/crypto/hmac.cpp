// SPDX-License-Identifier: Apache-2.0
#include "crypto/hmac.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/assert.hpp"

namespace teetee::crypto {

Digest hmac_sha256(ByteView key, ByteView bytes) {
    Digest out;
    unsigned out_bytes = 0;
    const auto* done = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes.data(),
                            bytes.size(), out.data(), &out_bytes);
    TT_ASSERT(done != nullptr && out_bytes == out.size());
    return out;
}

bool verify_hmac_sha256(ByteView key, ByteView bytes, const Digest& mac) {
    const Digest need = hmac_sha256(key, bytes);
    return CRYPTO_memcmp(mac.data(), need.data(), need.size()) == 0;
}

}  // namespace teetee::crypto
