// SPDX-License-Identifier: Apache-2.0
#include "chain/journal.hpp"

#include <gtest/gtest.h>

#include "chain/test_chain.hpp"
#include "chain/test_events.hpp"

namespace teetee::chain {
namespace {

constexpr JournalHead head = {.chain_id = 5, .contract = test_contract, .start_block = 3};

SettledBatch batch_of(uint64_t number) {
    SettledBatch batch{.end = {.number = number, .hash = {static_cast<uint8_t>(number)}}};
    batch.logs.push_back(log_of(credits_bought(number)));
    batch.logs.back().block_number = number;
    batch.logs.back().index = 7;
    batch.logs.push_back(log_of(node_registered(number)));
    return batch;
}

Bytes journal_of(size_t batches) {
    Bytes out = encode_journal_head(head);
    for (size_t i = 0; i < batches; ++i) {
        const Bytes frame = encode_journal_batch(batch_of(i));
        out.insert(out.end(), frame.begin(), frame.end());
    }
    return out;
}

TEST(journal, is_read_as_it_was_written) {
    const Bytes bytes = journal_of(3);
    const Journal journal = decode_journal(bytes, head);
    ASSERT_EQ(journal.batches.size(), 3u);
    EXPECT_EQ(journal.good_bytes, bytes.size());
    for (size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(journal.batches[i].end, batch_of(i).end);
        EXPECT_EQ(journal.batches[i].logs, batch_of(i).logs);
    }
}

TEST(journal, of_another_contract_chain_or_start_is_of_no_use) {
    const Bytes bytes = journal_of(1);
    for (const JournalHead& other : {JournalHead{6, test_contract, 3}, JournalHead{5, {1}, 3},
                                     JournalHead{5, test_contract, 4}})
        EXPECT_EQ(decode_journal(bytes, other).good_bytes, 0u);
    EXPECT_EQ(decode_journal({}, head).good_bytes, 0u);
}

TEST(journal, a_torn_or_changed_end_is_left_out) {
    const Bytes whole = journal_of(2);
    const size_t one = journal_of(1).size();
    const size_t none = journal_of(0).size();
    for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
        const Journal journal = decode_journal(ByteView(whole).first(bytes), head);
        const size_t good = bytes < none ? 0 : bytes < one ? none : one;
        EXPECT_EQ(journal.good_bytes, good);
    }
    for (size_t at = one; at < whole.size(); ++at) {
        Bytes changed = whole;
        changed[at] ^= 0x40;
        EXPECT_EQ(decode_journal(changed, head).batches.size(), 1u);
    }
}

}  // namespace
}  // namespace teetee::chain
