// SPDX-License-Identifier: Apache-2.0
#include "model/shard_model.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "model/cut.hpp"
#include "model/shard.hpp"
#include "tensor/layer_ops.hpp"
#include "tensor/ops.hpp"

namespace teetee::model {
namespace {

/// What the caller asked for, within what the file holds.
Result<LayerRange> layers_to_load(const Gguf& gguf, const Hyperparameters& h,
                                  std::optional<LayerRange> asked) {
    TT_TRY(const auto shard, parse_shard_info(gguf));
    const LayerRange held = shard ? shard->layers : LayerRange{0, h.layer_count};
    const LayerRange layers = asked.value_or(held);
    if (layers.begin >= layers.end || layers.begin < held.begin || layers.end > held.end ||
        held.end > h.layer_count) {
        return fail(ErrorCode::invalid_argument,
                    "layers " + std::to_string(layers.begin) + " to " + std::to_string(layers.end) +
                        " are not in this file, which holds " + std::to_string(held.begin) +
                        " to " + std::to_string(held.end));
    }
    return layers;
}

/// The type follows the layer alone, so that a cut of the model changes nothing.
KvType kv_type_of(const Gguf& gguf, uint32_t layer, std::optional<KvType> asked) {
    if (asked) return *asked;
    const std::string prefix = "blk." + std::to_string(layer) + ".";
    for (const char* name : {"attn_k.weight", "attn_qkv.weight"}) {
        const GgufTensor* keys = gguf.find_tensor(prefix + name);
        if (keys != nullptr && keys->type == tensor::DataType::f32) return KvType::f32;
    }
    return KvType::f16;
}

}  // namespace

Result<KvShape> kv_shape_of(const Gguf& gguf, const ModelOptions& options) {
    TT_TRY(const auto h, hyperparameters_from(gguf));
    TT_TRY(const auto layers, layers_to_load(gguf, h, options.layers));
    KvShape shape{{}, h.kv_head_count, h.head_dim};
    for (uint32_t i = layers.begin; i < layers.end; ++i)
        shape.layers.push_back(kv_type_of(gguf, i, options.kv_type));
    return shape;
}

ShardModel::ShardModel(Hyperparameters hyperparameters, LayerRange layers, KvShape kv_shape,
                       const ModelOptions& options)
    : hyperparameters_(std::move(hyperparameters)),
      layers_(layers),
      kernels_(*options.kernels),
      pool_(options.thread_count),
      cache_(std::move(kv_shape), options.kv_positions_max) {}

Result<std::unique_ptr<ShardModel>> ShardModel::load(const Gguf& gguf,
                                                     const ModelOptions& options) {
    TT_TRY(auto hyperparameters, hyperparameters_from(gguf));
    TT_TRY(const auto layers, layers_to_load(gguf, hyperparameters, options.layers));
    TT_TRY(KvShape kv_shape, kv_shape_of(gguf, options));
    std::unique_ptr<ShardModel> model(
        new ShardModel(std::move(hyperparameters), layers, std::move(kv_shape), options));
    TT_CHECK(model->load_weights(gguf, options));
    return model;
}

Result<void> ShardModel::load_embedding(const Gguf& gguf, WeightLoader& loader) {
    const Hyperparameters& h = hyperparameters_;
    const GgufTensor* found = gguf.find_tensor("token_embd.weight");
    if (h.vocabulary_size == 0 || found == nullptr)
        return fail(ErrorCode::tensor_missing, "token_embd.weight");
    const bool is_output = is_last() && !loader.has("output.weight");
    if (!is_output || !tensor::packing_keeps_elements(found->type, h.embedding_length)) {
        TT_TRY(embedding_,
               loader.table("token_embd.weight", h.vocabulary_size, h.embedding_length));
    }
    if (h.rope.kind == RopeKind::none) {
        TT_TRY(positions_,
               loader.table("position_embd.weight", h.context_length, h.embedding_length));
    }
    return {};
}

Result<void> ShardModel::load_output(const Gguf& gguf, WeightLoader& loader) {
    const Hyperparameters& h = hyperparameters_;
    TT_TRY(output_norm_, load_norm(h.norm, "output_norm", h.embedding_length, loader));
    const std::string name = loader.has("output.weight") ? "output.weight" : "token_embd.weight";
    const GgufTensor* output = gguf.find_tensor(name);
    if (output == nullptr || output->dimensions.size() != 2)
        return fail(ErrorCode::tensor_missing, name);
    if (h.vocabulary_size == 0)
        hyperparameters_.vocabulary_size = static_cast<uint32_t>(output->dimensions[1]);
    TT_TRY(output_, loader.matrix(name, h.vocabulary_size, h.embedding_length));
    return {};
}

Result<void> ShardModel::load_weights(const Gguf& gguf, const ModelOptions& options) {
    const Hyperparameters& h = hyperparameters_;
    const MemorySource memory(gguf.file());
    WeightSource source = options.weights;
    if (source.file == nullptr) source.file = &memory;
    if (options.cache != nullptr) options.cache->open();
    WeightLoader loader(gguf, source, pool_, options.progress, options.cache);
    if (is_first()) TT_CHECK(load_embedding(gguf, loader));
    TT_TRY(decoder_, load_decoder({h, layers_, kernels_, pool_}, loader));
    if (is_last()) TT_CHECK(load_output(gguf, loader));
    // What this shard serves and nothing has read would have changed its results.
    const ModelLayout layout = {.layer_count = h.layer_count,
                                .output_tied = !loader.has("output.weight")};
    return loader.ensure_all_taken([&](std::string_view tensor_name) {
        const auto layer = layer_of(tensor_name);
        return (layer && *layer >= h.layer_count) || serves(layout, layers_, tensor_name);
    });
}

Result<void> ShardModel::embed(std::span<const TokenId> tokens, float* hidden) const {
    TT_ASSERT(is_first());
    for (const TokenId token : tokens) {
        if (token >= hyperparameters_.vocabulary_size) {
            return fail(ErrorCode::token_out_of_range,
                        "have token " + std::to_string(token) + ", the vocabulary ends at " +
                            std::to_string(hyperparameters_.vocabulary_size - 1));
        }
    }
    for (size_t i = 0; i < tokens.size(); ++i) {
        float* row = hidden + i * embedding_length();
        if (embedding_.data.empty()) {
            output_.dequantise_row(tokens[i], row);
        } else {
            tensor::dequantise_row(embedding_.view, tokens[i], row);
        }
    }
    if (hyperparameters_.embedding_scale != 1.0F) {
        tensor::scale(hidden, tokens.size() * embedding_length(), hyperparameters_.embedding_scale);
    }
    return {};
}

Result<void> ShardModel::take_positions(std::span<const BatchRow> rows) {
    // First look at every row, then take the pages, so that a bad batch changes nothing.
    sequences_.clear();
    for (size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
        const RequestId& request = rows[begin].request;
        sequences_.push_back(request);
        const Position* length = cache_.length(request);
        if (length == nullptr) return fail(ErrorCode::sequence_unknown, "no such sequence is open");
        for (end = begin; end < rows.size() && rows[end].request == request; ++end) {
            if (rows[end].position != *length + (end - begin)) {
                return fail(ErrorCode::invalid_argument,
                            "have position " + std::to_string(rows[end].position) + ", need " +
                                std::to_string(*length + (end - begin)));
            }
        }
        if (*length + (end - begin) > cache_.positions_max(request)) {
            return fail(ErrorCode::context_exceeded, "the sequence is full");
        }
        if (hyperparameters_.rope.kind == RopeKind::none &&
            *length + (end - begin) > hyperparameters_.context_length) {
            return fail(ErrorCode::context_exceeded,
                        "the model has learned " + std::to_string(hyperparameters_.context_length) +
                            " positions");
        }
    }
    std::ranges::sort(sequences_);
    if (std::ranges::adjacent_find(sequences_) != sequences_.end())
        return fail(ErrorCode::invalid_argument, "a sequence stands in two places of the batch");
    decoder_rows_.clear();
    for (const BatchRow& row : rows) {
        TT_TRY(KvCache::Sequence* const sequence, cache_.extend(row.request, 1));
        decoder_rows_.push_back({sequence, row.position});
    }
    return {};
}

void ShardModel::add_learned_positions(std::span<const BatchRow> rows, float* hidden) {
    const size_t d = embedding_length();
    normed_.resize(std::max(normed_.size(), d));
    for (size_t row = 0; row < rows.size(); ++row) {
        tensor::dequantise_row(positions_.view, rows[row].position, normed_.data());
        tensor::add(hidden + row * d, normed_.data(), d);
    }
}

Result<void> ShardModel::forward(std::span<const BatchRow> rows, float* hidden) {
    TT_CHECK(take_positions(rows));
    if (!positions_.data.empty()) add_learned_positions(rows, hidden);
    decoder_->forward(decoder_rows_, hidden);
    return {};
}

void ShardModel::normalise_output(const float* hidden, float* out) const {
    TT_ASSERT(is_last());
    normalise_row(output_norm_, hyperparameters_.norm_epsilon, hidden, out);
}

void ShardModel::logits(const float* hidden, size_t row_count, float* logits) {
    TT_ASSERT(is_last());
    const size_t d = embedding_length();
    normed_.resize(row_count * d);
    for (size_t row = 0; row < row_count; ++row)
        normalise_output(hidden + row * d, normed_.data() + row * d);
    activations_.assign(normed_.data(), row_count, d, pool_);
    output_.multiply(activations_, logits, kernels_, pool_);
    if (hyperparameters_.output_softcap > 0.0F) {
        tensor::soft_cap(logits, row_count * hyperparameters_.vocabulary_size,
                         hyperparameters_.output_softcap);
    }
}

}  // namespace teetee::model
