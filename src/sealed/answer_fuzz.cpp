// SPDX-License-Identifier: Apache-2.0
#include "base/assert.hpp"
#include "crypto/hkdf.hpp"
#include "sealed/answer.hpp"

namespace {

using namespace teetee;

constexpr size_t record_plain_bytes = 512;

crypto::AeadKey key_for(ByteView salt) {
    const auto extracted =
        crypto::hkdf_extract({.salt = salt, .key_material = sealed::AnswerSecret().view()});
    const auto key = crypto::hkdf_expand<32>(
        {.key = extracted.view(), .info = as_bytes("teetee sealed answer key v1")});
    return crypto::AeadKey::from_bytes(crypto::AeadAlgorithm::aes_256_gcm, key.view()).value();
}

/// What an entry with the right secret sends: records of any plaintext it likes.
Bytes seal_records(ByteView bytes) {
    const Bytes salt(32);
    static const crypto::AeadKey key = key_for(salt);
    crypto::NonceSequence nonces{crypto::AeadNonce{}};
    ByteWriter out;
    out.bytes(salt);
    while (!bytes.empty()) {
        const ByteView piece = bytes.first(std::min(bytes.size(), record_plain_bytes));
        bytes = bytes.subspan(piece.size());
        Bytes plain(piece.begin(), piece.end());
        plain.resize(record_plain_bytes);
        ByteWriter header;
        header.u32(record_plain_bytes + crypto::aead_tag_bytes);
        header.u8(bytes.empty() ? 1 : 0);
        out.bytes(header.view());
        out.bytes(key.seal({.nonce = nonces.peek().value(), .aad = header.view(), .text = plain})
                      .value());
        nonces.advance();
    }
    return out.take();
}

/// Opens the bytes in steps of this size.
struct Outcome {
    std::string body;
    bool complete = false;
};
Outcome open(ByteView bytes, size_t step) {
    sealed::AnswerOpener opener{sealed::AnswerSecret()};
    Outcome outcome;
    for (; !bytes.empty(); bytes = bytes.subspan(std::min(step, bytes.size()))) {
        const auto piece = opener.feed(bytes.first(std::min(step, bytes.size())));
        if (!piece) return {};
        outcome.body += *piece;
    }
    outcome.complete = opener.complete();
    TT_ASSERT(opener.feed_end().has_value() == outcome.complete);
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const ByteView bytes(data, size);
    static_cast<void>(open(bytes, 64));
    const Bytes sealed_bytes = seal_records(bytes);
    const Outcome whole = open(sealed_bytes, sealed_bytes.size());
    const Outcome pieces = open(sealed_bytes, 100);
    TT_ASSERT(whole.complete == pieces.complete && whole.body == pieces.body);
    return 0;
}
