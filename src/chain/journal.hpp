// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "chain/chain_view.hpp"

namespace teetee::chain {

/// Whose journal it is: batches of another contract are of no use.
struct JournalHead {
    uint64_t chain_id = 0;
    Address contract{};
    uint64_t start_block = 0;
    bool operator==(const JournalHead&) const = default;
};

// A journal is a frame of the head and a frame for each batch, one behind the other. A frame is the
// length of its content (u32), the content, and the first bytes of the content's SHA-256, so that
// an end that was torn off is seen. Integers are little-endian.
Bytes encode_journal_head(const JournalHead& head);
Bytes encode_journal_batch(const SettledBatch& batch);

struct Journal {
    std::vector<SettledBatch> batches{};
    /// Of the bytes, how many were of use: behind them something is torn or changed.
    size_t good_bytes = 0;
};

/// Of another head, or of none, nothing is of use. Never fails: what a journal lacks is read from
/// the chain again.
Journal decode_journal(ByteView bytes, const JournalHead& head);

}  // namespace teetee::chain
