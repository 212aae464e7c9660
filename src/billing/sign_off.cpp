// SPDX-License-Identifier: Apache-2.0
#include "billing/sign_off.hpp"

#include <algorithm>
#include <set>

#include "base/assert.hpp"

namespace teetee::billing {
namespace {

Error rejected(std::string what) {
    return fail(ErrorCode::settlement_rejected, "sign-off: " + std::move(what));
}

Result<void> check_size(std::string_view what, uint64_t have, uint64_t max) {
    if (have <= max) return {};
    return fail(ErrorCode::limit_exceeded, "sign-off: have " + std::to_string(have) + " " +
                                               std::string(what) + ", at most " +
                                               std::to_string(max));
}

void write(const attest::TraceDigest& trace, ByteWriter& out) {
    out.u32(trace.begin);
    out.u32(trace.end);
    out.bytes(trace.digest);
}

Result<attest::TraceDigest> read_trace(ByteReader& in) {
    attest::TraceDigest out;
    TT_TRY(out.begin, in.read_u32());
    TT_TRY(out.end, in.read_u32());
    TT_TRY(out.digest, in.read_array<32>());
    return out;
}

Result<OwnRecord> read_record(ByteReader& in) {
    OwnRecord out;
    TT_TRY(out.record.request.bytes, in.read_array<16>());
    TT_TRY(out.record.epoch, in.read_u32());
    TT_TRY(out.record.sampling, in.read_array<32>());
    TT_TRY(out.record.input, read_trace(in));
    TT_TRY(out.record.output, read_trace(in));
    TT_TRY(out.signature, in.read_array<65>());
    return out;
}

Result<Bytes> encode_batch(const chain::tee_tee::Batch& batch) {
    TT_TRY(Bytes encoded, chain::tee_tee::SettleCall{batch}.encode());
    TT_CHECK(check_size("bytes of a batch", encoded.size(), sign_off_batch_bytes_max));
    return encoded;
}

Result<Bytes> encode_ask(ByteView batch, uint32_t work, std::span<const OwnRecord> records) {
    TT_CHECK(check_size("records", records.size(), settlement_charges_max));
    ByteWriter out;
    out.length_prefixed(batch);
    out.u32(work);
    out.u32(static_cast<uint32_t>(records.size()));
    for (const OwnRecord& own : records) {
        out.bytes(own.record.request.bytes);
        out.u32(own.record.epoch);
        out.bytes(own.record.sampling);
        write(own.record.input, out);
        write(own.record.output, out);
        out.bytes(own.signature);
    }
    return out.take();
}

Result<chain::tee_tee::Batch> read_batch(ByteReader& in) {
    TT_TRY(const auto length, in.read_u32());
    TT_CHECK(check_size("bytes of a batch", length, sign_off_batch_bytes_max));
    TT_TRY(const auto encoded, in.read_bytes(length));
    TT_TRY(auto call, chain::tee_tee::SettleCall::decode(encoded));
    TT_TRY(const Bytes again, call.encode());
    if (!std::ranges::equal(again, encoded))
        return fail(ErrorCode::abi_malformed, "sign-off: the batch is not in its canonical form");
    return std::move(call.batch);
}

/// The stage's statement is of a contract, and the settlement of the stage's pool.
Result<void> check_deployment(const attest::Statement& statement,
                              const chain::tee_tee::Batch& batch) {
    if (statement.chain_id == 0 || statement.contract == crypto::Address{}) {
        return rejected("have a statement of chain " + std::to_string(statement.chain_id) +
                        " and contract 0x" + to_hex(statement.contract) + ", need both");
    }
    if (batch.pool != statement.pool) {
        return rejected("have a batch of pool " + std::to_string(batch.pool) + ", need " +
                        std::to_string(statement.pool));
    }
    return {};
}

/// See sign_off() for the bounds.
Result<void> check_tokens(const SignOffAsk& ask) {
    if (ask.work >= ask.batch.work.size()) {
        return rejected("have place " + std::to_string(ask.work) + " of " +
                        std::to_string(ask.batch.work.size()) + " nodes at work");
    }
    std::set<RequestId> requests;
    uint64_t positions = 0;
    for (const OwnRecord& own : ask.records) {
        const attest::TraceDigest& input = own.record.input;
        if (!requests.insert(own.record.request).second)
            return rejected("have two records of request " + to_hex(own.record.request.bytes));
        if (input.begin >= input.end) return rejected("have a record of no positions");
        positions += input.end - input.begin;
    }
    if (requests.empty()) return rejected("have no records, need one at least");
    const uint64_t tokens = ask.batch.work[ask.work].tokens;
    if (tokens < positions || tokens - positions > requests.size()) {
        return rejected("have " + std::to_string(tokens) + " tokens, need " +
                        std::to_string(positions) + " to " +
                        std::to_string(positions + requests.size()) + " for " +
                        std::to_string(requests.size()) + " requests");
    }
    return {};
}

Result<void> check_records(const attest::Statement& statement, std::vector<OwnRecord> records) {
    const auto domain = attest::receipt_domain(statement.chain_id, statement.contract);
    for (OwnRecord& own : records) {
        own.record.model_root = statement.model_root;
        own.record.shard_root = statement.shard_root;
        own.record.layers = statement.layers;
        const auto made =
            attest::verify_record(domain, own.record, own.signature, statement.receipt_address);
        if (!made) return rejected(made.error().detail);
    }
    return {};
}

}  // namespace

Result<Bytes> encode_sign_off_ask(const SignOffAsk& ask) {
    TT_TRY(const Bytes batch, encode_batch(ask.batch));
    return encode_ask(batch, ask.work, ask.records);
}

Result<SignOffAsk> decode_sign_off_ask(ByteView encoded) {
    TT_CHECK(check_size("bytes", encoded.size(), sign_off_bytes_max));
    ByteReader in(encoded);
    SignOffAsk out;
    TT_TRY(out.batch, read_batch(in));
    TT_TRY(out.work, in.read_u32());
    TT_TRY(const auto count, in.read_u32());
    TT_CHECK(check_size("records", count, settlement_charges_max));
    if (in.remaining() != count * sign_off_record_bytes) {
        return rejected("have " + std::to_string(in.remaining()) + " bytes of records, need " +
                        std::to_string(count * sign_off_record_bytes));
    }
    out.records.reserve(count);
    for (uint32_t i = 0; i < count; ++i) {
        TT_TRY(auto record, read_record(in));
        out.records.push_back(std::move(record));
    }
    return out;
}

Result<crypto::RecoverableSignature> sign_off(const crypto::SecpKey& receipt_key,
                                              const attest::Statement& statement, ByteView ask) {
    TT_ASSERT(receipt_key.address() == statement.receipt_address);
    TT_TRY(auto asked, decode_sign_off_ask(ask));
    TT_CHECK(check_deployment(statement, asked.batch));
    TT_CHECK(check_tokens(asked));
    TT_CHECK(check_records(statement, std::move(asked.records)));
    return receipt_key.sign_recoverable(
        chain::settlement_digest({statement.chain_id, statement.contract}, asked.batch));
}

SignOffAsks::SignOffAsks(chain::tee_tee::Batch batch, std::span<const crypto::Address> signers)
    : batch_(std::move(batch)) {
    TT_ASSERT(signers.size() == batch_.work.size());
    for (size_t i = 0; i < signers.size(); ++i) parts_[signers[i]].work = static_cast<uint32_t>(i);
}

Result<void> SignOffAsks::add(const attest::Receipt& receipt) {
    std::vector<Part*> parts;
    for (const attest::ReceiptStage& stage : receipt.stages) {
        TT_TRY(const auto statement, attest::decode_statement(stage.statement));
        const auto part = parts_.find(statement.receipt_address);
        if (part == parts_.end()) {
            return rejected("have a receipt of node 0x" + to_hex(statement.receipt_address) +
                            ", which is none of the signers");
        }
        parts.push_back(&part->second);
    }
    for (size_t i = 0; i < parts.size(); ++i) {
        const attest::ReceiptStage& stage = receipt.stages[i];
        parts[i]->records.push_back({stage.record, stage.signature});
    }
    return {};
}

std::map<crypto::Address, Result<Bytes>> SignOffAsks::encode() const {
    std::map<crypto::Address, Result<Bytes>> out;
    const auto batch = encode_batch(batch_);
    for (const auto& [signer, part] : parts_)
        out.emplace(signer, batch ? encode_ask(*batch, part.work, part.records) : batch);
    return out;
}

}  // namespace teetee::billing
