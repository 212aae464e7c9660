// SPDX-License-Identifier: Apache-2.0
#include "model/cut.hpp"

#include <gtest/gtest.h>

#include "model/limits.hpp"

namespace teetee::model {
namespace {

std::vector<uint32_t> counts(uint32_t layer_count, uint32_t shard_count) {
    std::vector<uint32_t> out;
    const auto cut = even_cut(layer_count, shard_count);
    if (!cut) return out;
    for (const LayerRange& range : *cut) out.push_back(range.count());
    return out;
}

TEST(cut, spares_entry_and_tail) {
    EXPECT_EQ(counts(5, 1), (std::vector<uint32_t>{5}));
    EXPECT_EQ(counts(5, 2), (std::vector<uint32_t>{3, 2}));
    EXPECT_EQ(counts(5, 3), (std::vector<uint32_t>{2, 2, 1}));
    EXPECT_EQ(counts(7, 3), (std::vector<uint32_t>{2, 3, 2}));
    EXPECT_EQ(counts(10, 4), (std::vector<uint32_t>{2, 3, 3, 2}));
    EXPECT_EQ(counts(11, 4), (std::vector<uint32_t>{3, 3, 3, 2}));
    EXPECT_EQ(counts(5, 5), (std::vector<uint32_t>{1, 1, 1, 1, 1}));
}

TEST(cut, is_valid_for_every_count) {
    for (uint32_t layers = 1; layers <= 40; ++layers) {
        for (uint32_t shards = 1; shards <= layers; ++shards) {
            const auto cut = even_cut(layers, shards);
            ASSERT_TRUE(cut);
            EXPECT_EQ(cut->size(), shards);
            EXPECT_TRUE(validate_cut(*cut, layers));
        }
    }
}

TEST(cut, refuses_more_shards_than_layers) {
    EXPECT_EQ(even_cut(5, 6).error().message(),
              "invalid_argument: shards: have 6, need 1 to 5, as the model has 5 layers");
    EXPECT_FALSE(even_cut(5, 0));
    EXPECT_FALSE(even_cut(layer_count_max, shard_count_max + 1));
}

TEST(cut, rejects_ranges_that_do_not_cover_the_layers) {
    using Cut = std::vector<LayerRange>;
    EXPECT_TRUE(validate_cut(Cut{{0, 2}, {2, 5}}, 5));
    for (const Cut& cut :
         {Cut{}, Cut{{0, 4}}, Cut{{0, 6}}, Cut{{1, 5}}, Cut{{0, 2}, {3, 5}}, Cut{{0, 3}, {2, 5}},
          Cut{{0, 0}, {0, 5}}, Cut{{0, 5}, {5, 5}}, Cut{{0, 9}, {9, 5}}, Cut{{2, 5}, {0, 2}}}) {
        EXPECT_FALSE(validate_cut(cut, 5));
    }
}

TEST(cut, is_written_as_the_layers_of_its_shards) {
    const std::vector<LayerRange> cut = {{0, 10}, {10, 11}, {11, 22}};
    EXPECT_EQ(show_cut(cut), "0-9,10,11-21");
    for (const char* text : {"0-9,10,11-21", "0-9,10-10,11-21"}) {
        const auto parsed = parse_cut(text);
        ASSERT_TRUE(parsed) << parsed.error().message();
        EXPECT_EQ(*parsed, cut);
    }
}

TEST(cut, is_not_any_text) {
    for (const char* text :
         {"", ",", "0-9,", ",0-9", "0-9,,10", "0-", "-9", "9-0", "0 - 9", "0-9 ", "0x1", "+1",
          "0-9-12", "0-512", "512", "4294967296", "0-4294967296", "a"}) {
        EXPECT_FALSE(parse_cut(text)) << text;
    }
    std::string many = "0";
    for (uint32_t i = 1; i < shard_count_max; ++i) many += "," + std::to_string(i);
    EXPECT_TRUE(parse_cut(many));
    EXPECT_FALSE(parse_cut(many + "," + std::to_string(shard_count_max)));
    EXPECT_EQ(parse_cut("0-4,x").error().message(),
              "invalid_argument: cut: have 'x' as shard 1, need layers as 10-15, for at most 128 "
              "shards");
}

TEST(cut, finds_the_layer_in_a_name) {
    EXPECT_EQ(layer_of("blk.0.attn_q.weight"), 0u);
    EXPECT_EQ(layer_of("blk.12.attn_q.weight"), 12u);
    for (const char* name : {"output.weight", "blk.", "blk.1", "blk.x.w", "blk.01.w", "blk.-1.w",
                             "blk.4294967296.w", "xblk.1.w", "blk.1x.w"}) {
        EXPECT_EQ(layer_of(name), std::nullopt) << name;
    }
}

TEST(cut, gives_each_tensor_to_its_shards) {
    struct Case {
        const char* name;
        bool entry, middle, tail, tail_when_tied;
    };
    const Case cases[] = {
        {"token_embd.weight", true, false, false, true},
        {"position_embd.weight", true, false, false, false},
        {"blk.0.attn_q.weight", true, false, false, false},
        {"blk.2.attn_q.weight", false, true, false, false},
        {"blk.5.attn_q.weight", false, false, true, true},
        {"output_norm.weight", false, false, true, true},
        {"output_norm.bias", false, false, true, true},
        {"output.weight", false, false, true, true},
        {"rope_freqs.weight", true, true, true, true},
        {"rope_factors_long.weight", true, true, true, true},
    };
    for (const Case& c : cases) {
        const ModelLayout layout = {.layer_count = 6, .output_tied = false};
        EXPECT_EQ(serves(layout, {0, 2}, c.name), c.entry) << c.name;
        EXPECT_EQ(serves(layout, {2, 4}, c.name), c.middle) << c.name;
        EXPECT_EQ(serves(layout, {4, 6}, c.name), c.tail) << c.name;
        const ModelLayout tied = {.layer_count = 6, .output_tied = true};
        EXPECT_EQ(serves(tied, {4, 6}, c.name), c.tail_when_tied) << c.name;
        EXPECT_TRUE(serves(layout, {0, 6}, c.name)) << c.name;
    }
}

}  // namespace
}  // namespace teetee::model
