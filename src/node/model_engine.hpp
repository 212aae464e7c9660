// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "model/shard_model.hpp"
#include "node/sequence_sampler.hpp"
#include "pipeline/engine.hpp"

namespace teetee::node {

/// Fits a ShardModel to the pipeline's compute boundary.
class ModelEngine final : public pipeline::StageEngine {
  public:
    struct Limits {
        uint32_t rows_max = 512;
        uint32_t sequences_max = 256;
        uint64_t positions_max = 0;
    };

    /// `vocabulary`: on the tail, for sequences with a constraint.
    ModelEngine(std::unique_ptr<model::ShardModel> model, Limits limits,
                std::shared_ptr<const model::ConstraintVocabulary> vocabulary = nullptr);

    pipeline::EngineLimits limits() const override;
    pipeline::ComputeResult compute(pipeline::ComputeJob job) override;

  private:
    void change(const pipeline::PrefixChanges& prefixes);
    void open(const pipeline::SequenceOpen& sequence, pipeline::ComputeResult& result);
    /// The indices of the rows that can be computed; the others' sequences go into the failures.
    std::vector<size_t> admit(const pipeline::ComputeJob& job, pipeline::ComputeResult& result);
    void pool(const pipeline::ComputeJob& job, const std::vector<size_t>& admitted);
    void sample(const pipeline::ComputeJob& job, const std::vector<size_t>& admitted,
                pipeline::ComputeResult& result);
    Result<void> sample_row(const pipeline::EngineRow& row, std::span<const float> logits,
                            grammar::MaskBudget& masks, pipeline::ComputeResult& result);

    std::unique_ptr<model::ShardModel> model_;
    Limits limits_;
    std::shared_ptr<const model::ConstraintVocabulary> vocabulary_;
    std::map<RequestId, SequenceSampler> samplers_;  // on the tail
    model::Sampler sampler_;
    std::vector<float> hidden_;
    std::vector<float> normed_;
    std::vector<float> logits_;
};

}  // namespace teetee::node
