// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/kv_budget.hpp"
#include "model/sampler.hpp"
#include "model/shard_model.hpp"
#include "model/vocabulary.hpp"
#include "pipeline/engine.hpp"

namespace teetee::node {

struct DraftModelOptions {
    /// A GGUF file of a whole model; empty: there is none.
    std::string path{};
    std::string kernel = "auto";
    size_t threads = 1;
    model::KvBudget kv_budget{};
    /// Tokens of a text that one job takes in.
    size_t rows_max = 512;
};

/// A small model that says how texts may go on, in a process that serves a part of a large one. It
/// draws each token as the large model's tail does, with the same random number; so one that agrees
/// with it says the same token at any temperature. One caller at a time.
class DraftModel {
  public:
    /// `served`: the large model's vocabulary, which the small one MUST have token by token.
    /// Errors: config_invalid, those of the file and of model::ShardModel::load.
    static Result<std::unique_ptr<DraftModel>> load(const DraftModelOptions& options,
                                                    const model::Vocabulary& served);

    /// Takes in what is new of the text, at most rows_max tokens of it, and draws on if that is
    /// all. A text for which there is no room, or that the model cannot compute, gets an answer
    /// without tokens; a job without text gets none.
    std::optional<pipeline::DraftResult> draft(const pipeline::DraftJob& job);

    /// Of its KV cache, for all texts together.
    Position positions_free() const { return model_->cache().positions_free(); }

  private:
    DraftModel(std::unique_ptr<model::ShardModel> model, size_t rows_max)
        : model_(std::move(model)), rows_max_(rows_max) {}
    Result<bool> draw(const pipeline::DraftJob& job, std::vector<TokenId>& tokens);
    Result<void> go_back(const pipeline::DraftJob& job);
    Result<void> compute(const RequestId& request, std::span<const TokenId> tokens);
    void close(const RequestId& request);

    std::unique_ptr<model::ShardModel> model_;
    size_t rows_max_;
    model::Sampler sampler_;
    /// What the cache has keys and values of.
    std::map<RequestId, std::vector<TokenId>> texts_;
    std::vector<float> hidden_;
    std::vector<float> logits_;
};

}  // namespace teetee::node
