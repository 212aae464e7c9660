// SPDX-License-Identifier: Apache-2.0
#include "node/draft_model.hpp"

#include <algorithm>

#include "model/hyperparameters.hpp"
#include "node/shard_file.hpp"

namespace teetee::node {
namespace {

Result<void> ensure_same(const model::Vocabulary& own, const model::Vocabulary& served) {
    if (own.tokens.size() != served.tokens.size()) {
        return fail(ErrorCode::config_invalid,
                    "draft model: have " + std::to_string(own.tokens.size()) +
                        " tokens, need the served model's " + std::to_string(served.tokens.size()));
    }
    const auto differing = std::ranges::mismatch(own.tokens, served.tokens, {}, &model::Token::text,
                                                 &model::Token::text);
    if (differing.in1 == own.tokens.end()) return {};
    return fail(ErrorCode::config_invalid,
                "draft model: token " + std::to_string(differing.in1 - own.tokens.begin()) +
                    " is not the served model's, need the same vocabulary");
}

}  // namespace

Result<std::unique_ptr<DraftModel>> DraftModel::load(const DraftModelOptions& options,
                                                     const model::Vocabulary& served) {
    TT_TRY(const auto file, ShardFile::open(options.path));
    TT_TRY(const auto vocabulary, model::vocabulary_from(file.gguf));
    TT_CHECK(ensure_same(vocabulary, served));
    model::ModelOptions model_options;
    TT_TRY(model_options.kernels, tensor::kernels_named(options.kernel));
    model_options.thread_count = options.threads;
    model_options.weights.file = &file.file;
    TT_TRY(const auto hyperparameters, model::hyperparameters_from(file.gguf));
    TT_CHECK(model::ensure_fits(vocabulary, hyperparameters));
    TT_TRY(const auto kv_shape, model::kv_shape_of(file.gguf, model_options));
    TT_TRY(const auto kv,
           model::plan_kv(kv_shape, hyperparameters.context_length, options.kv_budget));
    model_options.kv_positions_max = kv.positions;
    TT_TRY(auto model, model::ShardModel::load(file.gguf, model_options));
    if (!model->is_first() || !model->is_last()) {
        return fail(ErrorCode::config_invalid,
                    options.path + ": have a shard, need a whole model to draft with");
    }
    return std::unique_ptr<DraftModel>(new DraftModel(std::move(model), options.rows_max));
}

std::optional<pipeline::DraftResult> DraftModel::draft(const pipeline::DraftJob& job) {
    for (const RequestId& request : job.closes) close(request);
    if (job.text.empty()) return std::nullopt;
    pipeline::DraftResult result{.request = job.request, .place = job.text.size()};
    const auto is_ready = draw(job, result.tokens);
    if (!is_ready) close(job.request);
    result.is_ready = is_ready && *is_ready;
    result.is_refused = !is_ready;
    return result;
}

/// Whether all of the text is there, and how it may go on.
Result<bool> DraftModel::draw(const pipeline::DraftJob& job, std::vector<TokenId>& tokens) {
    TT_CHECK(go_back(job));
    std::vector<TokenId>& known = texts_[job.request];
    const auto left = std::span(job.text).subspan(known.size());
    TT_CHECK(compute(job.request, left.first(std::min(left.size(), rows_max_))));
    if (left.size() > rows_max_) return false;
    const Position positions_max = model_->cache().positions_max(job.request);
    while (tokens.size() < job.count) {
        logits_.resize(model_->hyperparameters().vocabulary_size);
        const float* last = hidden_.data() + hidden_.size() - model_->embedding_length();
        model_->logits(last, 1, logits_.data());
        tokens.push_back(sampler_.sample(logits_, job.sampling,
                                         {.position = static_cast<Position>(known.size() - 1)}));
        if (tokens.size() == job.count || known.size() == positions_max) break;
        TT_CHECK(compute(job.request, {&tokens.back(), 1}));
    }
    return true;
}

/// To where the text differs from what is known, and before its last token.
Result<void> DraftModel::go_back(const pipeline::DraftJob& job) {
    model::KvCache& cache = model_->cache();
    const Position most = std::min(job.positions_max, model_->hyperparameters().context_length);
    if (job.text.size() > most)
        return fail(ErrorCode::context_exceeded,
                    "draft model: the text is longer than its context");
    if (cache.length(job.request) == nullptr) TT_CHECK(cache.open(job.request, most));
    std::vector<TokenId>& known = texts_[job.request];
    const auto differing =
        std::ranges::mismatch(known, std::span(job.text).first(job.text.size() - 1));
    known.erase(differing.in1, known.end());
    return cache.rewind(job.request, static_cast<Position>(known.size()));
}

Result<void> DraftModel::compute(const RequestId& request, std::span<const TokenId> tokens) {
    std::vector<TokenId>& known = texts_.at(request);
    std::vector<model::BatchRow> rows;
    for (size_t i = 0; i < tokens.size(); ++i)
        rows.push_back({request, static_cast<Position>(known.size() + i)});
    hidden_.resize(tokens.size() * model_->embedding_length());
    TT_CHECK(model_->embed(tokens, hidden_.data()));
    TT_CHECK(model_->forward(rows, hidden_.data()));
    known.insert(known.end(), tokens.begin(), tokens.end());
    return {};
}

void DraftModel::close(const RequestId& request) {
    model_->cache().close(request);
    texts_.erase(request);
}

}  // namespace teetee::node
