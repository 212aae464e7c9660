// SPDX-License-Identifier: Apache-2.0
#include "node/model_engine.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>

#include "base/assert.hpp"

// Activations travel as little-endian F32: on this host a copy.
static_assert(std::endian::native == std::endian::little);

namespace teetee::node {

using pipeline::ComputeJob;
using pipeline::ComputeResult;

ModelEngine::ModelEngine(std::unique_ptr<model::ShardModel> model, Limits limits,
                         std::shared_ptr<const model::ConstraintVocabulary> vocabulary)
    : model_(std::move(model)), limits_(limits), vocabulary_(std::move(vocabulary)) {}

pipeline::EngineLimits ModelEngine::limits() const {
    const model::Hyperparameters& h = model_->hyperparameters();
    return {.layers = model_->layers(),
            .layer_count = h.layer_count,
            .width = h.embedding_length,
            .vocabulary_size = h.vocabulary_size,
            .rows_max = limits_.rows_max,
            .sequences_max = limits_.sequences_max,
            .sequence_positions_max = h.context_length,
            .positions_max = limits_.positions_max,
            .block_positions = tensor::page_positions};
}

void ModelEngine::open(const pipeline::SequenceOpen& sequence, ComputeResult& result) {
    auto opened = model_->cache().open(sequence.request, sequence.positions_max, sequence.start);
    if (!opened) {
        result.failures.push_back({sequence.request, std::move(opened).error()});
        return;
    }
    if (!model_->is_last()) return;
    auto sampler =
        SequenceSampler::open({sequence.sampling, sequence.prompt_positions}, vocabulary_);
    if (!sampler) {
        result.failures.push_back({sequence.request, std::move(sampler).error()});
        return;
    }
    samplers_.insert_or_assign(sequence.request, std::move(sampler).value());
}

void ModelEngine::change(const pipeline::PrefixChanges& prefixes) {
    model::KvCache& cache = model_->cache();
    for (const auto& [request, span] : prefixes.retains) cache.retain(request, span);
    for (const PrefixId prefix : prefixes.drops) cache.drop(prefix);
}

std::vector<size_t> ModelEngine::admit(const ComputeJob& job, ComputeResult& result) {
    std::set<RequestId> failed;
    for (const auto& failure : result.failures) failed.insert(failure.request);
    const auto give_up = [&](const RequestId& request, Error error) {
        if (failed.insert(request).second) result.failures.push_back({request, std::move(error)});
    };
    std::map<RequestId, Position> next;
    for (size_t i = 0; i < job.rows.size(); ++i) {
        const pipeline::EngineRow& row = job.rows[i];
        const Position* length = model_->cache().length(row.request);
        if (length == nullptr) {
            give_up(row.request, fail(ErrorCode::sequence_unknown, "no such sequence is open"));
            continue;
        }
        const auto [at, is_first] = next.try_emplace(row.request, *length);
        Position& expected = at->second;
        if (is_first && row.position < expected) {
            if (auto rewound = model_->cache().rewind(row.request, row.position); !rewound) {
                give_up(row.request, std::move(rewound).error());
                continue;
            }
            expected = row.position;
        }
        if (row.position != expected || expected >= model_->cache().positions_max(row.request)) {
            give_up(row.request,
                    fail(ErrorCode::context_exceeded, "position out of order or range"));
            continue;
        }
        const TokenId vocabulary_size = model_->hyperparameters().vocabulary_size;
        if (model_->is_first() && job.tokens[i] >= vocabulary_size) {
            give_up(row.request,
                    fail(ErrorCode::token_out_of_range, "token is not in the vocabulary"));
            continue;
        }
        ++expected;
    }
    std::vector<size_t> admitted;
    for (size_t i = 0; i < job.rows.size(); ++i) {
        if (!failed.contains(job.rows[i].request)) admitted.push_back(i);
    }
    // Rows of one sequence stand together for the model; the results keep the job's order.
    return admitted;
}

ComputeResult ModelEngine::compute(ComputeJob job) {
    ComputeResult result;
    result.batch_id = job.batch_id;
    change(job.prefixes);
    for (const RequestId& request : job.closes) {
        model_->cache().close(request);
        samplers_.erase(request);
    }
    for (const pipeline::SequenceOpen& sequence : job.opens) open(sequence, result);
    TT_ASSERT(!model_->is_first() || job.tokens.size() == job.rows.size());
    const std::vector<size_t> admitted = admit(job, result);
    if (admitted.empty()) return result;

    const size_t width = model_->embedding_length();
    hidden_.resize(admitted.size() * width);
    std::vector<model::BatchRow> rows;
    std::vector<TokenId> tokens;
    for (const size_t i : admitted) {
        rows.push_back({job.rows[i].request, job.rows[i].position});
        if (model_->is_first()) {
            tokens.push_back(job.tokens[i]);
        } else {
            std::memcpy(hidden_.data() + (rows.size() - 1) * width,
                        job.activations.data() + i * width * sizeof(float), width * sizeof(float));
        }
    }
    auto done = model_->is_first() ? model_->embed(tokens, hidden_.data()) : Result<void>();
    if (done) done = model_->forward(rows, hidden_.data());
    if (!done) {
        std::set<RequestId> failed;
        for (const model::BatchRow& row : rows) {
            if (failed.insert(row.request).second)
                result.failures.push_back({row.request, done.error()});
        }
        return result;
    }
    if (model_->is_last()) {
        sample(job, admitted, result);
    } else {
        const auto* bytes = reinterpret_cast<const uint8_t*>(hidden_.data());
        result.activations.assign(bytes, bytes + hidden_.size() * sizeof(float));
    }
    return result;
}

/// Every row counts, not only those that a token is wanted from.
void ModelEngine::pool(const ComputeJob& job, const std::vector<size_t>& admitted) {
    const size_t width = model_->embedding_length();
    for (size_t at = 0; at < admitted.size(); ++at) {
        const auto found = samplers_.find(job.rows[admitted[at]].request);
        if (found == samplers_.end() || found->second.pooling() == Pooling::none) continue;
        normed_.resize(width);
        model_->normalise_output(hidden_.data() + at * width, normed_.data());
        found->second.pool(normed_);
    }
}

void ModelEngine::sample(const ComputeJob& job, const std::vector<size_t>& admitted,
                         ComputeResult& result) {
    const size_t width = model_->embedding_length();
    pool(job, admitted);
    size_t wanted = 0;
    for (size_t at = 0; at < admitted.size(); ++at) {
        if (!job.rows[admitted[at]].wants_token) continue;
        // Rows move to the front one by one; they are never overtaken.
        std::memmove(hidden_.data() + wanted++ * width, hidden_.data() + at * width,
                     width * sizeof(float));
    }
    const size_t vocabulary = model_->hyperparameters().vocabulary_size;
    logits_.resize(wanted * vocabulary);
    if (wanted > 0) model_->logits(hidden_.data(), wanted, logits_.data());
    size_t at = 0;
    grammar::MaskBudget masks(wanted);
    std::set<RequestId> failed;
    for (const size_t i : admitted) {
        const pipeline::EngineRow& row = job.rows[i];
        std::span<const float> logits;
        if (row.wants_token) logits = {logits_.data() + at++ * vocabulary, vocabulary};
        if (failed.contains(row.request)) continue;
        if (auto done = sample_row(row, logits, masks, result); !done) {
            failed.insert(row.request);
            samplers_.erase(row.request);
            result.failures.push_back({row.request, std::move(done).error()});
        }
    }
    std::erase_if(result.tokens, [&](const auto& token) { return failed.contains(token.request); });
}

Result<void> ModelEngine::sample_row(const pipeline::EngineRow& row, std::span<const float> logits,
                                     grammar::MaskBudget& masks, ComputeResult& result) {
    const auto found = samplers_.find(row.request);
    if (found == samplers_.end())
        return fail(ErrorCode::sequence_unknown, "the sequence has failed before");
    TT_CHECK(found->second.push(row));
    if (!row.wants_token) return {};
    auto token = found->second.sample(logits, row, sampler_, masks);
    if (!token) return std::move(token).error();
    result.tokens.push_back(std::move(token).value());
    return {};
}

}  // namespace teetee::node
