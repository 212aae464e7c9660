// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "cli/model_file.hpp"

namespace teetee::cli {

/// Several sequences that advance together through the shards of one process: what continuous
/// batching does to the engine, without a network.
class LocalBatch {
  public:
    struct Size {
        size_t streams = 1;
        Position positions = 0;  // of each stream
    };
    /// Error: context_exceeded, and those of loading.
    static Result<LocalBatch> load(const ModelFile& file, const ComputeOptions& options,
                                   size_t shard_count, Size size);

    size_t vocabulary_size() const { return shards_.back()->hyperparameters().vocabulary_size; }
    /// Of all shards, for every position they were loaded for.
    uint64_t kv_bytes() const { return kv_bytes_; }

    /// Closes what was open and opens `streams` empty sequences.
    Result<void> begin(size_t streams, Position positions);
    /// Tokens of one sequence, in chunks of at most chunk_rows; logits of the last: (vocabulary).
    Result<std::span<const float>> feed(size_t stream, std::span<const TokenId> tokens);
    /// One token of every sequence; logits: (streams, vocabulary).
    Result<std::span<const float>> step(std::span<const TokenId> tokens);

  private:
    static constexpr size_t chunk_rows = 512;

    Result<void> forward(std::span<const model::BatchRow> rows, std::span<const TokenId> tokens);
    std::span<const float> logits(size_t first_row, size_t row_count);

    std::vector<std::unique_ptr<model::ShardModel>> shards_;
    std::vector<Position> lengths_;
    uint64_t kv_bytes_ = 0;
    std::vector<float> hidden_;
    std::vector<float> logits_;
};

}  // namespace teetee::cli
