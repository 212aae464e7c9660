// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include <gtest/gtest.h>

#include "crypto/hash.hpp"
#include "model/cut.hpp"
#include "model/sampler.hpp"
#include "model/shard_model.hpp"
#include "model/test_model.hpp"
#include "model/test_random_model.hpp"

namespace teetee::model {
namespace {

using tensor::DataType;

RequestId request(uint8_t number) {
    RequestId id;
    id.bytes[0] = number;
    return id;
}

struct Setting {
    const tensor::KernelSet* kernels = &tensor::best_kernels();
    size_t threads = 1;
    uint32_t shards = 1;
    size_t chunk = 512;
    bool with_batch_mates = false;
    std::optional<KvType> kv = std::nullopt;
};

/// Feeds tokens through the shards of a setting; all logits of the sequence, in order.
std::vector<float> logits_of(const Bytes& file, const std::vector<TokenId>& tokens,
                             const Setting& setting) {
    const auto gguf = Gguf::parse(file);
    EXPECT_TRUE(gguf) << gguf.error().message();
    const auto hyperparameters = hyperparameters_from(*gguf);
    EXPECT_TRUE(hyperparameters);
    std::vector<std::unique_ptr<ShardModel>> shards;
    const auto cut = even_cut(hyperparameters->layer_count, setting.shards);
    EXPECT_TRUE(cut);
    for (const LayerRange& layers : *cut) {
        ModelOptions options;
        options.layers = layers;
        options.kernels = setting.kernels;
        options.thread_count = setting.threads;
        options.kv_positions_max = 4096;
        options.kv_type = setting.kv;
        auto shard = ShardModel::load(*gguf, options);
        EXPECT_TRUE(shard) << shard.error().message();
        EXPECT_TRUE((*shard)->cache().open(request(1), static_cast<Position>(tokens.size())));
        EXPECT_TRUE((*shard)->cache().open(request(2), static_cast<Position>(tokens.size())));
        shards.push_back(std::move(shard).value());
    }
    const size_t width = hyperparameters->embedding_length;
    const size_t vocabulary = shards.back()->hyperparameters().vocabulary_size;
    std::vector<float> all;
    for (size_t begin = 0; begin < tokens.size(); begin += setting.chunk) {
        const size_t count = std::min(setting.chunk, tokens.size() - begin);
        std::vector<BatchRow> rows;
        std::vector<TokenId> inputs;
        if (setting.with_batch_mates) {
            // Another sequence, with other tokens, in front of ours.
            for (size_t i = 0; i < count; ++i) {
                rows.push_back({request(2), static_cast<Position>(begin + i)});
                inputs.push_back((tokens[begin + i] + 5) % 77);
            }
        }
        const size_t mates = rows.size();
        for (size_t i = 0; i < count; ++i) {
            rows.push_back({request(1), static_cast<Position>(begin + i)});
            inputs.push_back(tokens[begin + i]);
        }
        std::vector<float> hidden(rows.size() * width);
        EXPECT_TRUE(shards.front()->embed(inputs, hidden.data()));
        for (auto& shard : shards) EXPECT_TRUE(shard->forward(rows, hidden.data()));
        std::vector<float> logits(count * vocabulary);
        shards.back()->logits(hidden.data() + mates * width, count, logits.data());
        all.insert(all.end(), logits.begin(), logits.end());
    }
    return all;
}

std::string digest(const std::vector<float>& values) {
    return to_hex(
        crypto::sha256({reinterpret_cast<const uint8_t*>(values.data()), 4 * values.size()}));
}

std::vector<TokenId> some_tokens(size_t count) {
    std::vector<TokenId> tokens;
    for (size_t i = 0; i < count; ++i)
        tokens.push_back(static_cast<TokenId>((i * i * 31 + 7 * i) % 77));
    return tokens;
}

struct Pinned {
    DataType type;
    std::optional<KvType> kv;
    const char* sha256;
};

class Bits : public testing::TestWithParam<Pinned> {};

/// docs/numerics.md: whatever the kernel, threads, cut, chunks and batch mates. 300 positions go
/// beyond one segment of attention.
TEST_P(Bits, are_pinned_and_the_same_everywhere) {
    const Pinned& pinned = GetParam();
    const RandomModel model(pinned.type);
    const std::vector<TokenId> tokens = some_tokens(300);
    const std::vector<float> reference = logits_of(model.file, tokens, {.kv = pinned.kv});
    for (const float v : reference) ASSERT_TRUE(std::isfinite(v));
    EXPECT_EQ(digest(reference), pinned.sha256) << tensor::to_string(pinned.type);
    std::vector<Setting> settings = {{.threads = 3, .shards = 5, .chunk = 7},
                                     {.shards = 3, .chunk = 64, .with_batch_mates = true},
                                     {.threads = 2, .chunk = 13, .with_batch_mates = true},
                                     {.chunk = 1}};
    for (const tensor::KernelSet* kernels : tensor::available_kernels()) {
        settings.push_back({.kernels = kernels});
        settings.push_back({.kernels = kernels, .threads = 2, .shards = 2, .chunk = 29});
    }
    for (Setting& setting : settings) {
        setting.kv = pinned.kv;
        EXPECT_EQ(logits_of(model.file, tokens, setting), reference)
            << tensor::to_string(pinned.type) << " " << setting.kernels->name << " threads "
            << setting.threads << " shards " << setting.shards << " chunk " << setting.chunk;
    }
}

constexpr std::optional<KvType> by_weights;

INSTANTIATE_TEST_SUITE_P(
    types, Bits,
    testing::Values(Pinned{DataType::f32, by_weights,
                           "df8fb5656ce7005edfb16f46b9bd86d92ff22d2e96a960b68f3e413162b247bb"},
                    Pinned{DataType::f16, by_weights,
                           "8d395cf579c0ac04b5a0cacc09d8a764876cb34c89a1b64fbfa9d39af1c00f22"},
                    Pinned{DataType::bf16, by_weights,
                           "c65dac7dfd19051c4117a9a21079adca8fca951b7f96786fece7d8d1ad159f43"},
                    Pinned{DataType::q8_0, by_weights,
                           "87adbaaa058261461c392f4f4bf425480794266f19e0c3fb54d448354bac45f1"},
                    Pinned{DataType::q8_0, KvType::f32,
                           "ed2a0f506f779f657cf0c57eaedb7b080efdc9729d2041d5e391868a407ea030"},
                    Pinned{DataType::q8_0, KvType::q8_0,
                           "215e90d16c4cdf47decc04e031d6a5795e7cffac975ca64f680687b364ece52b"},
                    Pinned{DataType::q4_0, by_weights,
                           "f53a641bc88c217c5d2e7014525147bc597801a8050c56fd847b1db8a6956337"},
                    Pinned{DataType::q4_1, by_weights,
                           "7879105b32fcd61c227b50b25889658b213ff6d87410f1b3159bfff533e91169"},
                    Pinned{DataType::q5_0, by_weights,
                           "634fb348bd4e673fc2250c024523a745a4e828b7f00af49d0047e8a020bc615c"},
                    Pinned{DataType::q5_1, by_weights,
                           "5256081ebb98503a399cded10dd0ac8d9e5b84602d78d4cdd7f3d9a1fc0aec1e"},
                    Pinned{DataType::q2_k, by_weights,
                           "c188bc164593a807d21a94c886808a425d54f671da57a553bf4b2c94c8767c28"},
                    Pinned{DataType::q3_k, by_weights,
                           "a408a7f2609a57774dc66906bacc3a291a67103206ff1bf0946607d38c950bd0"},
                    Pinned{DataType::q4_k, by_weights,
                           "06a92f10638f665a15b9182df9eae4a855e02f9328627fd1dcccdae9d6d040c2"},
                    Pinned{DataType::q5_k, by_weights,
                           "c2b66488ed966e78282d5e5fe8611a59d7a124ba74b9ff214e97ec85f94d7971"},
                    Pinned{DataType::q6_k, by_weights,
                           "ce71ece7fe47946db1003259bd3ceb15a9f32f3a6711b15a6f62fb725acc49d0"}));

TEST(shard_model, refuses_a_bad_batch_and_changes_nothing) {
    const RandomModel random(DataType::q8_0);
    const auto gguf = Gguf::parse(random.file);
    ModelOptions options;
    options.kv_positions_max = 64;
    auto model = ShardModel::load(*gguf, options);
    ASSERT_TRUE(model);
    KvCache& cache = (*model)->cache();
    ASSERT_TRUE(cache.open(request(1), 4));
    std::vector<float> hidden(8 * 96);
    const auto try_rows = [&](std::vector<BatchRow> rows) {
        return (*model)->forward(rows, hidden.data());
    };
    EXPECT_EQ(try_rows({{request(9), 0}}).error().code, ErrorCode::sequence_unknown);
    EXPECT_EQ(try_rows({{request(1), 1}}).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(try_rows({{request(1), 0}, {request(1), 0}}).error().code,
              ErrorCode::invalid_argument);
    std::vector<BatchRow> long_rows;
    for (Position p = 0; p < 5; ++p) long_rows.push_back({request(1), p});
    EXPECT_EQ(try_rows(long_rows).error().code, ErrorCode::context_exceeded);
    EXPECT_EQ(*cache.length(request(1)), 0u);
    EXPECT_TRUE(try_rows({{request(1), 0}, {request(1), 1}}));
    EXPECT_EQ(*cache.length(request(1)), 2u);
    const TokenId foreign[] = {77};
    EXPECT_EQ((*model)->embed(foreign, hidden.data()).error().code, ErrorCode::token_out_of_range);
}

/// Keys and values of a retained page are those that would be computed anew.
TEST(shard_model, a_retained_prefix_changes_no_bit) {
    const RandomModel random(DataType::q8_0);
    const auto gguf = Gguf::parse(random.file);
    std::vector<TokenId> tokens;
    for (uint32_t i = 0; i < 100; ++i) tokens.push_back(i * i % 77);
    for (const KvType type : {KvType::f16, KvType::q8_0, KvType::f32}) {
        ModelOptions options;
        options.kv_positions_max = 320;
        options.kv_type = type;
        auto model = ShardModel::load(*gguf, options);
        ASSERT_TRUE(model);
        KvCache& cache = (*model)->cache();
        const auto logits_from = [&](uint8_t id, Position begin, Position end) {
            std::vector<BatchRow> rows;
            for (Position p = begin; p < end; ++p) rows.push_back({request(id), p});
            const std::span<const TokenId> inputs = std::span(tokens).subspan(begin, end - begin);
            std::vector<float> hidden(rows.size() * 96);
            EXPECT_TRUE((*model)->embed(inputs, hidden.data()));
            EXPECT_TRUE((*model)->forward(rows, hidden.data()));
            std::vector<float> logits(77);
            (*model)->logits(hidden.data() + (rows.size() - 1) * 96, 1, logits.data());
            return digest(logits);
        };
        ASSERT_TRUE(cache.open(request(1), 100));
        const std::string alone = logits_from(1, 0, 100);
        cache.retain(request(1), {.first = 1, .page_begin = 0, .page_end = 3});
        cache.close(request(1));
        for (const PrefixStart& start : {PrefixStart{1, 32}, {2, 64}, {3, 96}}) {
            const auto id = static_cast<uint8_t>(start.prefix + 1);
            ASSERT_TRUE(cache.open(request(id), 100, start));
            EXPECT_EQ(logits_from(id, start.positions, 100), alone);
        }
    }
}

TEST(shard_model, names_what_is_wrong_with_a_file) {
    const auto load = [](const Bytes& file) {
        const auto gguf = Gguf::parse(file);
        EXPECT_TRUE(gguf);
        return ShardModel::load(*gguf, {}).error();
    };
    GgufWriter writer;
    writer.string("general.architecture", "quantum");
    const Bytes file = written(writer);
    EXPECT_EQ(load(file).code, ErrorCode::architecture_unsupported);
    EXPECT_NE(load(file).detail.find("quantum"), std::string::npos);
}

/// Parameters and vocabularies that no model may have.
TEST(shard_model, rejects_the_malformed_files) {
    const std::filesystem::path folder =
        std::filesystem::path(TEETEE_SHARED_DATA) / "malformed/gguf";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with("p_") && !name.starts_with("t_shape")) continue;
        const Bytes file = read_file(entry.path());
        const auto gguf = Gguf::parse(file);
        if (!gguf) continue;
        ++count;
        EXPECT_FALSE(ShardModel::load(*gguf, {})) << name;
    }
    EXPECT_GE(count, 5u);
}

/// Raw logits of llama2.c, position by position.
TEST(shard_model, agrees_with_golden_logits) {
    const std::filesystem::path folder =
        std::filesystem::path(TEETEE_SHARED_DATA) / "models/stories260K";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
    const Bytes file = read_file(folder / "stories260K.gguf");
    const std::string text(as_text(read_file(folder / "golden_logits_once_upon.json")));
    // The file's form is fixed: "in": N ... "logits": [..] for each step.
    std::vector<TokenId> tokens;
    std::vector<float> golden;
    for (size_t at = text.find("\"in\": "); at != std::string::npos;
         at = text.find("\"in\": ", at + 1)) {
        tokens.push_back(static_cast<TokenId>(std::strtoul(text.c_str() + at + 6, nullptr, 10)));
        const char* number = text.c_str() + text.find("\"logits\": [", at) + 11;
        while (true) {
            char* end = nullptr;
            golden.push_back(std::strtof(number, &end));
            if (*end != ',') break;
            number = end + 1;
        }
    }
    ASSERT_EQ(tokens.size(), 40u);
    const std::vector<float> logits = logits_of(file, tokens, {});
    ASSERT_EQ(logits.size(), golden.size());
    float worst = 0;
    for (size_t i = 0; i < logits.size(); ++i)
        worst = std::max(worst, std::fabs(logits[i] - golden[i]));
    EXPECT_LE(worst, 2e-4F);
}

}  // namespace
}  // namespace teetee::model
