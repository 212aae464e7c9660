// SPDX-License-Identifier: Apache-2.0
#include "node/sealed_key.hpp"

#include <algorithm>

#include "crypto/aead.hpp"
#include "net/file.hpp"

namespace teetee::node {
namespace {

constexpr size_t key_bytes = 32;
constexpr size_t file_bytes = sizeof(crypto::AeadNonce) + key_bytes + crypto::aead_tag_bytes;

}  // namespace

Result<crypto::SecpKey> load_sealed_key(const std::string& path, std::string_view purpose,
                                        attest::EvidenceProvider& tee, Rng& rng) {
    TT_TRY(const auto sealing, tee.sealing_key(purpose));
    TT_TRY(const auto aead,
           crypto::AeadKey::from_bytes(crypto::AeadAlgorithm::aes_256_gcm, sealing.view()));
    crypto::AeadNonce nonce{};
    const auto file = net::read_file(path, file_bytes);
    if (file) {
        if (file->size() != file_bytes)
            return fail(ErrorCode::decrypt_failed, path + ": no sealed key");
        std::copy_n(file->begin(), nonce.size(), nonce.begin());
        auto secret = aead.open({.nonce = nonce,
                                 .aad = as_bytes(purpose),
                                 .text = ByteView(*file).subspan(nonce.size())});
        if (!secret) return in_context(path, std::move(secret).error());
        return crypto::SecpKey::from_bytes(*secret);
    }
    if (file.error().code != ErrorCode::not_found) return file.error();
    crypto::SecretBytes secret(key_bytes);
    rng.fill(secret);
    rng.fill(nonce);
    TT_TRY(auto key, crypto::SecpKey::from_bytes(secret));
    TT_TRY(const Bytes sealed,
           aead.seal({.nonce = nonce, .aad = as_bytes(purpose), .text = secret}));
    Bytes out(nonce.begin(), nonce.end());
    out.insert(out.end(), sealed.begin(), sealed.end());
    TT_CHECK(net::write_file_atomic(path, out, {.mode = 0600}));
    return key;
}

}  // namespace teetee::node
