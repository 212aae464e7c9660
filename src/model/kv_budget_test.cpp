// SPDX-License-Identifier: Apache-2.0
#include "model/kv_budget.hpp"

#include <gtest/gtest.h>

namespace teetee::model {
namespace {

/// 32 positions of 2 layers, 4 heads of 64 dimensions in F16: 64 KiB a page.
const KvShape shape = {{KvType::f16, KvType::f16}, 4, 64};

TEST(kv_budget, bytes_become_whole_pages) {
    ASSERT_EQ(kv_page_bytes(shape), 64u << 10);
    const auto plan = plan_kv(shape, 4096, {.bytes = (200u << 10)});
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->positions, 96u);
    EXPECT_EQ(plan->bytes, 192u << 10);
    EXPECT_EQ(plan_kv(shape, 4096, {.positions = 33})->positions, 64u);
    EXPECT_EQ(plan_kv(shape, 4096, {.bytes = uint64_t{1} << 59})->positions, 1u << 30);
}

TEST(kv_budget, the_default_holds_a_context_within_reason) {
    EXPECT_EQ(plan_kv(shape, 512, {})->positions, 16384u);
    EXPECT_EQ(plan_kv(shape, 100000, {})->positions, 100000u);
    EXPECT_EQ(plan_kv(shape, UINT32_MAX, {})->bytes, uint64_t{4} << 30);
    const KvShape huge = {std::vector<KvType>(2000, KvType::f32), 128, 256};
    EXPECT_EQ(plan_kv(huge, 4096, {})->positions, 32u) << "one page at least";
}

TEST(kv_budget, refuses_less_than_a_page_with_need_and_have) {
    const auto refused = plan_kv(shape, 4096, {.bytes = 60u << 10});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::config_invalid);
    EXPECT_NE(refused.error().detail.find("have 60 KiB"), std::string::npos);
    EXPECT_NE(refused.error().detail.find("need at least 64 KiB"), std::string::npos);
    EXPECT_FALSE(plan_kv(shape, 4096, {.bytes = 1u << 20, .positions = 64}));
}

TEST(kv_budget, reads_sizes_with_units) {
    const std::pair<const char*, uint64_t> good[] = {
        {"65536", 65536},      {"512B", 512},
        {"1k", 1024},          {"2GiB", 2147483648u},
        {"2gib", 2147483648u}, {"2 GB", 2147483648u},
        {"1.5M", 1536u << 10}, {"1T", uint64_t{1} << 40}};
    for (const auto& [text, bytes] : good) {
        const auto parsed = parse_byte_count(text);
        ASSERT_TRUE(parsed) << text;
        EXPECT_EQ(*parsed, bytes) << text;
    }
    for (const char* text : {"", "GiB", "-1G", "2X", "2Gi", "2GiBs", "1e9", "nan", "inf", "0",
                             "0.5", "2 G iB", " 2G", "9999999999999T", "2BB"}) {
        const auto parsed = parse_byte_count(text);
        EXPECT_FALSE(parsed) << text;
    }
}

TEST(kv_budget, shows_sizes_for_people) {
    EXPECT_EQ(show_byte_count(0), "0 B");
    EXPECT_EQ(show_byte_count(1536), "1.5 KiB");
    EXPECT_EQ(show_byte_count(uint64_t{4} << 30), "4 GiB");
}

}  // namespace
}  // namespace teetee::model
