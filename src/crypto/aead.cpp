// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.hpp"

#include <limits>

#include "crypto/openssl.hpp"

namespace teetee::crypto {
namespace {

using EvpCipherCtxPtr = std::unique_ptr<EVP_CIPHER_CTX, OpensslFree<EVP_CIPHER_CTX_free>>;

const EVP_CIPHER* cipher_of(AeadAlgorithm algorithm) {
    switch (algorithm) {
        case AeadAlgorithm::aes_128_gcm:
            return EVP_aes_128_gcm();
        case AeadAlgorithm::aes_256_gcm:
            return EVP_aes_256_gcm();
        case AeadAlgorithm::chacha20_poly1305:
            return EVP_chacha20_poly1305();
    }
    return nullptr;
}

Result<void> ensure_bearable(const AeadInput& input) {
    if (input.text.size() <= aead_text_bytes_max && input.aad.size() <= aead_text_bytes_max)
        return {};
    return fail(ErrorCode::limit_exceeded,
                "AEAD: at most " + std::to_string(aead_text_bytes_max) + " bytes at once");
}

}  // namespace

size_t aead_key_bytes(AeadAlgorithm algorithm) {
    return algorithm == AeadAlgorithm::aes_128_gcm ? 16 : 32;
}

Result<AeadKey> AeadKey::from_bytes(AeadAlgorithm algorithm, ByteView key) {
    if (key.size() != aead_key_bytes(algorithm)) {
        return fail(ErrorCode::key_invalid, "AEAD key: have " + std::to_string(key.size()) +
                                                " bytes, need " +
                                                std::to_string(aead_key_bytes(algorithm)));
    }
    return AeadKey(algorithm, key);
}

Result<Bytes> AeadKey::seal(const AeadInput& input) const {
    TT_CHECK(ensure_bearable(input));
    const EvpCipherCtxPtr context(EVP_CIPHER_CTX_new());
    Bytes out(input.text.size() + aead_tag_bytes);
    uint8_t* const tag = out.data() + input.text.size();
    int done = 0;
    if (context == nullptr ||
        EVP_EncryptInit_ex(context.get(), cipher_of(algorithm_), nullptr, key_.data(),
                           input.nonce.data()) != 1 ||
        EVP_EncryptUpdate(context.get(), nullptr, &done, input.aad.data(),
                          static_cast<int>(input.aad.size())) != 1 ||
        EVP_EncryptUpdate(context.get(), out.data(), &done, input.text.data(),
                          static_cast<int>(input.text.size())) != 1 ||
        EVP_EncryptFinal_ex(context.get(), tag, &done) != 1 ||
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, aead_tag_bytes, tag) != 1) {
        return openssl_fail(ErrorCode::crypto_failed, "AEAD: sealing failed");
    }
    return out;
}

Result<SecretBytes> AeadKey::open(const AeadInput& input) const {
    TT_CHECK(ensure_bearable(input));
    if (input.text.size() < aead_tag_bytes)
        return fail(ErrorCode::decrypt_failed, "AEAD: shorter than its tag");
    const EvpCipherCtxPtr context(EVP_CIPHER_CTX_new());
    const ByteView ciphertext = input.text.first(input.text.size() - aead_tag_bytes);
    ByteArray<aead_tag_bytes> tag;
    std::copy(ciphertext.end(), input.text.end(), tag.begin());
    SecretBytes out(ciphertext.size());
    int done = 0;
    if (context == nullptr ||
        EVP_DecryptInit_ex(context.get(), cipher_of(algorithm_), nullptr, key_.data(),
                           input.nonce.data()) != 1 ||
        EVP_DecryptUpdate(context.get(), nullptr, &done, input.aad.data(),
                          static_cast<int>(input.aad.size())) != 1 ||
        EVP_DecryptUpdate(context.get(), out.data(), &done, ciphertext.data(),
                          static_cast<int>(ciphertext.size())) != 1 ||
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, aead_tag_bytes, tag.data()) !=
            1) {
        return openssl_fail(ErrorCode::crypto_failed, "AEAD: opening failed");
    }
    // Nothing is written any more, but OpenSSL wants a place for it.
    uint8_t nowhere = 0;
    if (EVP_DecryptFinal_ex(context.get(), &nowhere, &done) != 1)
        return openssl_fail(ErrorCode::decrypt_failed, "AEAD: not sealed with this key");
    return out;
}

Result<AeadNonce> NonceSequence::peek() const {
    if (next_ == std::numeric_limits<uint64_t>::max())
        return fail(ErrorCode::sequence_exhausted, "AEAD: this key has no nonce left");
    AeadNonce nonce = base_;
    for (size_t i = 0; i < 8; ++i)
        nonce[nonce.size() - 1 - i] ^= static_cast<uint8_t>(next_ >> (8 * i));
    return nonce;
}

}  // namespace teetee::crypto
