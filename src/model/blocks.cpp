// SPDX-License-Identifier: Apache-2.0
#include "model/blocks.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "tensor/layer_ops.hpp"

namespace teetee::model {

Result<Norm> load_norm(NormKind kind, const std::string& name, uint32_t length,
                       WeightLoader& loader) {
    Norm norm;
    TT_TRY(norm.weight, loader.vector(name + ".weight", length));
    if (kind == NormKind::layer) {
        TT_TRY(norm.bias, loader.vector(name + ".bias", length));
    }
    return norm;
}

void normalise_row(const Norm& norm, float epsilon, const float* values, float* out) {
    if (norm.bias.empty()) {
        tensor::rms_norm(values, norm.weight.data(), norm.weight.size(), epsilon, out);
    } else {
        tensor::layer_norm(values, norm.weight, norm.bias, epsilon, out);
    }
}

void Blocks::begin(std::span<const DecoderRow> rows) {
    rows_ = rows;
    if (context_.hyperparameters.rope.kind == RopeKind::none) return;
    rotations_.resize(std::max(rotations_.size(), rows.size()));
    context_.pool.run(rows.size(), [&](size_t begin, size_t end) {
        for (size_t row = begin; row < end; ++row)
            rope_.rotation(rows[row].position, rotations_[row]);
    });
}

void Blocks::normalise_rows(const Norm& norm, const float* values, size_t row_count, float* out) {
    const size_t length = norm.weight.size();
    context_.pool.run(row_count, [&](size_t begin, size_t end) {
        for (size_t row = begin; row < end; ++row) {
            normalise_row(norm, context_.hyperparameters.norm_epsilon, values + row * length,
                          out + row * length);
        }
    });
}

std::vector<float>& Blocks::normalise(const Norm& norm, const float* values) {
    normed_.resize(rows_.size() * norm.weight.size());
    normalise_rows(norm, values, rows_.size(), normed_.data());
    return normed_;
}

void Blocks::normalise_in_place(const Norm& norm, std::vector<float>& values) {
    TT_ASSERT(norm.bias.empty());
    normalise_rows(norm, values.data(), values.size() / norm.weight.size(), values.data());
}

void Blocks::assign(const std::vector<float>& input, size_t row_count) {
    activations_.assign(input.data(), row_count, input.size() / row_count, context_.pool);
}

void Blocks::multiply(const tensor::PackedMatrix& matrix, size_t row_count,
                      std::vector<float>& out) {
    out.resize(row_count * matrix.rows());
    matrix.multiply(activations_, out.data(), context_.kernels, context_.pool);
}

void Blocks::apply(std::initializer_list<Projection> projections) {
    products_.clear();
    for (const Projection& p : projections) {
        p.out.resize(rows_.size() * p.linear.weight.rows());
        products_.push_back({&p.linear.weight, p.out.data()});
    }
    tensor::multiply_all(products_, activations_, context_.kernels, context_.pool);
    for (const Projection& p : projections) {
        const std::vector<float>& bias = p.linear.bias;
        if (bias.empty()) continue;
        context_.pool.run(rows_.size(), [&](size_t begin, size_t end) {
            for (size_t row = begin; row < end; ++row)
                tensor::add(p.out.data() + row * bias.size(), bias.data(), bias.size());
        });
    }
}

void Blocks::prepare_heads(const Norm& norm, size_t row, uint32_t head_count, float* heads) const {
    const Hyperparameters& h = context_.hyperparameters;
    const auto rotate =
        h.rope.kind == RopeKind::adjacent ? tensor::rotate_adjacent : tensor::rotate_halves;
    for (uint32_t i = 0; i < head_count; ++i, heads += h.head_dim) {
        if (!norm.weight.empty()) normalise_row(norm, h.norm_epsilon, heads, heads);
        if (h.rope.kind != RopeKind::none) rotate(heads, rotations_[row]);
    }
}

std::vector<float>& Blocks::attention(const AttentionWeights& weights, uint32_t cache_layer,
                                      uint32_t window, const std::vector<float>& input) {
    const Hyperparameters& h = context_.hyperparameters;
    assign(input, rows_.size());
    apply({{weights.query, query_}, {weights.key, key_}, {weights.value, value_}});
    context_.pool.run(rows_.size(), [&](size_t begin, size_t end) {
        for (size_t row = begin; row < end; ++row) {
            float* keys = key_.data() + row * h.kv_length();
            prepare_heads(weights.query_norm, row, h.head_count,
                          query_.data() + row * h.query_length());
            prepare_heads(weights.key_norm, row, h.kv_head_count, keys);
            rows_[row].sequence->store(cache_layer, rows_[row].position, keys,
                                       value_.data() + row * h.kv_length());
        }
    });
    attended_.resize(rows_.size() * h.query_length());
    const AttentionOptions options = {
        .scale = h.attention_scale, .score_softcap = h.attention_softcap, .window = window};
    attend(context_, cache_layer, options, rows_, query_.data(), attended_.data());
    assign(attended_, rows_.size());
    apply({{weights.output, update_}});
    return update_;
}

void Blocks::activate(Activation activation, bool is_gated) {
    std::vector<float>& values = is_gated ? gate_ : up_;
    context_.pool.run(values.size(), [&](size_t begin, size_t end) {
        float* const at = values.data() + begin;
        const size_t count = end - begin;
        if (!is_gated) {
            tensor::gelu(at, count);
        } else if (activation == Activation::gelu) {
            tensor::gelu_multiply(at, up_.data() + begin, count);
        } else {
            tensor::silu_multiply(at, up_.data() + begin, count);
        }
    });
}

std::vector<float>& Blocks::feed_forward(const FeedForwardWeights& weights,
                                         const std::vector<float>& input) {
    const bool is_gated = !weights.gate.weight.empty();
    assign(input, rows_.size());
    if (is_gated) {
        apply({{weights.gate, gate_}, {weights.up, up_}});
    } else {
        apply({{weights.up, up_}});
    }
    activate(weights.activation, is_gated);
    assign(is_gated ? gate_ : up_, rows_.size());
    apply({{weights.down, update_}});
    return update_;
}

void Blocks::add(float* hidden, const std::vector<float>& update) {
    context_.pool.run(update.size(), [&](size_t begin, size_t end) {
        tensor::add(hidden + begin, update.data() + begin, end - begin);
    });
}

}  // namespace teetee::model
