// SPDX-License-Identifier: Apache-2.0
#include "chain/keystore.hpp"

#include <algorithm>
#include <bit>

#include "base/strict_json.hpp"
#include "chain/json_fields.hpp"
#include "chain/limits.hpp"
#include "crypto/aes_ctr.hpp"
#include "crypto/hash.hpp"
#include "crypto/password.hpp"

namespace teetee::chain {
namespace {

namespace json = boost::json;

constexpr size_t depth_max = 8;
constexpr size_t salt_bytes_max = 128;
constexpr size_t key_bytes = 32;
constexpr size_t half_bytes = 16;
// 32 bytes of which the first half enciphers and the second one is in the MAC.
using DerivedKey = crypto::Secret<key_bytes>;

Error unsupported(std::string detail) {
    return fail(ErrorCode::keystore_unsupported, "keystore: " + std::move(detail));
}

Error malformed(std::string detail) {
    return fail(ErrorCode::keystore_malformed, "keystore: " + std::move(detail));
}

Result<void> ensure_text(const JsonFields& fields, std::string_view key, std::string_view need) {
    TT_TRY(const std::string_view have, fields.text(key));
    if (have != need) {
        return unsupported(std::string(key) + ": have " + quote_foreign(have) + ", need " +
                           std::string(need));
    }
    return {};
}

Result<void> ensure_bearable(const KeystoreCost& cost) {
    const bool is_power = cost.n > 1 && std::has_single_bit(cost.n);
    if (!is_power || cost.r == 0 || cost.p == 0)
        return unsupported("scrypt: parameters that it does not have");
    // RFC 7914, section 2; OpenSSL computes no others.
    if (cost.r < 4 && cost.n >= uint64_t{1} << (16 * cost.r))
        return unsupported("scrypt: n is not below 2^(16 * r)");
    const uint64_t blocks_max = scrypt_memory_bytes_max / 128;
    if (cost.r > blocks_max || cost.n > blocks_max / cost.r || cost.p > scrypt_p_max) {
        return unsupported("scrypt: needs more than " +
                           std::to_string(scrypt_memory_bytes_max >> 20) + " MiB or p above " +
                           std::to_string(scrypt_p_max));
    }
    return {};
}

Result<DerivedKey> derive_by_scrypt(const KeystoreCost& cost, ByteView password, ByteView salt) {
    TT_CHECK(ensure_bearable(cost));
    DerivedKey key;
    TT_CHECK(crypto::scrypt({.password = password,
                             .salt = salt,
                             .n = cost.n,
                             .r = cost.r,
                             .p = cost.p,
                             .memory_bytes_max = scrypt_memory_bytes_max},
                            key.writable()));
    return key;
}

Result<DerivedKey> derive(const JsonFields& crypto_part, ByteView password) {
    TT_TRY(const std::string_view kdf, crypto_part.text("kdf"));
    TT_TRY(const JsonFields parameters, crypto_part.object("kdfparams"));
    TT_TRY(const uint64_t length, parameters.number("dklen", UINT32_MAX));
    if (length != key_bytes) return unsupported("dklen: have " + std::to_string(length));
    TT_TRY(const Bytes salt, parameters.hex("salt", salt_bytes_max));
    if (kdf == "scrypt") {
        KeystoreCost cost;
        TT_TRY(cost.n, parameters.number("n", UINT64_MAX));
        TT_TRY(cost.r, parameters.number("r", UINT64_MAX));
        TT_TRY(cost.p, parameters.number("p", UINT64_MAX));
        return derive_by_scrypt(cost, password, salt);
    }
    if (kdf != "pbkdf2") return unsupported("kdf: have " + quote_foreign(kdf));
    TT_CHECK(ensure_text(parameters, "prf", "hmac-sha256"));
    TT_TRY(const uint64_t iterations, parameters.number("c", UINT64_MAX));
    if (iterations == 0 || iterations > pbkdf2_iterations_max)
        return unsupported("pbkdf2: have " + std::to_string(iterations) + " iterations");
    DerivedKey key;
    TT_CHECK(crypto::pbkdf2_sha256({.password = password, .salt = salt, .iterations = iterations},
                                   key.writable()));
    return key;
}

Digest mac_of(const DerivedKey& key, ByteView cipher_text) {
    crypto::SecretBytes joined;
    const ByteView half = key.view().subspan(half_bytes);
    joined.insert(joined.end(), half.begin(), half.end());
    joined.insert(joined.end(), cipher_text.begin(), cipher_text.end());
    return crypto::keccak256(joined);
}

Result<crypto::SecretBytes> crypt(const DerivedKey& key, const ByteArray<half_bytes>& counter,
                                  ByteView text) {
    return crypto::aes_128_ctr(
        {.key = key.view().first(half_bytes), .counter = counter, .text = text});
}

Result<void> ensure_address(const JsonFields& file, const crypto::Address& address) {
    if (file.is_absent("address")) return {};
    TT_TRY(const Bytes named, file.hex("address", address.size()));
    // Some programs leave it empty for privacy.
    if (named.empty() || std::equal(named.begin(), named.end(), address.begin(), address.end()))
        return {};
    return malformed("the address is not the key's");
}

Result<crypto::SecpKey> open_file(const JsonFields& file, ByteView password) {
    TT_TRY(const uint64_t version, file.number("version", UINT32_MAX));
    if (version != 3) return unsupported("version: have " + std::to_string(version) + ", need 3");
    // Old programs write it with a capital.
    TT_TRY(const JsonFields part, file.object(file.is_absent("crypto") ? "Crypto" : "crypto"));
    TT_CHECK(ensure_text(part, "cipher", "aes-128-ctr"));
    TT_TRY(const JsonFields cipher, part.object("cipherparams"));
    TT_TRY(const Bytes iv, cipher.hex("iv", half_bytes));
    TT_TRY(const Bytes cipher_text, part.hex("ciphertext", key_bytes));
    TT_TRY(const Bytes mac, part.hex("mac", key_bytes));
    if (iv.size() != half_bytes || cipher_text.size() != key_bytes || mac.size() != key_bytes)
        return malformed("iv, ciphertext or mac of another length");
    TT_TRY(const DerivedKey derived, derive(part, password));
    const Digest expected = mac_of(derived, cipher_text);
    if (CRYPTO_memcmp(expected.data(), mac.data(), mac.size()) != 0)
        return fail(ErrorCode::keystore_locked, "keystore: the password is not that of the file");
    ByteArray<half_bytes> counter;
    std::copy(iv.begin(), iv.end(), counter.begin());
    TT_TRY(const crypto::SecretBytes secret, crypt(derived, counter, cipher_text));
    TT_TRY(auto key, crypto::SecpKey::from_bytes(secret));
    TT_CHECK(ensure_address(file, key.address()));
    return key;
}

// A random UUID (RFC 9562, version 4).
std::string random_uuid(Rng& rng) {
    ByteArray<16> bytes;
    rng.fill(bytes);
    bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0f) | 0x40);
    bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3f) | 0x80);
    std::string text = to_hex(bytes);
    for (const size_t place : {8u, 13u, 18u, 23u}) text.insert(place, "-");
    return text;
}

Result<json::value> parse_file(std::string_view text) {
    auto parsed =
        parse_strict_json(text, {.bytes_max = keystore_bytes_max, .depth_max = depth_max});
    if (!parsed) return malformed(parsed.error().detail);
    return parsed;
}

}  // namespace

Result<crypto::SecpKey> open_keystore(std::string_view text, ByteView password) {
    TT_TRY(const auto parsed, parse_file(text));
    TT_TRY(const JsonFields file,
           JsonFields::of(parsed, "keystore", ErrorCode::keystore_malformed));
    return open_file(file, password);
}

Result<std::optional<crypto::Address>> keystore_address(std::string_view text) {
    TT_TRY(const auto parsed, parse_file(text));
    TT_TRY(const JsonFields file,
           JsonFields::of(parsed, "keystore", ErrorCode::keystore_malformed));
    crypto::Address out{};
    if (file.is_absent("address")) return std::optional<crypto::Address>();
    TT_TRY(const Bytes named, file.hex("address", out.size()));
    if (named.empty()) return std::optional<crypto::Address>();
    if (named.size() != out.size()) return malformed("address of another length");
    std::copy(named.begin(), named.end(), out.begin());
    return std::optional(out);
}

Result<std::string> seal_keystore(const crypto::Secret<32>& key, ByteView password, Rng& rng,
                                  const KeystoreCost& cost) {
    TT_TRY(const auto checked, crypto::SecpKey::from_bytes(key.view()));
    ByteArray<32> salt;
    rng.fill(salt);
    ByteArray<half_bytes> counter;
    rng.fill(counter);
    TT_TRY(const DerivedKey derived, derive_by_scrypt(cost, password, salt));
    TT_TRY(const crypto::SecretBytes cipher_text, crypt(derived, counter, key.view()));
    const json::object file = {{"version", 3},
                               {"id", random_uuid(rng)},
                               {"address", to_hex(checked.address())},
                               {"crypto",
                                {{"cipher", "aes-128-ctr"},
                                 {"cipherparams", {{"iv", to_hex(counter)}}},
                                 {"ciphertext", to_hex(cipher_text)},
                                 {"kdf", "scrypt"},
                                 {"kdfparams",
                                  {{"dklen", key_bytes},
                                   {"n", cost.n},
                                   {"r", cost.r},
                                   {"p", cost.p},
                                   {"salt", to_hex(salt)}}},
                                 {"mac", to_hex(mac_of(derived, cipher_text))}}}};
    return json::serialize(file);
}

}  // namespace teetee::chain
