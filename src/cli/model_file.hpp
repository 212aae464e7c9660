// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/kv_options.hpp"
#include "cli/weights_cache.hpp"
#include "model/gguf.hpp"
#include "model/shard_model.hpp"
#include "model/tokenizer.hpp"
#include "net/file.hpp"

namespace teetee::cli {

/// A GGUF file that stays mapped as long as its index is used.
struct ModelFile {
    std::unique_ptr<net::MappedFile> mapping;
    model::Gguf gguf;
    net::File file;

    static Result<ModelFile> open(const std::string& path);
    Result<model::Tokenizer> tokenizer() const;
};

/// The flags of every command that computes.
struct ComputeOptions {
    std::string model;
    std::string kernel = "auto";
    size_t threads = 0;  // 0: as many as the machine has
    KvOptions kv;
    WeightsCacheOption weights_cache;

    void add_to(CLI::App& command);
    size_t thread_count() const;
};

/// Error: context_exceeded, where a sequence of so many positions is longer than the model's
/// context.
Result<void> ensure_context(const model::Hyperparameters& hyperparameters, Position positions);

/// The shards of a cut; kv_positions_max of each shard.
Result<std::vector<std::unique_ptr<model::ShardModel>>> load_shards(const ModelFile& file,
                                                                    const ComputeOptions& options,
                                                                    std::span<const LayerRange> cut,
                                                                    Position kv_positions_max);
/// The same for an even cut; shard_count >= 1.
Result<std::vector<std::unique_ptr<model::ShardModel>>> load_shards(const ModelFile& file,
                                                                    const ComputeOptions& options,
                                                                    size_t shard_count,
                                                                    Position kv_positions_max);

/// The shards of one model in one process, as a route of many nodes would run them: the hidden
/// states pass from one to the next. One sequence at a time.
class LocalRoute {
  public:
    /// kv_positions_max of each shard; shard_count >= 1. Error besides those of loading:
    /// kv_cache_full, if the positions need more memory than the options give.
    static Result<LocalRoute> load(const ModelFile& file, const ComputeOptions& options,
                                   size_t shard_count, Position kv_positions_max);
    static Result<LocalRoute> load(const ModelFile& file, const ComputeOptions& options,
                                   std::span<const LayerRange> cut, Position kv_positions_max);

    const model::Hyperparameters& hyperparameters() const {
        return shards_.front()->hyperparameters();
    }
    size_t vocabulary_size() const { return shards_.back()->hyperparameters().vocabulary_size; }

    /// Starts a new sequence for up to `positions` tokens.
    Result<void> begin(Position positions);

    /// The sequence goes on with these tokens. logits: of every token (tokens, vocabulary), or of
    /// the last one alone.
    enum class Wanted { every_position, last_position };
    Result<std::vector<float>> feed(std::span<const TokenId> tokens, Wanted wanted);

    Position position() const { return position_; }

    /// Sees what feed() passes on: `hidden` (tokens, embedding_length) goes into layer `layer`.
    /// Before layer 0 learned positions are not yet in it.
    using Observer = std::function<void(uint32_t layer, std::span<const float> hidden)>;
    void observe(Observer observer) { observer_ = std::move(observer); }

    /// How rows travel from one shard to the next; the observer sees them before.
    void set_format(ActivationFormat format) { format_ = format; }

  private:
    std::vector<std::unique_ptr<model::ShardModel>> shards_;
    Observer observer_;
    ActivationFormat format_ = ActivationFormat::f32;
    RequestId request_{};
    Position position_ = 0;
};

}  // namespace teetee::cli
