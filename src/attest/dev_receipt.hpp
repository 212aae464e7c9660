// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: the receipt of an answer over three nodes of a dev TEE.

#include "attest/dev_node.hpp"
#include "attest/receipt_check.hpp"
#include "attest/receipt_json.hpp"

namespace teetee::attest::test {

struct DevReceipt {
    static constexpr uint32_t stage_count = 3;
    std::vector<DevNode> nodes;
    Receipt receipt;
    std::string request = R"({"prompt":"six times seven"})";
    std::string answer = "42";

    ReceiptExpectation expectation() const {
        ReceiptExpectation out;
        out.peers = make_expectation();
        out.peers.shards.clear();
        for (const DevNode& node : nodes)
            out.peers.shards.push_back({node.statement.shard_root, node.statement.layers});
        out.layer_count = 4 * stage_count;
        out.request = as_bytes(request);
        out.answer = as_bytes(answer);
        return out;
    }

    void sign_stage(size_t index) {
        ReceiptStage& stage = receipt.stages[index];
        stage.record.output = digest_of(stage.output, stage.output.end());
        stage.signature =
            RecordSigner(nodes[index].receipt_key, nodes[index].statement).sign(stage.record);
    }
    void sign() {
        receipt.signature = nodes[0].receipt_key.sign_recoverable(receipt_digest(receipt));
    }
    /// As the stages make them when the client asks. MUST come behind all that is signed.
    void add_fresh_quotes() {
        DevTee tee = make_tee();
        const Digest nonce = receipt_digest(receipt);
        for (ReceiptStage& stage : receipt.stages)
            stage.fresh_quote = tee.quote(report_data(stage.statement, nonce));
        sign_fresh_quotes();
    }
    void sign_fresh_quotes() {
        receipt.fresh_signature =
            nodes[0].receipt_key.sign_recoverable(fresh_quotes_digest(receipt));
    }
};

/// Four tokens of prompt (of which one was cached), three of answer and a stop token.
inline DevReceipt make_receipt() {
    DevReceipt out;
    Receipt& r = out.receipt;
    DevTee tee = make_tee();
    r.opening = {.salt = {1, 2, 3}, .prompt = {11, 12, 13, 14}, .answer = {21, 22, 23}};
    r.opening.sampling.temperature = 0.7F;
    const std::vector<TokenId> tokens = {11, 12, 13, 14, 21, 22, 23, 2};
    constexpr Position begin = 1, end = 7, prompt_end = 4;
    r.input.begin = begin;
    for (Position at = begin; at < end; ++at)
        r.input.leaves.push_back(token_leaf(r.opening.salt, at, tokens[at]));
    TraceDigest input = digest_of(r.input, end);
    for (uint32_t i = 0; i < DevReceipt::stage_count; ++i) {
        DevNode node = make_node(static_cast<uint8_t>(i + 1));
        node.statement.layers = {4 * i, 4 * i + 4};
        node.statement.shard_root[0] = static_cast<uint8_t>(i);
        ReceiptStage stage;
        stage.statement = node.encoded();
        stage.quote = node.quote(tee);
        const bool is_tail = i + 1 == DevReceipt::stage_count;
        stage.output.begin = is_tail ? prompt_end : begin;
        for (Position at = stage.output.begin; at < end + (is_tail ? 1 : 0); ++at) {
            const ByteArray<4> row = {static_cast<uint8_t>(i), static_cast<uint8_t>(at)};
            stage.output.leaves.push_back(is_tail ? token_leaf(r.opening.salt, at, tokens[at])
                                                  : row_leaf(r.opening.salt, at, row));
        }
        stage.record = RecordSigner(node.receipt_key, node.statement)
                           .complete({.request = {{9}},
                                      .epoch = 1,
                                      .sampling = sampling_digest(r.opening.salt, prompt_end,
                                                                  r.opening.sampling),
                                      .input = input});
        r.stages.push_back(std::move(stage));
        out.nodes.push_back(std::move(node));
        out.sign_stage(i);
        input = r.stages.back().record.output;
    }
    const Statement& s = out.nodes[0].statement;
    r.simulated = true;
    r.chain_id = s.chain_id;
    r.contract = s.contract;
    r.pool = s.pool;
    r.model_root = s.model_root;
    r.request = {{9}};
    r.request_hash = crypto::sha256(as_bytes(out.request));
    r.answer_hash = crypto::sha256(as_bytes(out.answer));
    r.prompt_tokens = prompt_end;
    r.cached_tokens = begin;
    r.completion_tokens = 3;
    r.finished_at = now;
    out.sign();
    return out;
}

}  // namespace teetee::attest::test
