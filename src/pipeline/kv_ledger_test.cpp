// SPDX-License-Identifier: Apache-2.0
#include "pipeline/kv_ledger.hpp"

#include <gtest/gtest.h>

#include "pipeline/ring_harness.hpp"

namespace teetee::pipeline::testing {
namespace {

/// Ten blocks of 16 positions.
KvLedger ledger_of_ten() {
    return KvLedger(engine_limits({0, 4}, {.positions_max = 170}));
}

TEST(kv_ledger, counts_a_shared_page_once) {
    KvLedger ledger = ledger_of_ten();
    EXPECT_EQ(ledger.capacity().positions, 160u);
    ASSERT_TRUE(ledger.open(request_id(1), 40));
    EXPECT_EQ(ledger.used().positions, 48u);
    ASSERT_TRUE(ledger.retain(request_id(1), {0, 5, 0, 2}));
    EXPECT_EQ(ledger.used().positions, 48u) << "to retain takes nothing";
    ASSERT_TRUE(ledger.open(request_id(2), 64, {6, 32}));
    EXPECT_EQ(ledger.used().positions, 80u);
    ledger.close(request_id(1));
    EXPECT_EQ(ledger.used().positions, 64u);
    EXPECT_EQ(ledger.idle_positions(), 0u);
    ledger.close(request_id(2));
    EXPECT_EQ(ledger.used().positions, 32u);
    EXPECT_EQ(ledger.idle_positions(), 32u);
    EXPECT_EQ(ledger.need(64, {6, 32})->positions, 64u) << "idle pages of the start count as new";
    EXPECT_TRUE(ledger.ensure_fits(160, {6, 32}));
    EXPECT_EQ(ledger.ensure_fits(160, {}).error().code, ErrorCode::kv_cache_full);
    EXPECT_TRUE(ledger.drop(6));
    EXPECT_FALSE(ledger.drop(6));
    EXPECT_TRUE(ledger.drop(5));
    EXPECT_EQ(ledger.used().positions, 0u);
}

TEST(kv_ledger, a_dropped_page_counts_as_long_as_a_sequence_uses_it) {
    KvLedger ledger = ledger_of_ten();
    ASSERT_TRUE(ledger.open(request_id(1), 32));
    ASSERT_TRUE(ledger.retain(request_id(1), {0, 5, 0, 1}));
    EXPECT_TRUE(ledger.drop(5));
    EXPECT_EQ(ledger.retained_count(), 0u);
    EXPECT_EQ(ledger.used().positions, 32u);
    EXPECT_EQ(ledger.open(request_id(2), 32, {5, 16}).error().code, ErrorCode::prefix_unknown);
    EXPECT_FALSE(ledger.retain(request_id(1), {5, 6, 1, 2})) << "its parent is gone";
    EXPECT_FALSE(ledger.retain(request_id(1), {0, 5, 0, 1})) << "the id is in use";
    ledger.close(request_id(1));
    EXPECT_EQ(ledger.used().positions, 0u);
    EXPECT_EQ(ledger.used().sequences, 0u);
}

TEST(kv_ledger, retains_only_the_next_pages_behind_their_parent) {
    KvLedger ledger = ledger_of_ten();
    ASSERT_TRUE(ledger.open(request_id(1), 64));
    const PrefixSpan wrong[] = {{0, 0, 0, 1}, {0, 1, 0, 0}, {0, 1, 1, 2}, {9, 1, 0, 1},
                                {9, 1, 1, 2}, {0, 1, 0, 5}, {0, 1, 2, 1}};
    for (const PrefixSpan& span : wrong) EXPECT_FALSE(ledger.retain(request_id(1), span));
    EXPECT_FALSE(ledger.retain(request_id(2), {0, 1, 0, 1}));
    ASSERT_TRUE(ledger.retain(request_id(1), {0, 10, 0, 1}));
    EXPECT_FALSE(ledger.retain(request_id(1), {10, 8, 1, 4})) << "8, 9, 10: in use";
    EXPECT_FALSE(ledger.retain(request_id(1), {0, 20, 0, 1})) << "has an id already";
    ASSERT_TRUE(ledger.retain(request_id(1), {10, 20, 1, 3}));
    EXPECT_EQ(ledger.shared_pages(request_id(1)), (std::vector<PrefixId>{10, 20, 21}));
    for (const PrefixStart& start :
         {PrefixStart{21, 32}, {21, 64}, {21, 47}, {20, 48}, {22, 48}, {0, 16}, {21, 0}}) {
        EXPECT_EQ(ledger.need(100, start).error().code, ErrorCode::prefix_unknown);
    }
    EXPECT_TRUE(ledger.need(100, {21, 48}));
}

}  // namespace
}  // namespace teetee::pipeline::testing
