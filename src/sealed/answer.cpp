// SPDX-License-Identifier: Apache-2.0
#include "sealed/answer.hpp"

#include <bit>

#include "crypto/hkdf.hpp"
#include "sealed/limits.hpp"

namespace teetee::sealed {
namespace {

constexpr size_t salt_bytes = 32;
constexpr size_t record_header_bytes = 4 + 1;
constexpr size_t length_bytes = 4;
constexpr size_t content_bytes_max = record_bytes_max - length_bytes;

crypto::AeadKey derive_key(const AnswerSecret& secret, ByteView salt) {
    const auto extracted = crypto::hkdf_extract({.salt = salt, .key_material = secret.view()});
    const auto key = crypto::hkdf_expand<32>(
        {.key = extracted.view(), .info = as_bytes("teetee sealed answer key v1")});
    return crypto::AeadKey::from_bytes(crypto::AeadAlgorithm::aes_256_gcm, key.view()).value();
}

ByteArray<salt_bytes> make_salt(Rng& rng) {
    ByteArray<salt_bytes> salt;
    rng.fill(salt);
    return salt;
}

bool is_status(int status) {
    return status >= 200 && status <= 599;
}

Result<AnswerHead> decode_head(ByteView content) {
    ByteReader reader(content);
    AnswerHead head;
    const auto status = reader.read_u16();
    if (!status) return malformed("head", status.error());
    head.status = *status;
    if (!is_status(head.status))
        return fail(ErrorCode::sealed_malformed, "head: no status of an answer");
    TT_TRY(head.headers, read_headers(reader));
    if (!reader.at_end()) return fail(ErrorCode::sealed_malformed, "head: bytes behind its end");
    return head;
}

}  // namespace

AnswerSealer::AnswerSealer(const AnswerSecret& secret, Rng& rng)
    : AnswerSealer(secret, make_salt(rng)) {}

AnswerSealer::AnswerSealer(const AnswerSecret& secret, const ByteArray<32>& salt)
    : salt_(salt), key_(derive_key(secret, salt)) {}

Result<Bytes> AnswerSealer::begin(const AnswerHead& head) {
    if (!is_status(head.status))
        return fail(ErrorCode::invalid_argument, "sealed answer: no status of an answer");
    ByteWriter content;
    content.u16(static_cast<uint16_t>(head.status));
    TT_CHECK(write_headers(content, head.headers));
    ByteWriter out;
    out.bytes(salt_);
    if (content.size() > content_bytes_max)
        return fail(ErrorCode::invalid_argument, "sealed answer: the head is too long");
    TT_CHECK(append_record(out, content.view(), Last::no));
    return out.take();
}

Result<Bytes> AnswerSealer::seal(ByteView content, Last last) {
    ByteWriter out;
    while (content.size() > content_bytes_max) {
        TT_CHECK(append_record(out, content.first(content_bytes_max), Last::no));
        content = content.subspan(content_bytes_max);
    }
    TT_CHECK(append_record(out, content, last));
    return out.take();
}

Result<void> AnswerSealer::append_record(ByteWriter& out, ByteView content, Last last) {
    ByteWriter plain;
    plain.length_prefixed(content);
    Bytes padded = plain.take();
    padded.resize(std::bit_ceil(std::max(padded.size(), record_bytes_min)));
    ByteWriter header;
    header.u32(static_cast<uint32_t>(padded.size() + crypto::aead_tag_bytes));
    header.u8(last == Last::yes ? 1 : 0);
    TT_TRY(const auto nonce, nonces_.peek());
    TT_TRY(const Bytes ciphertext,
           key_.seal({.nonce = nonce, .aad = header.view(), .text = padded}));
    nonces_.advance();
    out.bytes(header.view());
    out.bytes(ciphertext);
    return {};
}

Result<std::string> AnswerOpener::feed(ByteView bytes) {
    if (failed_) return *failed_;
    unread_.insert(unread_.end(), bytes.begin(), bytes.end());
    auto body = open_records();
    if (!body) failed_ = body.error();
    return body;
}

Result<void> AnswerOpener::feed_end() const {
    if (failed_) return *failed_;
    if (complete_) return {};
    return fail(ErrorCode::sealed_truncated, "the answer ended before its final record");
}

Result<std::string> AnswerOpener::open_records() {
    if (!key_) {
        if (unread_.size() < salt_bytes) return std::string();
        key_ = derive_key(secret_, ByteView(unread_).first(salt_bytes));
        unread_.erase(unread_.begin(), unread_.begin() + salt_bytes);
    }
    std::string body;
    while (!complete_) {
        TT_TRY(const bool opened, open_record(body));
        if (!opened) return body;
    }
    if (!unread_.empty()) return fail(ErrorCode::sealed_malformed, "bytes behind the final record");
    return body;
}

/// False where the record is not all there yet.
Result<bool> AnswerOpener::open_record(std::string& body) {
    ByteReader reader(unread_);
    if (reader.remaining() < record_header_bytes) return false;
    TT_TRY(const uint32_t ciphertext_bytes, reader.read_u32());
    TT_TRY(const uint8_t final_flag, reader.read_u8());
    const size_t plain_bytes = ciphertext_bytes - crypto::aead_tag_bytes;
    if (ciphertext_bytes < crypto::aead_tag_bytes || !std::has_single_bit(plain_bytes) ||
        plain_bytes < record_bytes_min || plain_bytes > record_bytes_max || final_flag > 1) {
        return fail(ErrorCode::sealed_malformed, "record: length or flag is none");
    }
    if (reader.remaining() < ciphertext_bytes) return false;
    TT_TRY(const auto ciphertext, reader.read_bytes(ciphertext_bytes));
    TT_TRY(const auto nonce, nonces_.peek());
    TT_TRY(const auto plain, key_->open({.nonce = nonce,
                                         .aad = ByteView(unread_).first(record_header_bytes),
                                         .text = ciphertext}));
    nonces_.advance();
    TT_CHECK(take_content(plain, body));
    complete_ = final_flag == 1;
    unread_.erase(unread_.begin(), unread_.begin() + static_cast<long>(reader.position()));
    return true;
}

Result<void> AnswerOpener::take_content(ByteView plain, std::string& body) {
    ByteReader reader(plain);
    TT_TRY(const auto content, read_length_prefixed(reader));
    TT_CHECK(read_padding(reader));
    if (head_) {
        body += as_text(content);
        return {};
    }
    TT_TRY(head_, decode_head(content));
    return {};
}

}  // namespace teetee::sealed
