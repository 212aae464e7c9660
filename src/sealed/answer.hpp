// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "crypto/aead.hpp"
#include "sealed/request.hpp"

namespace teetee::sealed {

// The answer to a sealed request (docs/api.md, "Sealed requests"): 32 bytes salt, then records.
//   A record: u32 length of the ciphertext, u8 1 in the final record and 0 before, ciphertext.
//   Key: HKDF-SHA256 (AES-256-GCM) with the answer secret as key material, the salt, and the info
//   "teetee sealed answer key v1". Nonce: the record's number from 0 on, big-endian. AAD: the five
//   bytes before the ciphertext.
//   Plaintext: length-prefixed content, zeros up to a power of two.
// The content of record 0 is the head; those of the others, one after the other, are the body. No
// record follows the final one, and an answer without it is not complete.

/// What HTTP says of an answer: u16 status, headers.
struct AnswerHead {
    int status = 200;
    Headers headers;
};

class AnswerSealer {
  public:
    /// With a salt of its own, so that two answers never share a key: not even where a request
    /// reaches a copy of the entry a second time.
    AnswerSealer(const AnswerSecret& secret, Rng& rng);

    /// Salt and head; what the answer begins with. Error: invalid_argument (status, headers).
    Result<Bytes> begin(const AnswerHead& head);

    enum class Last { no, yes };
    /// Records with this content after begin: as many as it needs, and one where it is empty.
    Result<Bytes> seal(ByteView content, Last last);

  private:
    AnswerSealer(const AnswerSecret& secret, const ByteArray<32>& salt);
    Result<void> append_record(ByteWriter& out, ByteView content, Last last);

    ByteArray<32> salt_;
    crypto::AeadKey key_;
    crypto::NonceSequence nonces_{crypto::AeadNonce{}};
};

class AnswerOpener {
  public:
    explicit AnswerOpener(AnswerSecret secret) : secret_(std::move(secret)) {}

    /// Takes bytes as they come and returns what of the body has come to light. An error is the
    /// end: every later call returns it as well. Errors: decrypt_failed for a record that is not
    /// the next one of this answer as it was sealed; sealed_malformed.
    Result<std::string> feed(ByteView bytes);
    /// The connection has ended. Errors: sealed_truncated, or that of the last feed.
    Result<void> feed_end() const;

    /// Once record 0 is there.
    const std::optional<AnswerHead>& head() const { return head_; }
    bool complete() const { return complete_; }

  private:
    Result<std::string> open_records();
    Result<bool> open_record(std::string& body);
    Result<void> take_content(ByteView plain, std::string& body);

    AnswerSecret secret_;
    /// Once the salt is there.
    std::optional<crypto::AeadKey> key_;
    crypto::NonceSequence nonces_{crypto::AeadNonce{}};
    Bytes unread_;
    std::optional<AnswerHead> head_;
    bool complete_ = false;
    std::optional<Error> failed_;
};

}  // namespace teetee::sealed
