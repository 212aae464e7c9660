// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "model/blocks.hpp"
#include "model/decoder.hpp"

namespace teetee::model {

struct ModelOptions {
    /// Which layers to load from a whole model; absent: all that the file holds.
    std::optional<LayerRange> layers;
    const tensor::KernelSet* kernels = &tensor::best_kernels();
    size_t thread_count = 1;
    /// Positions of KV cache for all sequences together.
    Position kv_positions_max = 0;
    /// How keys and values are stored; absent: F16, and F32 in layers whose own weights are F32.
    std::optional<KvType> kv_type;
    Progress progress;
    /// Without a file the tensors are in the memory that was indexed.
    WeightSource weights;
    /// Of these layers of this file; null: none. What it says afterwards is for the caller to tell.
    PackedCache* cache = nullptr;
};

/// How a shard loaded with these options keeps keys and values. Errors: of ShardModel::load.
Result<KvShape> kv_shape_of(const Gguf& gguf, const ModelOptions& options);

/// A row of a batch: the next position of an open sequence.
struct BatchRow {
    RequestId request;
    Position position = 0;
};

/// A contiguous layer range of a model, ready to compute: the embedding when it begins at layer 0,
/// the output head when it ends at the last. A whole model is the range of all layers, so one
/// process and many run the same code. One caller at a time.
class ShardModel {
  public:
    /// Copies what it needs: neither `gguf` nor the file behind it is used afterwards.
    static Result<std::unique_ptr<ShardModel>> load(const Gguf& gguf, const ModelOptions& options);

    /// Writes the weights into the cache they were loaded with, unless they came from it. Errors:
    /// those of PackedCache::keep.
    Result<void> keep_packed(PackedCache& cache) { return cache.keep(pool_); }

    const Hyperparameters& hyperparameters() const { return hyperparameters_; }
    LayerRange layers() const { return layers_; }
    bool is_first() const { return layers_.begin == 0; }
    bool is_last() const { return layers_.end == hyperparameters_.layer_count; }
    size_t embedding_length() const { return hyperparameters_.embedding_length; }
    KvCache& cache() { return cache_; }

    /// First shard only. hidden: (tokens, embedding_length). Learned positions are not in it:
    /// forward() adds them. Error: token_out_of_range.
    Result<void> embed(std::span<const TokenId> tokens, float* hidden) const;

    /// Runs the layers over hidden (rows, embedding_length) in place and stores keys and values.
    /// Rows of one sequence stand together, in order, and go on where the sequence ended. Nothing
    /// changes on error: sequence_unknown, context_exceeded, invalid_argument.
    Result<void> forward(std::span<const BatchRow> rows, float* hidden);

    /// Last shard only. logits: (row_count, vocabulary_size).
    void logits(const float* hidden, size_t row_count, float* logits);
    /// Last shard only. A row as the output head reads it: (embedding_length).
    void normalise_output(const float* hidden, float* out) const;

  private:
    ShardModel(Hyperparameters hyperparameters, LayerRange layers, KvShape kv_shape,
               const ModelOptions& options);
    Result<void> load_weights(const Gguf& gguf, const ModelOptions& options);
    Result<void> load_embedding(const Gguf& gguf, WeightLoader& loader);
    Result<void> load_output(const Gguf& gguf, WeightLoader& loader);
    Result<void> take_positions(std::span<const BatchRow> rows);
    void add_learned_positions(std::span<const BatchRow> rows, float* hidden);

    Hyperparameters hyperparameters_;
    LayerRange layers_;
    const tensor::KernelSet& kernels_;
    tensor::ThreadPool pool_;
    KvCache cache_;
    Table embedding_;  // empty where output_ is the same matrix and its rows can be had from it
    Table positions_;  // learned ones; empty where positions are rotated
    std::unique_ptr<Decoder> decoder_;
    Norm output_norm_;
    tensor::PackedMatrix output_;
    tensor::Activations activations_;
    std::vector<float> normed_;
    // Of the batch at hand; kept so that a step allocates nothing.
    std::vector<RequestId> sequences_;
    std::vector<DecoderRow> decoder_rows_;
};

}  // namespace teetee::model
