// SPDX-License-Identifier: Apache-2.0
#include "model/kv_cache.hpp"

#include <cmath>
#include <random>
#include <vector>

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

/// A sequence of `count` positions in which every number of a position is its own.
void fill(KvCache& cache, const RequestId& id, Position count, float base) {
    const Position begin = *cache.length(id);
    auto sequence = cache.extend(id, count - begin);
    ASSERT_TRUE(sequence);
    for (Position p = begin; p < count; ++p) {
        const std::vector<float> row(8, base + static_cast<float>(p));
        for (const uint32_t layer : {0u, 1u}) (*sequence)->store(layer, p, row.data(), row.data());
    }
}

/// The first value of a position in the layer of F32.
float value_at(KvCache& cache, const RequestId& id, Position position) {
    auto sequence = cache.extend(id, 0);
    EXPECT_TRUE(sequence);
    const auto page = (*sequence)->page(1, 0, position / tensor::page_positions);
    return static_cast<const float*>(page.values)[position % tensor::page_positions * 4];
}

TEST(kv_cache, a_sequence_begins_behind_retained_pages_and_shares_them) {
    KvCache cache(shape, 160);
    ASSERT_TRUE(cache.open(request(1), 70));
    fill(cache, request(1), 70, 1000);
    cache.retain(request(1), {.first = 7, .page_begin = 0, .page_end = 2});
    EXPECT_EQ(cache.retained_count(), 2u);
    EXPECT_EQ(cache.positions_free(), 64u) << "to retain takes nothing";
    ASSERT_TRUE(cache.open(request(2), 96, {8, 64}));
    ASSERT_TRUE(cache.open(request(3), 64, {7, 32}));
    EXPECT_EQ(cache.positions_free(), 0u) << "one page of its own each";
    EXPECT_EQ(*cache.length(request(2)), 64u);
    cache.close(request(1));
    EXPECT_EQ(cache.positions_free(), 32u);
    EXPECT_EQ(value_at(cache, request(2), 63), 1063.0F);
    EXPECT_EQ(value_at(cache, request(3), 31), 1031.0F);
    fill(cache, request(2), 96, 2000);
    fill(cache, request(3), 64, 3000);
    EXPECT_EQ(value_at(cache, request(2), 64), 2064.0F);
    EXPECT_EQ(value_at(cache, request(3), 63), 3063.0F);
    EXPECT_EQ(value_at(cache, request(2), 63), 1063.0F);
}

TEST(kv_cache, a_page_is_free_and_wiped_when_nobody_holds_it) {
    KvCache cache(shape, 64);
    ASSERT_TRUE(cache.open(request(1), 32));
    fill(cache, request(1), 32, 42);
    cache.retain(request(1), {.first = 1, .page_begin = 0, .page_end = 1});
    cache.close(request(1));
    ASSERT_TRUE(cache.open(request(2), 64, {1, 32}));
    cache.drop(1);
    cache.drop(1);
    EXPECT_EQ(cache.retained_count(), 0u);
    EXPECT_EQ(value_at(cache, request(2), 0), 42.0F) << "the sequence still holds it";
    EXPECT_EQ(cache.positions_free(), 0u);
    cache.close(request(2));
    EXPECT_EQ(cache.positions_free(), 64u);
    ASSERT_TRUE(cache.open(request(3), 64));
    ASSERT_TRUE(cache.extend(request(3), 64));
    for (Position p = 0; p < 64; ++p) EXPECT_EQ(value_at(cache, request(3), p), 0.0F);
}

TEST(kv_cache, a_prefix_that_is_not_there_as_announced_is_unknown) {
    KvCache cache(shape, 320);
    ASSERT_TRUE(cache.open(request(1), 96));
    fill(cache, request(1), 80, 0);
    cache.retain(request(9), {.first = 50, .page_begin = 0, .page_end = 1});
    cache.retain(request(1), {.parent = 60, .first = 61, .page_begin = 0, .page_end = 1});
    cache.retain(request(1), {.first = 0, .page_begin = 0, .page_end = 1});
    cache.retain(request(1), {.first = 70, .page_begin = 0, .page_end = UINT32_MAX});
    EXPECT_EQ(cache.retained_count(), 2u) << "the third page is not full";
    cache.retain(request(1), {.parent = 71, .first = 72, .page_begin = 1, .page_end = 2});
    cache.retain(request(1), {.parent = 0, .first = 72, .page_begin = 1, .page_end = 2});
    EXPECT_EQ(cache.retained_count(), 2u) << "the parent is not the page before";
    const PrefixStart wrong[] = {{50, 32}, {61, 32}, {71, 32}, {70, 64},
                                 {71, 63}, {0, 32},  {71, 0},  {72, 96}};
    for (const PrefixStart& start : wrong) {
        EXPECT_EQ(cache.open(request(2), 128, start).error().code, ErrorCode::prefix_unknown)
            << start.prefix << " " << start.positions;
    }
    EXPECT_EQ(cache.open(request(2), 64, {71, 64}).error().code, ErrorCode::invalid_argument);
    cache.drop(70);
    EXPECT_EQ(cache.open(request(2), 128, {71, 64}).error().code, ErrorCode::prefix_unknown);
    EXPECT_EQ(cache.sequence_count(), 1u);
}

TEST(kv_cache, pages_never_leak_whatever_is_done) {
    std::mt19937 random(1);
    const auto below = [&](uint32_t end) { return static_cast<uint32_t>(random() % end); };
    KvCache cache(shape, 640);
    for (int step = 0; step < 20000; ++step) {
        const RequestId id = request(static_cast<uint8_t>(below(6)));
        const Position* length = cache.length(id);
        switch (below(5)) {
            case 0: {
                const PrefixStart start{below(40), below(4) * 32};
                static_cast<void>(cache.open(id, 1 + below(200), start));
                break;
            }
            case 1:
                cache.close(id);
                break;
            case 2:
                if (length != nullptr) {
                    const Position room = cache.positions_max(id) - *length;
                    ASSERT_TRUE(cache.extend(id, below(room + 1)));
                }
                break;
            case 3:
                cache.retain(id, {below(40), 1 + below(40), below(4), below(8)});
                break;
            default:
                cache.drop(below(44));
        }
        ASSERT_LE(cache.positions_free(), 640u);
    }
    for (uint8_t i = 0; i < 6; ++i) cache.close(request(i));
    for (PrefixId id = 0; id < 50; ++id) cache.drop(id);
    EXPECT_EQ(cache.positions_free(), 640u);
    EXPECT_EQ(cache.retained_count(), 0u);
}

TEST(kv_cache, goes_back_to_an_earlier_position) {
    KvCache cache(shape, 64);
    ASSERT_TRUE(cache.open(request(1), 64));
    fill(cache, request(1), 40, 0);
    const Position free = cache.positions_free();
    ASSERT_TRUE(cache.rewind(request(1), 33));
    EXPECT_EQ(*cache.length(request(1)), 33u);
    fill(cache, request(1), 64, 500);
    const auto sequence = cache.extend(request(1), 0);
    ASSERT_TRUE(sequence);
    const auto* keys = static_cast<const float*>((*sequence)->page(1, 0, 1).keys);
    EXPECT_EQ(keys[0], 32.0F);
    EXPECT_EQ(keys[1], 533.0F);
    EXPECT_EQ(cache.positions_free(), free) << "the pages stay reserved";
    EXPECT_FALSE(cache.extend(request(1), 1));
    cache.close(request(1));
    EXPECT_EQ(cache.positions_free(), 64u);
}

TEST(kv_cache, goes_back_neither_forwards_nor_into_shared_pages) {
    KvCache cache(shape, 256);
    ASSERT_TRUE(cache.open(request(1), 100));
    fill(cache, request(1), 70, 0);
    EXPECT_EQ(cache.rewind(request(1), 71).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(cache.rewind(request(2), 1).error().code, ErrorCode::sequence_unknown);
    cache.retain(request(1), {0, 7, 0, 1});
    EXPECT_EQ(cache.rewind(request(1), 31).error().code, ErrorCode::invalid_argument);
    EXPECT_TRUE(cache.rewind(request(1), 32));
    ASSERT_TRUE(cache.open(request(2), 100, {7, 32}));
    fill(cache, request(2), 40, 900);
    EXPECT_EQ(cache.rewind(request(2), 31).error().code, ErrorCode::invalid_argument);
    EXPECT_TRUE(cache.rewind(request(2), 32));
}

}  // namespace
}  // namespace teetee::model
