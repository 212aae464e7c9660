// SPDX-License-Identifier: Apache-2.0
#include "crypto/password.hpp"

#include <limits>

#include "crypto/openssl.hpp"

namespace teetee::crypto {
namespace {

// OpenSSL's signature takes text, and no null pointer for an empty one.
const char* text_of(ByteView bytes) {
    return bytes.empty() ? "" : as_text(bytes).data();
}

}  // namespace

Result<void> pbkdf2_sha256(const Pbkdf2Input& input, std::span<uint8_t> key) {
    constexpr auto int_max = static_cast<uint64_t>(std::numeric_limits<int>::max());
    if (input.iterations == 0 || input.iterations > int_max || input.password.size() > int_max ||
        input.salt.size() > int_max || key.empty() || key.size() > int_max) {
        return fail(ErrorCode::crypto_failed, "PBKDF2: a parameter is out of range");
    }
    const int done = PKCS5_PBKDF2_HMAC(
        text_of(input.password), static_cast<int>(input.password.size()), input.salt.data(),
        static_cast<int>(input.salt.size()), static_cast<int>(input.iterations), EVP_sha256(),
        static_cast<int>(key.size()), key.data());
    if (done != 1) return openssl_fail(ErrorCode::crypto_failed, "PBKDF2");
    return {};
}

Result<void> scrypt(const ScryptInput& input, std::span<uint8_t> key) {
    if (key.empty()) return fail(ErrorCode::crypto_failed, "scrypt: no key to derive");
    // OpenSSL's own bound counts some more than the table.
    const uint64_t bound = input.memory_bytes_max + input.memory_bytes_max / 8 + (1u << 20);
    const int done =
        EVP_PBE_scrypt(text_of(input.password), input.password.size(), input.salt.data(),
                       input.salt.size(), input.n, input.r, input.p, bound, key.data(), key.size());
    if (done != 1) return openssl_fail(ErrorCode::crypto_failed, "scrypt");
    return {};
}

}  // namespace teetee::crypto
