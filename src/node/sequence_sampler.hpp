// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "model/constraint_mask.hpp"
#include "pipeline/engine.hpp"

namespace teetee::node {

/// Picks the tokens of one sequence on the tail: its options, and what they need to know of the
/// tokens so far. What it picks is a function of options, tokens, position and logits.
class SequenceSampler {
  public:
    struct Sequence {
        SamplingOptions options{};
        Position prompt_positions = 0;
    };

    /// `vocabulary` may be null where the sequence has no constraint. Errors: unsupported,
    /// grammar_invalid, grammar_too_complex.
    static Result<SequenceSampler> open(
        Sequence sequence, std::shared_ptr<const model::ConstraintVocabulary> vocabulary);

    /// A row of the sequence, in order: its token comes to the history if the options need it.
    /// Errors: message_unexpected where it is missing, grammar_stuck, grammar_too_complex.
    Result<void> push(const pipeline::EngineRow& row);

    Pooling pooling() const { return sequence_.options.pooling; }
    /// Of a sequence with pooling: what the output head reads of the row pushed last.
    void pool(std::span<const float> normed);

    /// The token behind the row pushed last, with log-probabilities if they are asked for.
    /// `masks`: of the batch. Errors: grammar_stuck, grammar_too_complex.
    Result<pipeline::SampledToken> sample(std::span<const float> logits,
                                          const pipeline::EngineRow& row, model::Sampler& sampler,
                                          grammar::MaskBudget& masks);

  private:
    explicit SequenceSampler(Sequence sequence);

    Sequence sequence_;
    Position answer_begin_;
    model::TokenHistory history_;
    std::optional<model::ConstraintMask> constraint_;
    /// Their sum, position by position, or the last one.
    std::vector<float> pooled_;
};

}  // namespace teetee::node
