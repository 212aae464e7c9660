// SPDX-License-Identifier: Apache-2.0
#include "model/cut_costs.hpp"

#include <gtest/gtest.h>

#include "model/cut.hpp"
#include "model/test_decoding.hpp"
#include "model/test_random_model.hpp"

namespace teetee::model {
namespace {

ModelCosts costs_of(const Bytes& file, const CostOptions& options = {}) {
    const auto gguf = Gguf::parse(file);
    EXPECT_TRUE(gguf);
    auto costs = model_costs(*gguf, options);
    EXPECT_TRUE(costs) << costs.error().message();
    return std::move(costs).value();
}

uint64_t packed(tensor::DataType type, uint64_t rows, uint64_t columns) {
    return tensor::packed_bytes(type, rows, columns);
}

TEST(cut_costs, are_those_of_the_tensors) {
    const auto type = tensor::DataType::q8_0;
    const ModelCosts costs = costs_of(RandomModel(type).file);
    ASSERT_EQ(costs.layer_count(), 5u);
    const uint64_t matrices = packed(type, 96, 96) * 2 + packed(type, 32, 96) * 2 +
                              packed(type, 160, 96) * 2 + packed(type, 96, 160);
    const uint64_t elements = 96 * 96 * 2 + 32 * 96 * 2 + 160 * 96 * 3;
    for (const PartCost& layer : costs.layers) {
        EXPECT_EQ(layer.weight_bytes, matrices + 2 * 96 * 4);
        EXPECT_EQ(layer.read_bytes, elements / 32 * 34 + 2 * 96 * 4);
        EXPECT_EQ(layer.multiply_adds, elements);
    }
    EXPECT_EQ(costs.entry.weight_bytes, 77u * 96 / 32 * 34);
    EXPECT_EQ(costs.entry.read_bytes, 0u);
    EXPECT_EQ(costs.tail.weight_bytes, packed(type, 77, 96) + 96 * 4);
    EXPECT_EQ(costs.tail.multiply_adds, 77u * 96);
    EXPECT_EQ(costs.shared_bytes, 0u);
}

TEST(cut_costs, grow_with_the_rows_of_a_batch_where_it_computes) {
    const Bytes file = RandomModel(tensor::DataType::q8_0).file;
    const PartCost one = costs_of(file).of({0, 5});
    const PartCost eight = costs_of(file, {.rows = 8}).of({0, 5});
    EXPECT_EQ(eight.multiply_adds, 8 * one.multiply_adds);
    EXPECT_EQ(eight.read_bytes, one.read_bytes);
    EXPECT_EQ(eight.weight_bytes, one.weight_bytes);
}

TEST(cut_costs, have_the_pages_of_keys_and_values_that_a_shard_takes) {
    const Bytes file = RandomModel(tensor::DataType::f32).file;
    for (const auto kv_type : {std::optional<KvType>(), std::optional(KvType::q8_0)}) {
        const ModelCosts costs = costs_of(file, {.positions = 33, .kv_type = kv_type});
        const auto gguf = Gguf::parse(file);
        ASSERT_TRUE(gguf);
        ModelOptions options;
        options.layers = LayerRange{1, 4};
        options.kv_type = kv_type;
        const auto shape = kv_shape_of(*gguf, options);
        ASSERT_TRUE(shape);
        EXPECT_EQ(costs.of({1, 4}).kv_bytes, 2 * kv_page_bytes(*shape));
    }
}

/// A model of two layers with the tensors that matter here.
struct SmallModel {
    uint32_t experts = 0;
    bool is_tied = false;

    Bytes file() const {
        F32Model model;
        model.writer.string("general.architecture", "llama");
        for (const auto& [key, value] : std::initializer_list<std::pair<const char*, uint32_t>>{
                 {"llama.context_length", 64},
                 {"llama.embedding_length", 32},
                 {"llama.block_count", 2},
                 {"llama.feed_forward_length", 32},
                 {"llama.attention.head_count", 2}}) {
            model.writer.u32(key, value);
        }
        model.writer.f32("llama.attention.layer_norm_rms_epsilon", 1e-5F);
        if (experts > 0) {
            model.writer.u32("llama.expert_count", experts);
            model.writer.u32("llama.expert_used_count", 2);
        }
        const auto matrix = [&](const std::string& name, std::vector<uint64_t> dimensions) {
            uint64_t count = 1;
            for (const uint64_t d : dimensions) count *= d;
            model.tensor(name, std::move(dimensions), std::vector<float>(count));
        };
        matrix("token_embd.weight", {32, 64});
        for (const char* layer : {"blk.0.", "blk.1."}) {
            if (experts > 0) matrix(layer + std::string("ffn_up_exps.weight"), {32, 32, experts});
            matrix(layer + std::string("attn_q.weight"), {32, 32});
        }
        if (!is_tied) matrix("output.weight", {32, 64});
        return written(model.writer);
    }
};

TEST(cut_costs, read_the_experts_that_a_batch_can_name) {
    const Bytes file = SmallModel{.experts = 8}.file();
    constexpr uint64_t matrix = 32 * 32;
    for (const auto& [rows, experts_read] :
         {std::pair{1u, 2u}, std::pair{3u, 6u}, std::pair{4u, 8u}, std::pair{100u, 8u}}) {
        const PartCost layer = costs_of(file, {.rows = rows}).layers[0];
        EXPECT_EQ(layer.read_bytes, 4 * matrix * (1 + experts_read));
        EXPECT_EQ(layer.multiply_adds, rows * matrix * (1 + 2));
        EXPECT_EQ(layer.weight_bytes, 4 * matrix * 9);
    }
}

TEST(cut_costs, count_a_tied_embedding_for_entry_and_tail) {
    const ModelCosts costs = costs_of(SmallModel{.is_tied = true}.file());
    constexpr uint64_t table = 64 * 32 * 4;
    EXPECT_EQ(costs.entry.weight_bytes, table);
    EXPECT_EQ(costs.tail.weight_bytes, table);
    EXPECT_EQ(costs.tail.read_bytes, table);
    EXPECT_EQ(costs.of({0, 2}).weight_bytes,
              table + costs.layers[0].weight_bytes + costs.layers[1].weight_bytes);
}

TEST(cut_costs, refuse_a_part_of_a_model) {
    const std::vector<Bytes> shards = cut_files(RandomModel(tensor::DataType::q8_0).file, 2);
    const auto gguf = Gguf::parse(shards[0]);
    ASSERT_TRUE(gguf);
    EXPECT_EQ(model_costs(*gguf, {}).error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace teetee::model
