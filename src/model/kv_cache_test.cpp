// SPDX-License-Identifier: Apache-2.0
#include "model/kv_cache.hpp"

#include <gtest/gtest.h>

namespace teetee::model {
namespace {

constexpr KvShape shape = {.layer_count = 2, .kv_head_count = 2, .head_dim = 4};

RequestId request(uint8_t number) {
    RequestId id;
    id.bytes[0] = number;
    return id;
}

TEST(kv_cache, reserves_what_a_sequence_may_need) {
    KvCache cache(shape, 96);
    EXPECT_EQ(cache.positions_free(), 96u);
    ASSERT_TRUE(cache.open(request(1), 33));
    EXPECT_EQ(cache.positions_free(), 32u);
    EXPECT_EQ(cache.open(request(2), 33).error().code, ErrorCode::kv_cache_full);
    EXPECT_EQ(cache.open(request(1), 1).error().code, ErrorCode::invalid_argument);
    ASSERT_TRUE(cache.open(request(2), 32));
    cache.close(request(1));
    cache.close(request(1));
    EXPECT_EQ(cache.positions_free(), 64u);
}

TEST(kv_cache, grows_to_the_reserved_length_and_no_further) {
    KvCache cache(shape, 64);
    ASSERT_TRUE(cache.open(request(1), 40));
    ASSERT_TRUE(cache.extend(request(1), 40));
    EXPECT_EQ(*cache.length(request(1)), 40u);
    EXPECT_EQ(cache.extend(request(1), 1).error().code, ErrorCode::context_exceeded);
    EXPECT_EQ(cache.extend(request(2), 1).error().code, ErrorCode::sequence_unknown);
    EXPECT_EQ(cache.length(request(2)), nullptr);
}

TEST(kv_cache, keeps_keys_by_dimension_and_values_by_position) {
    KvCache cache(shape, 64);
    ASSERT_TRUE(cache.open(request(1), 64));
    auto sequence = cache.extend(request(1), 64);
    const float keys[] = {1, 2, 3, 4, 5, 6, 7, 8};
    const float values[] = {-1, -2, -3, -4, -5, -6, -7, -8};
    (*sequence)->store(1, 35, keys, values);
    const tensor::KvPageView page = (*sequence)->page(1, 1, 1);
    EXPECT_EQ(page.keys[2 * tensor::page_positions + 3], 7.0F);
    EXPECT_EQ(page.values[3 * 4 + 2], -7.0F);
}

TEST(kv_cache, wipes_pages_before_another_sequence_gets_them) {
    KvCache cache(shape, 32);
    ASSERT_TRUE(cache.open(request(1), 32));
    const float secret[8] = {42, 42, 42, 42, 42, 42, 42, 42};
    (*cache.extend(request(1), 1))->store(0, 0, secret, secret);
    cache.close(request(1));
    ASSERT_TRUE(cache.open(request(2), 32));
    const tensor::KvPageView page = (*cache.extend(request(2), 1))->page(0, 0, 0);
    for (size_t i = 0; i < 4 * tensor::page_positions; ++i) {
        ASSERT_EQ(page.keys[i], 0.0F);
        ASSERT_EQ(page.values[i], 0.0F);
    }
}

}  // namespace
}  // namespace teetee::model
