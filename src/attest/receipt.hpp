// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "attest/stage_record.hpp"

namespace teetee::attest {

/// A stage of an answer: who, with which evidence, what it signed, and the leaves behind it.
struct ReceiptStage {
    Bytes statement;
    Bytes quote;
    StageRecord record{};
    crypto::RecoverableSignature signature{};
    Trace output{};
    /// If the client asked for it: a quote over the statement and the receipt's hash, so that it is
    /// younger than the answer; or why the stage gave none. Not part of what is hashed.
    std::optional<Result<Bytes>> fresh_quote{};
};

/// What lets the client, and whoever it shows it to, run the answer again. It holds the prompt. Of
/// the rest, request_hash and answer_hash have no salt: who sees them can test guesses.
struct ReceiptOpening {
    TraceSalt salt{};
    std::vector<TokenId> prompt{};
    std::vector<TokenId> answer{};
    SamplingOptions sampling{};
};

/// What an answer cost, in credits, and what it was paid from: a voucher, or a query, or neither
/// where it was free; then all is zero.
struct ReceiptPayment {
    Digest voucher{};
    uint64_t query = 0;
    /// Of a token: prompt tokens of the prefix cache are free.
    uint64_t prompt_price = 0;
    uint64_t completion_price = 0;
    /// What the tokens come to, or less.
    uint64_t charged = 0;

    bool is_free() const { return voucher == Digest{} && query == 0; }
    bool operator==(const ReceiptPayment&) const = default;
};

/// The record of one answer, signed by the entry.
struct Receipt {
    /// Some quote is none of real hardware. Not signed: whoever checks the receipt finds out.
    bool simulated = false;
    uint64_t chain_id = 0;
    crypto::Address contract{};
    uint64_t pool = 0;
    Digest model_root{};
    RequestId request{};
    /// SHA-256 of the request's body as the client sent it, and of the answer's text in UTF-8.
    Digest request_hash{};
    Digest answer_hash{};
    uint32_t prompt_tokens = 0;
    /// Of these, what the prefix cache had: no stage computed them for this request.
    uint32_t cached_tokens = 0;
    uint32_t completion_tokens = 0;
    UnixSeconds finished_at = 0;
    ReceiptPayment payment{};
    /// In the order of the layers.
    std::vector<ReceiptStage> stages{};
    /// Tokens that the entry's layers took in.
    Trace input{};
    ReceiptOpening opening{};
    crypto::RecoverableSignature signature{};
    /// The entry's, over the fresh quotes; set exactly if has_fresh_quotes.
    std::optional<crypto::RecoverableSignature> fresh_signature{};
};

/// Some stage was asked for one.
bool has_fresh_quotes(const Receipt& receipt);

/// What is signed of the opening: SHA-256 over the length-prefixed "teetee opening v1", salt,
/// prompt and answer (count and tokens, u32 each) and the sampling_digest. Its salt keeps it from
/// telling anything.
Digest opening_digest(const ReceiptOpening& opening);

/// What is signed, and what fresh quotes have as their nonce:
/// Receipt(uint64 pool,bytes32 modelRoot,bytes16 request,bytes32 requestHash,bytes32 answerHash,
/// bytes32 opening,uint32 promptTokens,uint32 cachedTokens,uint32 completionTokens,
/// uint64 finishedAt,bytes32 voucher,uint64 query,uint64 promptPrice,uint64 completionPrice,
/// uint64 charged,bytes32[] statements,bytes32[] quotes,bytes32[] records): SHA-256 of each
/// statement and quote, and record_digest of each record, under the receipt's domain.
Digest receipt_digest(const Receipt& receipt);

/// FreshQuotes(bytes32 receipt,bytes32[] stages) under the receipt's domain: its receipt_digest,
/// and of each stage SHA-256 over the length-prefixed "teetee fresh quote v1", a byte that is 1
/// where there is a quote and 0 where there is none, and the quote or the name of the error.
Digest fresh_quotes_digest(const Receipt& receipt);

}  // namespace teetee::attest
