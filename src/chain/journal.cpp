// SPDX-License-Identifier: Apache-2.0
#include "chain/journal.hpp"

#include <algorithm>

#include "chain/limits.hpp"
#include "crypto/hash.hpp"

namespace teetee::chain {
namespace {

constexpr uint32_t version = 1;
constexpr size_t check_bytes = 8;
constexpr size_t topics_max = 4;

Bytes frame(ByteView content) {
    const Digest hash = crypto::sha256(content);
    ByteWriter out;
    out.length_prefixed(content);
    out.bytes(ByteView(hash).first(check_bytes));
    return out.take();
}

Result<ByteView> read_frame(ByteReader& in) {
    TT_TRY(const uint32_t bytes, in.read_u32());
    TT_TRY(const ByteView content, in.read_bytes(bytes));
    TT_TRY(const ByteView check, in.read_bytes(check_bytes));
    const Digest hash = crypto::sha256(content);
    if (!std::equal(check.begin(), check.end(), hash.begin()))
        return fail(ErrorCode::invalid_argument, "journal: a frame was changed");
    return content;
}

Bytes head_content(const JournalHead& head) {
    ByteWriter out;
    out.bytes(as_bytes("teetee chain journal"));
    out.u32(version);
    out.u64(head.chain_id);
    out.bytes(head.contract);
    out.u64(head.start_block);
    return out.take();
}

Result<Log> read_log(ByteReader& in) {
    Log log;
    TT_TRY(log.contract, in.read_array<20>());
    TT_TRY(const uint8_t topics, in.read_u8());
    if (topics > topics_max) return fail(ErrorCode::invalid_argument, "journal: topics");
    for (size_t i = 0; i < topics; ++i) {
        TT_TRY(const Digest topic, in.read_array<32>());
        log.topics.push_back(topic);
    }
    TT_TRY(const uint32_t bytes, in.read_u32());
    TT_TRY(const ByteView data, in.read_bytes(bytes));
    log.data.assign(data.begin(), data.end());
    TT_TRY(log.block_number, in.read_u64());
    TT_TRY(log.block_hash, in.read_array<32>());
    TT_TRY(log.transaction_hash, in.read_array<32>());
    TT_TRY(log.index, in.read_u64());
    return log;
}

Result<SettledBatch> read_batch(ByteView content) {
    ByteReader in(content);
    SettledBatch out;
    TT_TRY(out.end.number, in.read_u64());
    TT_TRY(out.end.hash, in.read_array<32>());
    TT_TRY(const uint32_t count, in.read_u32());
    for (uint32_t i = 0; i < count; ++i) {
        TT_TRY(Log log, read_log(in));
        out.logs.push_back(std::move(log));
    }
    if (!in.at_end()) return fail(ErrorCode::invalid_argument, "journal: bytes behind a batch");
    return out;
}

}  // namespace

Bytes encode_journal_head(const JournalHead& head) {
    return frame(head_content(head));
}

Bytes encode_journal_batch(const SettledBatch& batch) {
    ByteWriter out;
    out.u64(batch.end.number);
    out.bytes(batch.end.hash);
    out.u32(static_cast<uint32_t>(batch.logs.size()));
    for (const Log& log : batch.logs) {
        out.bytes(log.contract);
        out.u8(static_cast<uint8_t>(log.topics.size()));
        for (const Digest& topic : log.topics) out.bytes(topic);
        out.length_prefixed(log.data);
        out.u64(log.block_number);
        out.bytes(log.block_hash);
        out.bytes(log.transaction_hash);
        out.u64(log.index);
    }
    return frame(out.view());
}

Journal decode_journal(ByteView bytes, const JournalHead& head) {
    Journal out;
    ByteReader in(bytes);
    const auto first = read_frame(in);
    const Bytes need = head_content(head);
    if (!first || !std::ranges::equal(*first, need)) return out;
    out.good_bytes = in.position();
    while (!in.at_end()) {
        const auto content = read_frame(in);
        if (!content) break;
        auto batch = read_batch(*content);
        if (!batch) break;
        out.batches.push_back(std::move(*batch));
        out.good_bytes = in.position();
    }
    return out;
}

}  // namespace teetee::chain
