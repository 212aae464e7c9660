// SPDX-License-Identifier: Apache-2.0
#include "model/kv_cache.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace teetee::model {
namespace {

const KvShape shape = {{KvType::f16, KvType::f32}, 2, 4};

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
    EXPECT_EQ(static_cast<const float*>(page.keys)[2 * tensor::page_positions + 3], 7.0F);
    EXPECT_EQ(static_cast<const float*>(page.values)[3 * 4 + 2], -7.0F);
    (*sequence)->store(0, 35, keys, values);
    const tensor::KvPageView halves = (*sequence)->page(0, 1, 1);
    EXPECT_EQ(static_cast<const uint16_t*>(halves.keys)[2 * tensor::page_positions + 3], 0x4700);
    EXPECT_EQ(static_cast<const uint16_t*>(halves.values)[3 * 4 + 2], 0xc700);
}

TEST(kv_cache, stores_blocks_of_8_bits_with_a_scale) {
    const KvShape q8 = {{KvType::q8_0}, 1, 40};
    KvCache cache(q8, 32);
    ASSERT_TRUE(cache.open(request(1), 32));
    auto sequence = cache.extend(request(1), 32);
    std::vector<float> keys(40), values(40);
    for (size_t d = 0; d < 40; ++d) {
        keys[d] = static_cast<float>(d) - 20.0F;
        values[d] = 1.0F / static_cast<float>(d + 1);
    }
    (*sequence)->store(0, 5, keys.data(), values.data());
    const tensor::KvPageView page = (*sequence)->page(0, 0, 0);
    for (size_t d = 0; d < 40; ++d) {
        const auto key = static_cast<const int8_t*>(page.keys)[d * tensor::page_positions + 5];
        const float key_scale = page.key_scales[d / 32 * tensor::page_positions + 5];
        EXPECT_NEAR(static_cast<float>(key) * key_scale, keys[d], 20.0 / 254);
        const auto value = static_cast<const int8_t*>(page.values)[5 * 40 + d];
        const float value_scale = page.value_scales[5 * 2 + d / 32];
        EXPECT_NEAR(static_cast<float>(value) * value_scale, values[d], 1.0 / 254);
    }
}

TEST(kv_cache, holds_finite_numbers_only) {
    KvCache cache(shape, 32);
    ASSERT_TRUE(cache.open(request(1), 32));
    auto sequence = cache.extend(request(1), 1);
    const float keys[] = {INFINITY, NAN, -INFINITY, 1e6F, 0, 0, 0, 0};
    for (const uint32_t layer : {0u, 1u}) (*sequence)->store(layer, 0, keys, keys);
    const auto* halves = static_cast<const uint16_t*>((*sequence)->page(0, 0, 0).values);
    EXPECT_EQ(halves[0], 0x7bff);
    EXPECT_EQ(halves[1], 0);
    EXPECT_EQ(halves[2], 0xfbff);
    EXPECT_EQ(halves[3], 0x7bff);
    const auto* floats = static_cast<const float*>((*sequence)->page(1, 0, 0).values);
    EXPECT_TRUE(std::isfinite(floats[0]) && std::isfinite(floats[2]));
    EXPECT_EQ(floats[1], 0.0F);
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
        ASSERT_EQ(static_cast<const uint16_t*>(page.keys)[i], 0);
        ASSERT_EQ(static_cast<const uint16_t*>(page.values)[i], 0);
    }
}

}  // namespace
}  // namespace teetee::model
