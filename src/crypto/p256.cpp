// SPDX-License-Identifier: Apache-2.0
#include "crypto/p256.hpp"

#include <algorithm>
#include <mutex>

#include <cryptopp/eccrypto.h>
#include <cryptopp/oids.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "base/assert.hpp"
#include "crypto/hash.hpp"

namespace teetee::crypto {
namespace {

constexpr char curve_name[] = "prime256v1";

// Everything of a P-256 SubjectPublicKeyInfo before x: SEQUENCE, algorithm (id-ecPublicKey,
// prime256v1), BIT STRING, and 0x04 for an uncompressed point.
constexpr ByteArray<27> spki_prefix = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                       0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                       0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};

using ParamBuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, OpensslFree<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, OpensslFree<OSSL_PARAM_free>>;

ByteArray<65> uncompressed(const P256Point& point) {
    ByteArray<65> out;
    out[0] = 4;
    std::copy(point.begin(), point.end(), out.begin() + 1);
    return out;
}

// A key from its parts; `secret` is null for a public key. Null when OpenSSL refuses it.
EvpPkeyPtr build_key(const ByteArray<65>& point, const BIGNUM* secret) {
    const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
    if (builder == nullptr ||
        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve_name, 0) !=
            1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1 ||
        (secret != nullptr &&
         OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret) != 1)) {
        return nullptr;
    }
    const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder.get()));
    const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
    EVP_PKEY* key = nullptr;
    if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key,
                          secret != nullptr ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                          params.get()) != 1) {
        return nullptr;
    }
    return EvpPkeyPtr(key);
}

// Hashed piece by piece, so that no copy of the seed stays on the heap; every piece has a fixed
// length.
Secret<32> derive_candidate(const ByteArray<32>& seed, uint32_t counter) {
    ByteWriter counter_bytes;
    counter_bytes.u32(counter);
    Sha256 hash;
    hash.update(as_bytes("teetee p256 key v1"));
    hash.update(counter_bytes.view());
    hash.update(seed);
    return Secret<32>(hash.finish());
}

// OpenSSL would ask on the terminal for the password of an encrypted key.
int no_password(char*, int, int, void*) {
    return -1;
}

}  // namespace

Result<P256Key> P256Key::generate() {
    EvpPkeyPtr key(EVP_EC_gen(curve_name));
    if (key == nullptr) return openssl_fail(ErrorCode::crypto_failed, "P-256 key: not generated");
    return from_handle(std::move(key));
}

Result<P256Key> P256Key::derive(const ByteArray<32>& seed) {
    const EcGroupPtr group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
    TT_ASSERT(group != nullptr);
    const BIGNUM* order = EC_GROUP_get0_order(group.get());
    for (uint32_t counter = 0;; ++counter) {
        const Secret<32> candidate = derive_candidate(seed, counter);
        const BignumPtr secret(BN_bin2bn(candidate.data(), 32, nullptr));
        TT_ASSERT(secret != nullptr);
        if (BN_is_zero(secret.get()) || BN_cmp(secret.get(), order) >= 0) continue;

        const EcPointPtr product(EC_POINT_new(group.get()));
        ByteArray<65> point;
        if (product == nullptr ||
            EC_POINT_mul(group.get(), product.get(), secret.get(), nullptr, nullptr, nullptr) !=
                1 ||
            EC_POINT_point2oct(group.get(), product.get(), POINT_CONVERSION_UNCOMPRESSED,
                               point.data(), point.size(), nullptr) != point.size()) {
            return openssl_fail(ErrorCode::crypto_failed, "P-256 key: no public point");
        }
        EvpPkeyPtr key = build_key(point, secret.get());
        if (key == nullptr) return openssl_fail(ErrorCode::crypto_failed, "P-256 key: not built");
        return from_handle(std::move(key));
    }
}

Result<P256Key> P256Key::from_pem(std::string_view pem) {
    const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (bio == nullptr) return openssl_fail(ErrorCode::key_invalid, "P-256 key: empty PEM");
    EvpPkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
    if (key == nullptr) {
        return openssl_fail(ErrorCode::key_invalid, "P-256 key: not a PEM private key");
    }
    return from_handle(std::move(key));
}

Result<P256Key> P256Key::from_handle(EvpPkeyPtr key) {
    uint8_t* encoded = nullptr;
    const int encoded_bytes = i2d_PUBKEY(key.get(), &encoded);
    if (encoded_bytes <= 0) {
        return openssl_fail(ErrorCode::key_invalid, "P-256 key: no public key");
    }
    const Bytes spki(encoded, encoded + encoded_bytes);
    OPENSSL_free(encoded);
    TT_TRY(const auto point, p256_point_from_spki(spki));
    const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    if (context == nullptr || EVP_PKEY_check(context.get()) != 1) {
        return openssl_fail(ErrorCode::key_invalid, "P-256 key: private and public part differ");
    }
    return P256Key(std::move(key), point);
}

Result<SecretBytes> P256Key::to_pem() const {
    // A secure-memory BIO wipes its buffer.
    const BioPtr bio(BIO_new(BIO_s_secmem()));
    if (bio == nullptr || PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0,
                                                        nullptr, nullptr) != 1) {
        return openssl_fail(ErrorCode::crypto_failed, "P-256 key: not written as PEM");
    }
    const char* text = nullptr;
    const long text_bytes = BIO_get_mem_data(bio.get(), &text);
    return SecretBytes(text, text + text_bytes);
}

Bytes P256Key::spki_der() const {
    ByteWriter out;
    out.bytes(spki_prefix);
    out.bytes(point_);
    return out.take();
}

Result<P256Signature> P256Key::sign(ByteView message) const {
    const EvpMdCtxPtr context(EVP_MD_CTX_new());
    ByteArray<80> der;
    size_t der_bytes = der.size();
    if (context == nullptr ||
        EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), der.data(), &der_bytes, message.data(), message.size()) !=
            1) {
        return openssl_fail(ErrorCode::crypto_failed, "P-256: not signed");
    }
    const uint8_t* cursor = der.data();
    const EcdsaSigPtr parts(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der_bytes)));
    P256Signature out;
    if (parts == nullptr || BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), out.data(), 32) != 32 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), out.data() + 32, 32) != 32) {
        return openssl_fail(ErrorCode::crypto_failed, "P-256: signature not encoded");
    }
    return out;
}

Result<P256Signature> P256Key::sign_deterministic(ByteView message) const {
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key_.get(), OSSL_PKEY_PARAM_PRIV_KEY, &number) != 1) {
        return openssl_fail(ErrorCode::crypto_failed, "P-256: private part not readable");
    }
    const BignumPtr owned(number);
    Secret<32> secret;
    TT_ASSERT(BN_bn2binpad(owned.get(), secret.writable().data(), 32) == 32);
    CryptoPP::ECDSA_RFC6979<CryptoPP::ECP, CryptoPP::SHA256>::Signer signer;
    signer.AccessKey().Initialize(CryptoPP::ASN1::secp256r1(),
                                  CryptoPP::Integer(secret.data(), 32));
    P256Signature out;
    // The library keeps one HMAC for all such signers of the process.
    static std::mutex mutex;
    const std::lock_guard<std::mutex> lock(mutex);
    signer.SignMessage(CryptoPP::NullRNG(), message.data(), message.size(), out.data());
    return out;
}

Result<P256Point> p256_point_from_spki(ByteView spki_der) {
    P256Point point;
    if (spki_der.size() != spki_prefix.size() + point.size() ||
        !std::equal(spki_prefix.begin(), spki_prefix.end(), spki_der.begin())) {
        return fail(ErrorCode::key_invalid,
                    "public key: have another form, need P-256, named curve, uncompressed");
    }
    std::copy(spki_der.begin() + spki_prefix.size(), spki_der.end(), point.begin());
    return point;
}

Bytes p256_signature_der(const P256Signature& signature) {
    const EcdsaSigPtr parts(ECDSA_SIG_new());
    BignumPtr r(BN_bin2bn(signature.data(), 32, nullptr));
    BignumPtr s(BN_bin2bn(signature.data() + 32, 32, nullptr));
    TT_ASSERT(parts != nullptr && r != nullptr && s != nullptr);
    TT_ASSERT(ECDSA_SIG_set0(parts.get(), r.release(), s.release()) == 1);
    const int der_bytes = i2d_ECDSA_SIG(parts.get(), nullptr);
    TT_ASSERT(der_bytes > 0);
    Bytes der(static_cast<size_t>(der_bytes));
    uint8_t* cursor = der.data();
    TT_ASSERT(i2d_ECDSA_SIG(parts.get(), &cursor) == der_bytes);
    return der;
}

Result<void> verify_p256(const P256Point& point, const P256Signed& input) {
    P256Signature signature;
    if (input.signature.size() != signature.size()) {
        return fail(
            ErrorCode::signature_invalid,
            "P-256 signature: have " + std::to_string(input.signature.size()) + " bytes, need 64");
    }
    std::copy(input.signature.begin(), input.signature.end(), signature.begin());
    const EvpPkeyPtr key = build_key(uncompressed(point), nullptr);
    if (key == nullptr) {
        return openssl_fail(ErrorCode::key_invalid, "P-256 public key: not on the curve");
    }
    const Bytes der = p256_signature_der(signature);
    const EvpMdCtxPtr context(EVP_MD_CTX_new());
    if (context == nullptr ||
        EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
        EVP_DigestVerify(context.get(), der.data(), der.size(), input.message.data(),
                         input.message.size()) != 1) {
        return openssl_fail(ErrorCode::signature_invalid, "P-256 signature: does not verify");
    }
    return {};
}

}  // namespace teetee::crypto
