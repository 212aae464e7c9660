// SPDX-License-Identifier: Apache-2.0
#include "sealed/request.hpp"

#include <bit>

#include "crypto/hpke.hpp"
#include "sealed/limits.hpp"

namespace teetee::sealed {
namespace {

constexpr uint8_t version = 1;
/// The one that browsers have.
constexpr auto aead = crypto::AeadAlgorithm::aes_256_gcm;
constexpr size_t header_bytes = 1 + 3 * 2 + 32 + 32;
constexpr size_t overhead_bytes = header_bytes + crypto::aead_tag_bytes;
constexpr std::string_view answer_label = "teetee sealed answer v1";

Bytes info_of(const Digest& statement_hash) {
    ByteWriter info;
    info.length_prefixed(as_bytes("teetee sealed request v1"));
    info.bytes(statement_hash);
    return info.take();
}

Bytes aad_of(ByteView header, const Target& target) {
    ByteWriter aad;
    aad.bytes(header);
    aad.length_prefixed(as_bytes(target.method));
    aad.length_prefixed(as_bytes(target.path));
    return aad.take();
}

Result<Bytes> encode(const Request& request) {
    ByteWriter plain;
    plain.u64(static_cast<uint64_t>(request.sent_at));
    TT_CHECK(write_headers(plain, request.headers));
    plain.length_prefixed(as_bytes(request.body));
    const size_t sealed_bytes =
        std::bit_ceil(std::max(plain.size() + overhead_bytes, request_bytes_min));
    if (sealed_bytes > request_bytes_max) {
        return fail(ErrorCode::limit_exceeded,
                    "sealed request: have " + std::to_string(plain.size() + overhead_bytes) +
                        " bytes, at most " + std::to_string(request_bytes_max));
    }
    Bytes padded = plain.take();
    padded.resize(sealed_bytes - overhead_bytes);
    return padded;
}

Result<Request> decode(ByteView plain) {
    ByteReader reader(plain);
    Request request;
    const auto sent_at = reader.read_u64();
    if (!sent_at) return malformed("time", sent_at.error());
    request.sent_at = static_cast<UnixSeconds>(*sent_at);
    TT_TRY(request.headers, read_headers(reader));
    TT_TRY(const auto body, read_length_prefixed(reader));
    request.body = as_text(body);
    TT_CHECK(read_padding(reader));
    return request;
}

template <class Context>
Result<AnswerSecret> answer_secret_of(const Context& context) {
    AnswerSecret secret;
    TT_CHECK(context.export_secret(as_bytes(answer_label), secret.writable()));
    return secret;
}

}  // namespace

Result<SealedRequest> seal_request(const Recipient& recipient, const Target& target,
                                   const Request& request, Rng& rng) {
    TT_TRY(const Bytes plain, encode(request));
    TT_TRY(const auto ephemeral, crypto::X25519Key::generate(rng));
    const Bytes info = info_of(recipient.statement_hash);
    TT_TRY(auto context,
           crypto::HpkeSender::setup({.aead = aead, .info = info}, recipient.hpke_key, ephemeral));
    ByteWriter body;
    body.u8(version);
    body.u16(crypto::hpke_kem_x25519_sha256);
    body.u16(crypto::hpke_kdf_sha256);
    body.u16(static_cast<uint16_t>(aead));
    body.bytes(recipient.statement_hash);
    body.bytes(context.encapsulated_key());
    const Bytes aad = aad_of(body.view(), target);
    TT_TRY(const Bytes ciphertext, context.seal({.aad = aad, .text = plain}));
    body.bytes(ciphertext);
    TT_TRY(auto answer_secret, answer_secret_of(context));
    return SealedRequest{body.take(), std::move(answer_secret)};
}

Result<Envelope> parse_envelope(ByteView body) {
    if (body.empty() || body[0] != version) {
        return fail(ErrorCode::version_unsupported,
                    "sealed request: have version " +
                        (body.empty() ? "none" : std::to_string(body[0])) + ", need 1");
    }
    if (body.size() < request_bytes_min || body.size() > request_bytes_max ||
        !std::has_single_bit(body.size())) {
        return fail(ErrorCode::sealed_malformed,
                    "sealed request: have " + std::to_string(body.size()) +
                        " bytes, need a power of two from " + std::to_string(request_bytes_min) +
                        " to " + std::to_string(request_bytes_max));
    }
    ByteReader reader(body.subspan(1));
    TT_TRY(const auto kem, reader.read_u16());
    TT_TRY(const auto kdf, reader.read_u16());
    TT_TRY(const auto cipher, reader.read_u16());
    if (kem != crypto::hpke_kem_x25519_sha256 || kdf != crypto::hpke_kdf_sha256 ||
        cipher != static_cast<uint16_t>(aead)) {
        return fail(ErrorCode::version_unsupported,
                    "sealed request: need DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM");
    }
    Envelope envelope;
    TT_TRY(envelope.statement_hash, reader.read_array<32>());
    TT_TRY(envelope.encapsulated_key, reader.read_array<32>());
    envelope.header = body.first(header_bytes);
    envelope.ciphertext = body.subspan(header_bytes);
    return envelope;
}

Result<OpenedRequest> open_request(const Envelope& envelope, const Target& target,
                                   const crypto::X25519Key& key) {
    const Bytes info = info_of(envelope.statement_hash);
    TT_TRY(auto context, crypto::HpkeRecipient::setup({.aead = aead, .info = info}, key,
                                                      envelope.encapsulated_key));
    const Bytes aad = aad_of(envelope.header, target);
    TT_TRY(const auto plain, context.open({.aad = aad, .text = envelope.ciphertext}));
    TT_TRY(auto request, decode(plain));
    TT_TRY(auto answer_secret, answer_secret_of(context));
    return OpenedRequest{std::move(request), std::move(answer_secret)};
}

}  // namespace teetee::sealed
