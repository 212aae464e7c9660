// SPDX-License-Identifier: Apache-2.0
#include "node/chain_store.hpp"

#include "net/file.hpp"
#include "node/limits.hpp"

namespace teetee::node {
namespace {

/// Blocks without any event go into the journal so many at a time.
constexpr uint64_t empty_blocks_step = 1000;

}  // namespace

Result<void> ChainStore::load_journal(chain::ChainView& view,
                                      const chain::ChainViewOptions& options) {
    if (folder_.empty()) return {};
    const auto bytes = net::read_file(journal_path(), chain_journal_bytes_max);
    if (!bytes && bytes.error().code == ErrorCode::io_failed) return bytes.error();
    const chain::Journal journal = bytes ? chain::decode_journal(*bytes, head_) : chain::Journal{};
    for (const chain::SettledBatch& batch : journal.batches) {
        if (!view.restore(batch)) {
            // A journal that does not go with itself tells nothing.
            view = chain::ChainView(options);
            return begin_anew();
        }
        written_number_ = batch.end.number;
    }
    if (journal.good_bytes == 0) return begin_anew();
    if (journal.good_bytes < bytes->size()) {
        TT_CHECK(
            net::write_file_atomic(journal_path(), ByteView(*bytes).first(journal.good_bytes)));
    }
    journal_.open(journal_path(), std::ios::binary | std::ios::app);
    return journal_ ? Result<void>() : fail(ErrorCode::io_failed, journal_path());
}

Result<void> ChainStore::begin_anew() {
    written_number_ = 0;
    journal_.close();
    journal_.clear();
    TT_CHECK(net::write_file_atomic(journal_path(), chain::encode_journal_head(head_)));
    journal_.open(journal_path(), std::ios::binary | std::ios::app);
    return journal_ ? Result<void>() : fail(ErrorCode::io_failed, journal_path());
}

Result<void> ChainStore::append(ByteView frame) {
    journal_.write(reinterpret_cast<const char*>(frame.data()),
                   static_cast<std::streamsize>(frame.size()));
    journal_.flush();
    return journal_ ? Result<void>() : fail(ErrorCode::io_failed, journal_path());
}

Result<void> ChainStore::keep(const chain::ChainViewEffects& effects) {
    if (folder_.empty()) return {};
    if (effects.restarted) TT_CHECK(begin_anew());
    for (const chain::SettledBatch& batch : effects.settled) {
        const bool is_due = batch.end.number >= written_number_ + empty_blocks_step;
        if (batch.logs.empty() && !is_due) continue;
        TT_CHECK(append(chain::encode_journal_batch(batch)));
        written_number_ = batch.end.number;
    }
    return {};
}

Result<Bytes> ChainStore::load_sender() const {
    if (folder_.empty()) return Bytes{};
    auto bytes = net::read_file(sender_path(), chain_sender_bytes_max);
    if (!bytes && bytes.error().code == ErrorCode::not_found) return Bytes{};
    return bytes;
}

Result<void> ChainStore::save_sender(ByteView state) const {
    if (folder_.empty()) return {};
    return net::write_file_atomic(sender_path(), state, {.mode = 0600});
}

}  // namespace teetee::node
