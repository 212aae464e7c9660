// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "model/test_decoding.hpp"
#include "model/test_random_model.hpp"

// docs/numerics.md over everything that must not matter. llama_test.cpp pins the bits of each type
// of weights, on longer sequences and with fewer combinations.

namespace teetee::model {
namespace {

/// Nine settings for each kernel set, in which every pair of values of two columns meets: an
/// orthogonal array of four columns with three values each.
std::vector<Setting> settings_for(KvType kv) {
    constexpr size_t thread_counts[] = {1, 2, 3};
    constexpr uint32_t shard_counts[] = {1, 2, 5};
    constexpr size_t chunks[] = {1, 13, 512};
    constexpr Mates mates[] = {Mates::none, Mates::in_front, Mates::behind};
    std::vector<Setting> all;
    for (const tensor::KernelSet* kernels : tensor::available_kernels()) {
        for (size_t i = 0; i < 3; ++i) {
            for (size_t j = 0; j < 3; ++j) {
                all.push_back({kernels, thread_counts[(i + j) % 3], shard_counts[i], chunks[j],
                               mates[(i + 2 * j) % 3], kv});
            }
        }
    }
    return all;
}

using Case = std::tuple<tensor::DataType, KvType>;

class BitMatrix : public testing::TestWithParam<Case> {};

/// A type of weights of each arithmetic, times a type of keys and values. The 37 positions go
/// beyond a page of the cache.
TEST_P(BitMatrix, is_the_same_however_it_is_computed) {
    const auto [type, kv] = GetParam();
    const RandomModel model(type);
    std::vector<TokenId> tokens;
    for (TokenId i = 0; i < 37; ++i) tokens.push_back((i * i * 31 + 7 * i) % 77);
    const std::vector<float> reference =
        logits_of(model.file, tokens, {.kernels = &tensor::scalar_kernels(), .kv = kv});
    for (const Setting& setting : settings_for(kv)) {
        ASSERT_EQ(logits_of(model.file, tokens, setting), reference)
            << setting.kernels->name << " threads " << setting.threads << " shards "
            << setting.shards << " chunk " << setting.chunk << " mates "
            << static_cast<int>(setting.mates);
    }
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
    const auto [type, kv] = info.param;
    const char* kv_name = kv == KvType::f32 ? "F32" : kv == KvType::f16 ? "F16" : "Q8_0";
    return std::string(tensor::to_string(type)) + "_with_keys_in_" + kv_name;
}

/// All sixteen cuts of five layers, most of them uneven.
TEST(bits, are_the_same_for_every_cut) {
    const RandomModel model(tensor::DataType::q8_0);
    std::vector<TokenId> tokens;
    for (TokenId i = 0; i < 12; ++i) tokens.push_back((i * i * 31 + 7 * i) % 77);
    const std::vector<float> reference =
        logits_of(model.file, tokens, {.kernels = &tensor::scalar_kernels()});
    for (uint32_t places = 0; places < 16; ++places) {
        std::vector<LayerRange> cut = {{0, 5}};
        for (uint32_t layer = 1; layer < 5; ++layer) {
            if ((places >> (layer - 1) & 1) == 0) continue;
            cut.back().end = layer;
            cut.push_back({layer, 5});
        }
        ASSERT_EQ(logits_of(model.file, tokens, {.chunk = 5, .cut = cut}), reference)
            << show_cut(cut);
    }
}

INSTANTIATE_TEST_SUITE_P(
    of, BitMatrix,
    testing::Combine(testing::Values(tensor::DataType::f32, tensor::DataType::f16,
                                     tensor::DataType::q8_0, tensor::DataType::q4_k),
                     testing::Values(KvType::f32, KvType::f16, KvType::q8_0)),
    case_name);

}  // namespace
}  // namespace teetee::model
