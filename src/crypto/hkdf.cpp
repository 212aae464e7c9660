// SPDX-License-Identifier: Apache-2.0
#include "crypto/hkdf.hpp"

#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include "crypto/openssl.hpp"

namespace teetee::crypto {
namespace {

using EvpKdfPtr = std::unique_ptr<EVP_KDF, OpensslFree<EVP_KDF_free>>;
using EvpKdfCtxPtr = std::unique_ptr<EVP_KDF_CTX, OpensslFree<EVP_KDF_CTX_free>>;

/// OpenSSL takes no null pointer for an empty string, and promises not to write to this one.
OSSL_PARAM octets(const char* name, ByteView bytes) {
    static uint8_t empty = 0;
    return OSSL_PARAM_construct_octet_string(
        name, bytes.empty() ? &empty : const_cast<uint8_t*>(bytes.data()), bytes.size());
}

struct Derivation {
    int mode;
    ByteView key;
    const char* other_name;
    ByteView other;
};

void derive(Derivation input, std::span<uint8_t> out) {
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &input.mode),
                                 octets(OSSL_KDF_PARAM_KEY, input.key),
                                 octets(input.other_name, input.other), OSSL_PARAM_construct_end()};
    const EvpKdfPtr kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
    const EvpKdfCtxPtr context(EVP_KDF_CTX_new(kdf.get()));
    TT_ASSERT(context != nullptr);
    TT_ASSERT(EVP_KDF_derive(context.get(), out.data(), out.size(), params) == 1);
}

}  // namespace

Secret<32> hkdf_extract(const HkdfExtractInput& input) {
    Secret<32> out;
    derive({.mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY,
            .key = input.key_material,
            .other_name = OSSL_KDF_PARAM_SALT,
            .other = input.salt},
           out.writable());
    return out;
}

Result<void> hkdf_expand(const HkdfExpandInput& input, std::span<uint8_t> out) {
    if (out.size() > hkdf_expand_bytes_max) {
        return fail(ErrorCode::limit_exceeded, "HKDF: asked for " + std::to_string(out.size()) +
                                                   " bytes, at most " +
                                                   std::to_string(hkdf_expand_bytes_max));
    }
    // OpenSSL calls an empty output an error, the RFC does not.
    if (out.empty()) return {};
    derive({.mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY,
            .key = input.key,
            .other_name = OSSL_KDF_PARAM_INFO,
            .other = input.info},
           out);
    return {};
}

}  // namespace teetee::crypto
