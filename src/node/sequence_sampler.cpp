// SPDX-License-Identifier: Apache-2.0
#include "node/sequence_sampler.hpp"

#include <cmath>

namespace teetee::node {
namespace {

/// In one order, so that every tail gives the same bits (docs/numerics.md). The mean is the sum but
/// for its length.
std::vector<float> of_length_one(const std::vector<float>& values) {
    double square = 0;
    for (const float value : values)
        square += static_cast<double>(value) * static_cast<double>(value);
    const double length = std::sqrt(square);
    std::vector<float> out;
    out.reserve(values.size());
    for (const float value : values)
        out.push_back(length > 0 ? static_cast<float>(static_cast<double>(value) / length) : 0.0F);
    return out;
}

}  // namespace

SequenceSampler::SequenceSampler(Sequence sequence)
    : sequence_(std::move(sequence)),
      answer_begin_(sequence_.options.answer_begin(sequence_.prompt_positions)),
      history_(sequence_.options, answer_begin_) {}

Result<SequenceSampler> SequenceSampler::open(
    Sequence sequence, std::shared_ptr<const model::ConstraintVocabulary> vocabulary) {
    SequenceSampler sampler(std::move(sequence));
    const Constraint& constraint = sampler.sequence_.options.constraint;
    if (constraint.kind == ConstraintKind::none) return sampler;
    if (vocabulary == nullptr)
        return fail(ErrorCode::unsupported, "sampler: a constraint needs the model's vocabulary");
    TT_TRY(sampler.constraint_, model::ConstraintMask::begin(constraint, std::move(vocabulary)));
    return sampler;
}

Result<void> SequenceSampler::push(const pipeline::EngineRow& row) {
    if (!sequence_.options.needs_tokens()) return {};
    if (!row.token) return fail(ErrorCode::message_unexpected, "sampler: a row without its token");
    if (sequence_.options.has_penalties()) history_.push(*row.token);
    const bool is_answer = row.position >= answer_begin_;
    return constraint_ && is_answer ? constraint_->push(*row.token) : Result<void>();
}

void SequenceSampler::pool(std::span<const float> normed) {
    if (pooling() == Pooling::last || pooled_.empty()) {
        pooled_.assign(normed.begin(), normed.end());
        return;
    }
    for (size_t i = 0; i < normed.size(); ++i) pooled_[i] += normed[i];
}

Result<pipeline::SampledToken> SequenceSampler::sample(std::span<const float> logits,
                                                       const pipeline::EngineRow& row,
                                                       model::Sampler& sampler,
                                                       grammar::MaskBudget& masks) {
    const model::TokenMask* allowed = nullptr;
    if (constraint_) {
        TT_TRY(allowed, constraint_->allowed(masks));
    }
    const SamplingOptions& options = sequence_.options;
    pipeline::SampledToken out{.request = row.request, .position = row.position};
    out.token = sampler.sample(
        logits, options, {.position = row.position, .history = &history_, .allowed = allowed});
    if (options.logprobs)
        out.logprobs = model::logprobs_of(logits, out.token, options.top_logprobs);
    if (row.position + 1 == sequence_.prompt_positions) out.embedding = of_length_one(pooled_);
    return out;
}

}  // namespace teetee::node
