// SPDX-License-Identifier: Apache-2.0
#include "attest/receipt.hpp"

#include <algorithm>

#include "crypto/hash.hpp"

namespace teetee::attest {
namespace {

Digest fresh_quote_digest(const ReceiptStage& stage) {
    ByteWriter out;
    out.length_prefixed(as_bytes("teetee fresh quote v1"));
    const bool is_quote = stage.fresh_quote && *stage.fresh_quote;
    out.u8(is_quote ? 1 : 0);
    if (is_quote)
        out.bytes(**stage.fresh_quote);
    else if (stage.fresh_quote)
        out.bytes(as_bytes(to_string(stage.fresh_quote->error().code)));
    return crypto::sha256(out.view());
}

}  // namespace

bool has_fresh_quotes(const Receipt& receipt) {
    return std::ranges::any_of(
        receipt.stages, [](const ReceiptStage& stage) { return stage.fresh_quote.has_value(); });
}

Digest opening_digest(const ReceiptOpening& opening) {
    ByteWriter out;
    out.length_prefixed(as_bytes("teetee opening v1"));
    out.bytes(opening.salt);
    for (const auto* tokens : {&opening.prompt, &opening.answer}) {
        out.u32(static_cast<uint32_t>(tokens->size()));
        for (const TokenId token : *tokens) out.u32(token);
    }
    out.bytes(sampling_digest(opening.salt, static_cast<Position>(opening.prompt.size()),
                              opening.sampling));
    return crypto::sha256(out.view());
}

Digest receipt_digest(const Receipt& receipt) {
    const auto domain = receipt_domain(receipt.chain_id, receipt.contract);
    std::vector<Digest> statements;
    std::vector<Digest> quotes;
    std::vector<Digest> records;
    for (const ReceiptStage& stage : receipt.stages) {
        statements.push_back(crypto::sha256(stage.statement));
        quotes.push_back(crypto::sha256(stage.quote));
        records.push_back(record_digest(domain, stage.record));
    }
    const Digest fields =
        crypto::Eip712Struct(
            "Receipt(uint64 pool,bytes32 modelRoot,bytes16 request,bytes32 requestHash,"
            "bytes32 answerHash,bytes32 opening,uint32 promptTokens,uint32 cachedTokens,"
            "uint32 completionTokens,uint64 finishedAt,bytes32 voucher,uint64 query,"
            "uint64 promptPrice,uint64 completionPrice,uint64 charged,bytes32[] statements,"
            "bytes32[] quotes,bytes32[] records)")
            .integer(receipt.pool)
            .bytes32(receipt.model_root)
            .bytes_n(receipt.request.bytes)
            .bytes32(receipt.request_hash)
            .bytes32(receipt.answer_hash)
            .bytes32(opening_digest(receipt.opening))
            .integer(receipt.prompt_tokens)
            .integer(receipt.cached_tokens)
            .integer(receipt.completion_tokens)
            .integer(static_cast<uint64_t>(receipt.finished_at))
            .bytes32(receipt.payment.voucher)
            .integer(receipt.payment.query)
            .integer(receipt.payment.prompt_price)
            .integer(receipt.payment.completion_price)
            .integer(receipt.payment.charged)
            .array(statements)
            .array(quotes)
            .array(records)
            .hash();
    return crypto::eip712_digest(domain, fields);
}

Digest fresh_quotes_digest(const Receipt& receipt) {
    std::vector<Digest> stages;
    for (const ReceiptStage& stage : receipt.stages) stages.push_back(fresh_quote_digest(stage));
    return crypto::eip712_digest(
        receipt_domain(receipt.chain_id, receipt.contract),
        crypto::Eip712Struct("FreshQuotes(bytes32 receipt,bytes32[] stages)")
            .bytes32(receipt_digest(receipt))
            .array(stages)
            .hash());
}

}  // namespace teetee::attest
