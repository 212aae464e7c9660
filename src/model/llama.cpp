// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>
#include <vector>

#include "model/attention.hpp"
#include "model/decoder.hpp"
#include "tensor/ops.hpp"

// Llama (Touvron et al. 2023): pre-norm blocks of grouped-query attention with rotary positions and
// a SwiGLU feed-forward. Llama 2 and 3, TinyLlama, Mistral and SmolLM share it.

namespace teetee::model {
namespace {

struct Layer {
    std::vector<float> attention_norm;      // (embedding)
    tensor::PackedMatrix query;             // (heads * head_dim, embedding)
    tensor::PackedMatrix key, value;        // (kv_heads * head_dim, embedding)
    tensor::PackedMatrix attention_output;  // (embedding, heads * head_dim)
    std::vector<float> feed_forward_norm;   // (embedding)
    tensor::PackedMatrix gate, up;          // (feed_forward, embedding)
    tensor::PackedMatrix down;              // (embedding, feed_forward)
};

Result<Layer> load_layer(const Hyperparameters& h, uint32_t index, WeightLoader& loader) {
    const std::string prefix = "blk." + std::to_string(index) + ".";
    const uint32_t d = h.embedding_length;
    Layer layer;
    TT_TRY(layer.attention_norm, loader.vector(prefix + "attn_norm.weight", d));
    TT_TRY(layer.query, loader.matrix(prefix + "attn_q.weight", h.query_length(), d));
    TT_TRY(layer.key, loader.matrix(prefix + "attn_k.weight", h.kv_length(), d));
    TT_TRY(layer.value, loader.matrix(prefix + "attn_v.weight", h.kv_length(), d));
    TT_TRY(layer.attention_output,
           loader.matrix(prefix + "attn_output.weight", d, h.query_length()));
    TT_TRY(layer.feed_forward_norm, loader.vector(prefix + "ffn_norm.weight", d));
    TT_TRY(layer.gate, loader.matrix(prefix + "ffn_gate.weight", h.feed_forward_length, d));
    TT_TRY(layer.up, loader.matrix(prefix + "ffn_up.weight", h.feed_forward_length, d));
    TT_TRY(layer.down, loader.matrix(prefix + "ffn_down.weight", d, h.feed_forward_length));
    TT_CHECK(loader.ensure_all_taken(prefix));
    return layer;
}

class Llama final : public Decoder {
  public:
    Llama(const DecoderContext& context, std::vector<Layer> layers)
        : context_(context),
          layers_(std::move(layers)),
          rope_(context.hyperparameters.rope_dimensions, context.hyperparameters.rope_base) {}

    void forward(std::span<const DecoderRow> rows, float* hidden) override;

  private:
    void run_attention(const Layer& layer, uint32_t cache_layer, std::span<const DecoderRow> rows,
                       float* hidden);
    void run_feed_forward(const Layer& layer, size_t row_count, float* hidden);
    void normalise(const std::vector<float>& weight, size_t row_count, const float* hidden);
    void multiply(const tensor::PackedMatrix& matrix, std::vector<float>& out, size_t row_count);

    DecoderContext context_;
    std::vector<Layer> layers_;
    tensor::RopeTable rope_;
    tensor::Activations activations_;
    std::vector<std::vector<float>> rotations_;                   // a row each
    std::vector<float> normed_, query_, key_, value_, attended_;  // (rows, ...)
    std::vector<float> gate_, up_, update_;
};

void Llama::normalise(const std::vector<float>& weight, size_t row_count, const float* hidden) {
    const size_t d = context_.hyperparameters.embedding_length;
    normed_.resize(row_count * d);
    context_.pool.run(row_count, [&](size_t begin, size_t end) {
        for (size_t row = begin; row < end; ++row) {
            tensor::rms_norm(hidden + row * d, weight.data(), d,
                             context_.hyperparameters.norm_epsilon, normed_.data() + row * d);
        }
    });
    activations_.assign(normed_.data(), row_count, d, context_.pool);
}

void Llama::multiply(const tensor::PackedMatrix& matrix, std::vector<float>& out,
                     size_t row_count) {
    out.resize(row_count * matrix.rows());
    matrix.multiply(activations_, out.data(), context_.kernels, context_.pool);
}

void Llama::run_attention(const Layer& layer, uint32_t cache_layer,
                          std::span<const DecoderRow> rows, float* hidden) {
    const Hyperparameters& h = context_.hyperparameters;
    normalise(layer.attention_norm, rows.size(), hidden);
    query_.resize(rows.size() * h.query_length());
    key_.resize(rows.size() * h.kv_length());
    value_.resize(rows.size() * h.kv_length());
    const std::array<tensor::Product, 3> projections = {
        {{&layer.query, query_.data()}, {&layer.key, key_.data()}, {&layer.value, value_.data()}}};
    tensor::multiply_all(projections, activations_, context_.kernels, context_.pool);
    context_.pool.run(rows.size(), [&](size_t begin, size_t end) {
        for (size_t row = begin; row < end; ++row) {
            for (uint32_t head = 0; head < h.head_count; ++head) {
                tensor::rotate_adjacent(query_.data() + row * h.query_length() + head * h.head_dim,
                                        rotations_[row]);
            }
            float* keys = key_.data() + row * h.kv_length();
            for (uint32_t head = 0; head < h.kv_head_count; ++head) {
                tensor::rotate_adjacent(keys + head * h.head_dim, rotations_[row]);
            }
            rows[row].sequence->store(cache_layer, rows[row].position, keys,
                                      value_.data() + row * h.kv_length());
        }
    });
    attended_.resize(rows.size() * h.query_length());
    const AttentionOptions options{.scale = 1.0F / std::sqrt(static_cast<float>(h.head_dim))};
    attend(context_, cache_layer, options, rows, query_.data(), attended_.data());
    activations_.assign(attended_.data(), rows.size(), h.query_length(), context_.pool);
    multiply(layer.attention_output, update_, rows.size());
    tensor::add(hidden, update_.data(), update_.size());
}

void Llama::run_feed_forward(const Layer& layer, size_t row_count, float* hidden) {
    const size_t length = context_.hyperparameters.feed_forward_length;
    normalise(layer.feed_forward_norm, row_count, hidden);
    gate_.resize(row_count * length);
    up_.resize(row_count * length);
    const std::array<tensor::Product, 2> products = {
        {{&layer.gate, gate_.data()}, {&layer.up, up_.data()}}};
    tensor::multiply_all(products, activations_, context_.kernels, context_.pool);
    context_.pool.run(row_count * length, [&](size_t begin, size_t end) {
        tensor::silu_multiply(gate_.data() + begin, up_.data() + begin, end - begin);
    });
    activations_.assign(gate_.data(), row_count, length, context_.pool);
    multiply(layer.down, update_, row_count);
    tensor::add(hidden, update_.data(), update_.size());
}

void Llama::forward(std::span<const DecoderRow> rows, float* hidden) {
    rotations_.resize(std::max(rotations_.size(), rows.size()));
    for (size_t row = 0; row < rows.size(); ++row)
        rope_.rotation(rows[row].position, rotations_[row]);
    for (uint32_t i = 0; i < layers_.size(); ++i) {
        run_attention(layers_[i], i, rows, hidden);
        run_feed_forward(layers_[i], rows.size(), hidden);
    }
}

}  // namespace

Result<std::unique_ptr<Decoder>> load_llama(const DecoderContext& context, WeightLoader& loader) {
    std::vector<Layer> layers;
    for (uint32_t i = context.layers.begin; i < context.layers.end; ++i) {
        TT_TRY(auto layer, load_layer(context.hyperparameters, i, loader));
        layers.push_back(std::move(layer));
    }
    return std::unique_ptr<Decoder>(std::make_unique<Llama>(context, std::move(layers)));
}

Result<std::unique_ptr<Decoder>> load_decoder(const DecoderContext& context, WeightLoader& loader) {
    if (context.hyperparameters.architecture == "llama") return load_llama(context, loader);
    return fail(ErrorCode::architecture_unsupported,
                quote_foreign(context.hyperparameters.architecture));
}

}  // namespace teetee::model
