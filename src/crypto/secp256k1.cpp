// SPDX-License-Identifier: Apache-2.0
#include "crypto/secp256k1.hpp"

#include <algorithm>

#include <openssl/rand.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include "base/assert.hpp"
#include "crypto/hash.hpp"

namespace teetee::crypto {
namespace {

constexpr uint8_t v_offset = 27;

// One signing context for the process, blinded once against side channels. Blinding does not
// change what is signed, and the context is only read afterwards, so threads may share it.
const secp256k1_context* signing_context() {
    static const secp256k1_context* const context = [] {
        secp256k1_context* made = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
        Secret<32> blinding;
        TT_ASSERT(RAND_bytes(blinding.writable().data(), 32) == 1);
        TT_ASSERT(secp256k1_context_randomize(made, blinding.data()) == 1);
        return made;
    }();
    return context;
}

Address address_of(const secp256k1_pubkey& key) {
    ByteArray<65> point;
    size_t point_bytes = point.size();
    TT_ASSERT(secp256k1_ec_pubkey_serialize(secp256k1_context_static, point.data(), &point_bytes,
                                            &key, SECP256K1_EC_UNCOMPRESSED) == 1);
    const Digest digest = keccak256(ByteView(point).subspan(1));
    Address address;
    std::copy(digest.end() - 20, digest.end(), address.begin());
    return address;
}

}  // namespace

Result<SecpKey> SecpKey::generate(Rng& rng) {
    Secret<32> secret;
    rng.fill(secret.writable());
    return from_secret(std::move(secret));
}

Result<SecpKey> SecpKey::from_bytes(ByteView secret) {
    if (secret.size() != 32) {
        return fail(ErrorCode::key_invalid,
                    "secp256k1 key: have " + std::to_string(secret.size()) + " bytes, need 32");
    }
    Secret<32> copy;
    std::copy(secret.begin(), secret.end(), copy.writable().begin());
    return from_secret(std::move(copy));
}

Result<SecpKey> SecpKey::from_secret(Secret<32> secret) {
    secp256k1_pubkey point;
    if (secp256k1_ec_pubkey_create(signing_context(), &point, secret.data()) != 1) {
        return fail(ErrorCode::key_invalid, "secp256k1 key: not in [1, order)");
    }
    SecpKey key(std::move(secret));
    key.address_ = address_of(point);
    return key;
}

RecoverableSignature SecpKey::sign_recoverable(const Digest& digest) const {
    secp256k1_ecdsa_recoverable_signature signature;
    TT_ASSERT(secp256k1_ecdsa_sign_recoverable(signing_context(), &signature, digest.data(),
                                               secret_.data(), nullptr, nullptr) == 1);
    RecoverableSignature out;
    int recovery_id = 0;
    secp256k1_ecdsa_recoverable_signature_serialize_compact(secp256k1_context_static, out.data(),
                                                            &recovery_id, &signature);
    // 2 and 3 stand for an x above the order, which nobody can find on purpose.
    TT_ASSERT(recovery_id == 0 || recovery_id == 1);
    out[64] = static_cast<uint8_t>(v_offset + recovery_id);
    return out;
}

Result<Address> recover_address(const Digest& digest, ByteView signature) {
    if (signature.size() != 65) {
        return fail(
            ErrorCode::signature_invalid,
            "secp256k1 signature: have " + std::to_string(signature.size()) + " bytes, need 65");
    }
    const uint8_t v = signature[64];
    if (v != v_offset && v != v_offset + 1) {
        return fail(ErrorCode::signature_invalid,
                    "secp256k1 signature: have v " + std::to_string(v) + ", need 27 or 28");
    }
    secp256k1_ecdsa_recoverable_signature recoverable;
    if (secp256k1_ecdsa_recoverable_signature_parse_compact(secp256k1_context_static, &recoverable,
                                                            signature.data(), v - v_offset) != 1) {
        return fail(ErrorCode::signature_invalid, "secp256k1 signature: r or s out of range");
    }
    secp256k1_ecdsa_signature plain;
    secp256k1_ecdsa_recoverable_signature_convert(secp256k1_context_static, &plain, &recoverable);
    if (secp256k1_ecdsa_signature_normalize(secp256k1_context_static, nullptr, &plain) != 0) {
        return fail(ErrorCode::signature_invalid, "secp256k1 signature: s is in the upper half");
    }
    secp256k1_pubkey point;
    if (secp256k1_ecdsa_recover(secp256k1_context_static, &point, &recoverable, digest.data()) !=
        1) {
        return fail(ErrorCode::signature_invalid, "secp256k1 signature: recovers to no key");
    }
    return address_of(point);
}

}  // namespace teetee::crypto
