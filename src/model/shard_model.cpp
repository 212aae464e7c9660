// SPDX-License-Identifier: Apache-2.0
#include "model/shard_model.hpp"

#include <set>

#include "base/assert.hpp"
#include "model/shard.hpp"
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

KvShape kv_shape_of(const Gguf& gguf, const Hyperparameters& h, LayerRange layers,
                    std::optional<KvType> asked) {
    KvShape shape{{}, h.kv_head_count, h.head_dim};
    for (uint32_t i = layers.begin; i < layers.end; ++i)
        shape.layers.push_back(kv_type_of(gguf, i, asked));
    return shape;
}

}  // namespace

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
    KvShape kv_shape = kv_shape_of(gguf, hyperparameters, layers, options.kv_type);
    std::unique_ptr<ShardModel> model(
        new ShardModel(std::move(hyperparameters), layers, std::move(kv_shape), options));
    TT_CHECK(model->load_weights(gguf, options.progress));
    return model;
}

Result<void> ShardModel::load_weights(const Gguf& gguf, const Progress& progress) {
    const Hyperparameters& h = hyperparameters_;
    WeightLoader loader(gguf, pool_, progress);
    if (is_first()) {
        if (h.vocabulary_size == 0) return fail(ErrorCode::tensor_missing, "token_embd.weight");
        TT_TRY(embedding_, loader.view("token_embd.weight", h.vocabulary_size, h.embedding_length));
        embedding_data_.assign(embedding_.data.begin(), embedding_.data.end());
        embedding_.data = embedding_data_;
    }
    TT_TRY(decoder_, load_decoder({h, layers_, kernels_, pool_}, loader));
    if (is_last()) {
        TT_TRY(output_norm_, loader.vector("output_norm.weight", h.embedding_length));
        const std::string name =
            loader.has("output.weight") ? "output.weight" : "token_embd.weight";
        const GgufTensor* output = gguf.find_tensor(name);
        if (output == nullptr || output->dimensions.size() != 2)
            return fail(ErrorCode::tensor_missing, name);
        if (h.vocabulary_size == 0)
            hyperparameters_.vocabulary_size = static_cast<uint32_t>(output->dimensions[1]);
        TT_TRY(output_, loader.matrix(name, h.vocabulary_size, h.embedding_length));
    }
    return {};
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
        tensor::dequantise_row(embedding_, tokens[i], hidden + i * embedding_length());
    }
    return {};
}

Result<void> ShardModel::forward(std::span<const BatchRow> rows, float* hidden) {
    // First look at every row, then take the pages, so that a bad batch changes nothing.
    std::set<RequestId> seen;
    for (size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
        const RequestId& request = rows[begin].request;
        if (!seen.insert(request).second) {
            return fail(ErrorCode::invalid_argument,
                        "a sequence stands in two places of the batch");
        }
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
    }
    std::vector<DecoderRow> decoder_rows;
    decoder_rows.reserve(rows.size());
    for (const BatchRow& row : rows) {
        TT_TRY(KvCache::Sequence* const sequence, cache_.extend(row.request, 1));
        decoder_rows.push_back({sequence, row.position});
    }
    decoder_->forward(decoder_rows, hidden);
    return {};
}

void ShardModel::logits(const float* hidden, size_t row_count, float* logits) {
    TT_ASSERT(is_last());
    const size_t d = embedding_length();
    normed_.resize(row_count * d);
    for (size_t row = 0; row < row_count; ++row) {
        tensor::rms_norm(hidden + row * d, output_norm_.data(), d, hyperparameters_.norm_epsilon,
                         normed_.data() + row * d);
    }
    activations_.assign(normed_.data(), row_count, d, pool_);
    output_.multiply(activations_, logits, kernels_, pool_);
}

}  // namespace teetee::model
