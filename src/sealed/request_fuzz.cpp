// SPDX-License-Identifier: Apache-2.0
#include "base/assert.hpp"
#include "crypto/hpke.hpp"
#include "sealed/limits.hpp"
#include "sealed/request.hpp"
#include "sealed/test_support.hpp"

namespace {

using namespace teetee;

constexpr sealed::Target target{.method = "POST", .path = "/generate"};
constexpr size_t encapsulated_key_offset = 39;

const crypto::X25519Key& entry_key() {
    static sealed::CountingRng rng;
    static const crypto::X25519Key key = crypto::X25519Key::generate(rng).value();
    return key;
}

/// What a client with the right key sends: any plaintext it likes.
Bytes seal_plain(ByteView plain) {
    static sealed::CountingRng rng;
    ByteWriter info;
    info.length_prefixed(as_bytes("teetee sealed request v1"));
    info.bytes(Digest{});
    auto context = crypto::HpkeSender::setup(
                       {.aead = crypto::AeadAlgorithm::aes_256_gcm, .info = info.view()},
                       entry_key().public_key(), crypto::X25519Key::generate(rng).value())
                       .value();
    ByteWriter body;
    body.u8(1);
    body.u16(crypto::hpke_kem_x25519_sha256);
    body.u16(crypto::hpke_kdf_sha256);
    body.u16(static_cast<uint16_t>(crypto::AeadAlgorithm::aes_256_gcm));
    body.bytes(Digest{});
    body.bytes(context.encapsulated_key());
    ByteWriter aad;
    aad.bytes(body.view());
    aad.length_prefixed(as_bytes(target.method));
    aad.length_prefixed(as_bytes(target.path));
    body.bytes(context.seal({.aad = aad.view(), .text = plain}).value());
    return body.take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const ByteView bytes(data, size);
    if (const auto envelope = sealed::parse_envelope(bytes))
        static_cast<void>(sealed::open_request(*envelope, target, entry_key()));

    Bytes plain(bytes.begin(), bytes.end());
    plain.resize(sealed::request_bytes_min - encapsulated_key_offset - 32 - 16);
    const Bytes body = seal_plain(plain);
    const auto opened =
        sealed::open_request(sealed::parse_envelope(body).value(), target, entry_key());
    if (!opened) {
        TT_ASSERT(opened.error().code == ErrorCode::sealed_malformed);
        return 0;
    }
    // What is accepted has one encoding.
    sealed::CountingRng rng;
    const auto again =
        sealed::seal_request({entry_key().public_key(), Digest{}}, target, opened->request, rng);
    TT_ASSERT(again && again->body.size() == body.size());
    const auto reopened =
        sealed::open_request(sealed::parse_envelope(again->body).value(), target, entry_key());
    TT_ASSERT(reopened && reopened->request.body == opened->request.body &&
              reopened->request.headers == opened->request.headers);
    return 0;
}
