// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.hpp"

#include <cryptopp/keccak.h>
#include <openssl/evp.h>

#include "base/assert.hpp"

namespace teetee::crypto {
namespace {

// Hashing memory fails only when the library is broken or memory is out: not an operating error.
template <size_t N>
ByteArray<N> sha2(ByteView bytes, const EVP_MD* algorithm) {
    ByteArray<N> out;
    unsigned out_bytes = 0;
    const int ok =
        EVP_Digest(bytes.data(), bytes.size(), out.data(), &out_bytes, algorithm, nullptr);
    TT_ASSERT(ok == 1 && out_bytes == N);
    return out;
}

template <size_t N>
ByteArray<N> finish_and_restart(EVP_MD_CTX* context, const EVP_MD* algorithm) {
    ByteArray<N> out;
    unsigned out_bytes = 0;
    TT_ASSERT(EVP_DigestFinal_ex(context, out.data(), &out_bytes) == 1 && out_bytes == N);
    TT_ASSERT(EVP_DigestInit_ex(context, algorithm, nullptr) == 1);
    return out;
}

}  // namespace

Digest sha256(ByteView bytes) {
    return sha2<32>(bytes, EVP_sha256());
}
ByteArray<48> sha384(ByteView bytes) {
    return sha2<48>(bytes, EVP_sha384());
}
ByteArray<64> sha512(ByteView bytes) {
    return sha2<64>(bytes, EVP_sha512());
}

Digest keccak256(ByteView bytes) {
    Digest out;
    CryptoPP::Keccak_256().CalculateDigest(out.data(), bytes.data(), bytes.size());
    return out;
}

void Sha256::FreeContext::operator()(evp_md_ctx_st* context) const {
    EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    TT_ASSERT(context_ != nullptr);
    TT_ASSERT(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::update(ByteView bytes) {
    TT_ASSERT(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Digest Sha256::finish() {
    return finish_and_restart<32>(context_.get(), EVP_sha256());
}

void Sha1::FreeContext::operator()(evp_md_ctx_st* context) const {
    EVP_MD_CTX_free(context);
}

Sha1::Sha1() : context_(EVP_MD_CTX_new()) {
    TT_ASSERT(context_ != nullptr);
    TT_ASSERT(EVP_DigestInit_ex(context_.get(), EVP_sha1(), nullptr) == 1);
}

void Sha1::update(ByteView bytes) {
    TT_ASSERT(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

ByteArray<20> Sha1::finish() {
    return finish_and_restart<20>(context_.get(), EVP_sha1());
}

}  // namespace teetee::crypto
