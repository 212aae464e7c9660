// SPDX-License-Identifier: Apache-2.0
#include "cli/slot_choice.hpp"

#include <gtest/gtest.h>

namespace teetee::cli {
namespace {

SlotSight slot(uint64_t number, size_t live) {
    return {.slot = number, .layers = {}, .live = live};
}

TEST(slot_choice, takes_the_one_with_fewest_nodes) {
    EXPECT_EQ(worst_served({slot(0, 2), slot(1, 1), slot(2, 3)}).slot, 1u);
    EXPECT_EQ(worst_served({slot(0, 0)}).slot, 0u);
}

TEST(slot_choice, takes_the_lowest_layers_of_equals) {
    EXPECT_EQ(worst_served({slot(0, 2), slot(1, 1), slot(2, 1)}).slot, 1u);
    EXPECT_EQ(worst_served({slot(0, 1), slot(1, 1), slot(2, 1)}).slot, 0u);
}

TEST(slot_choice, sees_layers_of_a_pool_without_nodes) {
    chain::PoolRecord pool;
    pool.slot_layers = {4, 6};
    const chain::ContractState state;
    const PoolSight sight{.id = 1, .pool = &pool, .state = &state, .now = 5};
    const auto slots = see_slots(sight, chain::Address{});
    ASSERT_EQ(slots.size(), 2u);
    EXPECT_EQ(slots[0].layers, (LayerRange{0, 4}));
    EXPECT_EQ(slots[1].layers, (LayerRange{4, 10}));
    EXPECT_EQ(slots[1].live, 0u);
    EXPECT_EQ(choose_slot(sight, slots, {})->slot, 0u);
    EXPECT_EQ(choose_slot(sight, slots, 1)->slot, 1u);
    EXPECT_EQ(choose_slot(sight, slots, 2).error().code, ErrorCode::invalid_argument);
    EXPECT_TRUE(ensure_open(sight));
    pool.closed = true;
    EXPECT_EQ(ensure_open(sight).error().code, ErrorCode::call_reverted);
}

}  // namespace
}  // namespace teetee::cli
