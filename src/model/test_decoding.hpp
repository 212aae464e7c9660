// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "crypto/hash.hpp"
#include "model/cut.hpp"
#include "model/shard.hpp"
#include "model/shard_model.hpp"
#include "model/test_model.hpp"

// Running a model as one file or as the files of its shards, in every way that must not matter.
namespace teetee::model {

/// What else is in a batch: nothing, as many rows of another sequence in front, or one row behind.
enum class Mates { none, in_front, behind };

struct Setting {
    const tensor::KernelSet* kernels = &tensor::best_kernels();
    size_t threads = 1;
    uint32_t shards = 1;
    size_t chunk = 512;
    Mates mates = Mates::none;
    std::optional<KvType> kv = std::nullopt;
    /// Instead of an even cut into `shards`.
    std::vector<LayerRange> cut{};
};

inline std::string digest(const std::vector<float>& values) {
    return to_hex(
        crypto::sha256({reinterpret_cast<const uint8_t*>(values.data()), 4 * values.size()}));
}

/// The files that `teetee shard` would write.
inline std::vector<Bytes> cut_files(const Bytes& file, std::span<const LayerRange> cut) {
    const auto gguf = Gguf::parse(file);
    EXPECT_TRUE(gguf);
    const auto manifest = build_manifest(*gguf, cut);
    EXPECT_TRUE(manifest);
    std::vector<Bytes> files(cut.size());
    for (uint32_t i = 0; i < cut.size(); ++i)
        EXPECT_TRUE(cut_shard(*gguf, *manifest, i, append_to(files[i])));
    return files;
}

inline std::vector<Bytes> cut_files(const Bytes& file, uint32_t shard_count) {
    const auto gguf = Gguf::parse(file);
    EXPECT_TRUE(gguf);
    const auto layer_count = layer_count_of(*gguf);
    EXPECT_TRUE(layer_count);
    const auto cut = even_cut(*layer_count, shard_count);
    EXPECT_TRUE(cut);
    return cut_files(file, *cut);
}

/// The shards of one model in one process, with two sequences open.
class Pipeline {
  public:
    Pipeline(const Bytes& file, const Setting& setting, size_t positions) {
        const std::vector<Bytes> files = !setting.cut.empty()  ? cut_files(file, setting.cut)
                                         : setting.shards == 1 ? std::vector<Bytes>{file}
                                                               : cut_files(file, setting.shards);
        for (const Bytes& shard_file : files) {
            const auto gguf = Gguf::parse(shard_file);
            EXPECT_TRUE(gguf) << gguf.error().message();
            ModelOptions options;
            options.kernels = setting.kernels;
            options.thread_count = setting.threads;
            options.kv_positions_max = 4096;
            options.kv_type = setting.kv;
            auto shard = ShardModel::load(*gguf, options);
            EXPECT_TRUE(shard) << shard.error().message();
            for (const RequestId& id : {ours, mate})
                EXPECT_TRUE((*shard)->cache().open(id, static_cast<Position>(positions)));
            shards_.push_back(std::move(shard).value());
        }
    }

    static constexpr RequestId ours{{1}};
    static constexpr RequestId mate{{2}};

    size_t vocabulary_size() const { return shards_.back()->hyperparameters().vocabulary_size; }

    /// Logits of `count` rows from `first` on.
    std::vector<float> run(const std::vector<BatchRow>& rows, const std::vector<TokenId>& tokens,
                           size_t first, size_t count) {
        const size_t width = shards_.front()->embedding_length();
        std::vector<float> hidden(rows.size() * width);
        EXPECT_TRUE(shards_.front()->embed(tokens, hidden.data()));
        const auto last_row = [&] {
            return std::vector<float>(hidden.end() - static_cast<ptrdiff_t>(width), hidden.end());
        };
        last_residuals_ = {last_row()};
        for (auto& shard : shards_) {
            EXPECT_TRUE(shard->forward(rows, hidden.data()));
            last_residuals_.push_back(last_row());
        }
        std::vector<float> logits(count * vocabulary_size());
        shards_.back()->logits(hidden.data() + first * width, count, logits.data());
        return logits;
    }

    /// The last row's hidden state before the first shard and after each.
    const std::vector<std::vector<float>>& last_residuals() const { return last_residuals_; }

  private:
    std::vector<std::unique_ptr<ShardModel>> shards_;
    std::vector<std::vector<float>> last_residuals_;
};

/// Feeds tokens through the shards of a setting; all logits of the sequence, in order.
inline std::vector<float> logits_of(const Bytes& file, const std::vector<TokenId>& tokens,
                                    const Setting& setting = {}) {
    Pipeline pipeline(file, setting, tokens.size());
    const size_t vocabulary = pipeline.vocabulary_size();
    std::vector<float> all;
    for (size_t begin = 0; begin < tokens.size(); begin += setting.chunk) {
        const size_t count = std::min(setting.chunk, tokens.size() - begin);
        std::vector<BatchRow> rows;
        std::vector<TokenId> inputs;
        const auto add = [&](const RequestId& id, size_t position, size_t shift) {
            rows.push_back({id, static_cast<Position>(position)});
            inputs.push_back(static_cast<TokenId>((tokens[position] + shift) % vocabulary));
        };
        const size_t first = setting.mates == Mates::in_front ? count : 0;
        for (size_t i = 0; i < first; ++i) add(Pipeline::mate, begin + i, 5);
        for (size_t i = 0; i < count; ++i) add(Pipeline::ours, begin + i, 0);
        if (setting.mates == Mates::behind) add(Pipeline::mate, begin / setting.chunk, 5);
        const std::vector<float> logits = pipeline.run(rows, inputs, first, count);
        all.insert(all.end(), logits.begin(), logits.end());
    }
    return all;
}

/// Writes a model of F32 tensors whose data it keeps.
class F32Model {
  public:
    GgufWriter writer;

    /// `dimensions` as in a GGUF: the contiguous one first.
    void tensor(const std::string& name, std::vector<uint64_t> dimensions,
                const std::vector<float>& values) {
        names_.push_back(std::make_unique<std::string>(name));
        const auto* bytes = reinterpret_cast<const uint8_t*>(values.data());
        data_.push_back(std::make_unique<Bytes>(bytes, bytes + 4 * values.size()));
        writer.tensor(
            {*names_.back(), std::move(dimensions), tensor::DataType::f32, 0, data_.back()->size()},
            *data_.back());
    }

  private:
    std::vector<std::unique_ptr<std::string>> names_;
    std::vector<std::unique_ptr<Bytes>> data_;
};

}  // namespace teetee::model
