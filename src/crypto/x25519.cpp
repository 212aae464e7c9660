// SPDX-License-Identifier: Apache-2.0
#include "crypto/x25519.hpp"

namespace teetee::crypto {

Result<X25519Key> X25519Key::generate(Rng& rng) {
    Secret<32> secret;
    rng.fill(secret.writable());
    return from_bytes(secret.view());
}

Result<X25519Key> X25519Key::from_bytes(ByteView secret) {
    EvpPkeyPtr handle(
        EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, secret.data(), secret.size()));
    if (handle == nullptr) {
        return openssl_fail(
            ErrorCode::key_invalid,
            "X25519 key: have " + std::to_string(secret.size()) + " bytes, need 32");
    }
    X25519Key key(std::move(handle));
    size_t public_bytes = key.public_key_.size();
    if (EVP_PKEY_get_raw_public_key(key.key_.get(), key.public_key_.data(), &public_bytes) != 1) {
        return openssl_fail(ErrorCode::crypto_failed, "X25519 key: no public key");
    }
    return key;
}

Result<Secret<32>> X25519Key::agree(const X25519PublicKey& peer) const {
    const EvpPkeyPtr peer_key(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, peer.data(), peer.size()));
    const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
    Secret<32> shared;
    size_t shared_bytes = 32;
    // OpenSSL refuses the all-zero result itself.
    if (peer_key == nullptr || context == nullptr || EVP_PKEY_derive_init(context.get()) != 1 ||
        EVP_PKEY_derive_set_peer(context.get(), peer_key.get()) != 1 ||
        EVP_PKEY_derive(context.get(), shared.writable().data(), &shared_bytes) != 1) {
        return openssl_fail(ErrorCode::key_invalid, "X25519: no shared secret with this key");
    }
    return shared;
}

}  // namespace teetee::crypto
