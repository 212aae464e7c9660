// SPDX-License-Identifier: Apache-2.0
#include "crypto/aes_ctr.hpp"

#include <limits>

#include "crypto/openssl.hpp"

namespace teetee::crypto {
namespace {

using EvpCipherCtxPtr = std::unique_ptr<EVP_CIPHER_CTX, OpensslFree<EVP_CIPHER_CTX_free>>;

}  // namespace

Result<SecretBytes> aes_128_ctr(const AesCtrInput& input) {
    if (input.key.size() != 16) {
        return fail(ErrorCode::key_invalid,
                    "AES-128 key: have " + std::to_string(input.key.size()) + " bytes, need 16");
    }
    if (input.text.size() > static_cast<size_t>(std::numeric_limits<int>::max()))
        return fail(ErrorCode::crypto_failed, "AES-CTR: too long a text");
    const EvpCipherCtxPtr context(EVP_CIPHER_CTX_new());
    SecretBytes out(input.text.size());
    int written = 0;
    if (context == nullptr ||
        EVP_EncryptInit_ex(context.get(), EVP_aes_128_ctr(), nullptr, input.key.data(),
                           input.counter.data()) != 1 ||
        EVP_EncryptUpdate(context.get(), out.data(), &written, input.text.data(),
                          static_cast<int>(input.text.size())) != 1) {
        return openssl_fail(ErrorCode::crypto_failed, "AES-CTR");
    }
    return out;
}

}  // namespace teetee::crypto
