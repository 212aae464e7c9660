// SPDX-License-Identifier: Apache-2.0
#include "model/blocks.hpp"

namespace teetee::model {

Result<Norm> LayerLoader::norm(const std::string& name) const {
    return norm(name, hyperparameters_.embedding_length);
}

Result<Norm> LayerLoader::norm(const std::string& name, uint32_t length) const {
    return load_norm(hyperparameters_.norm, prefix_ + name, length, loader_);
}

Result<Linear> LayerLoader::linear(const std::string& name, uint64_t rows, uint64_t columns,
                                   Bias bias) const {
    const uint64_t row_counts[] = {rows};
    TT_TRY(auto linears, fused(name, row_counts, columns, bias));
    return std::move(linears.front());
}

Result<std::vector<Linear>> LayerLoader::fused(const std::string& name,
                                               std::span<const uint64_t> row_counts,
                                               uint64_t columns, Bias bias) const {
    TT_TRY(auto weights, loader_.split(prefix_ + name + ".weight", row_counts, columns));
    const std::string bias_name = prefix_ + name + ".bias";
    std::vector<float> biases;
    if (bias == Bias::required || (bias == Bias::optional && loader_.has(bias_name))) {
        uint64_t row_count = 0;
        for (const uint64_t rows : row_counts) row_count += rows;
        TT_TRY(biases, loader_.vector(bias_name, row_count));
    }
    std::vector<Linear> linears;
    auto rest = biases.begin();
    for (tensor::PackedMatrix& weight : weights) {
        Linear& linear = linears.emplace_back();
        if (!biases.empty()) {
            const auto end = rest + static_cast<std::ptrdiff_t>(weight.rows());
            linear.bias.assign(rest, end);
            rest = end;
        }
        linear.weight = std::move(weight);
    }
    return linears;
}

Result<AttentionWeights> LayerLoader::attention(Bias input_bias, Bias output_bias) const {
    const Hyperparameters& h = hyperparameters_;
    const uint32_t d = h.embedding_length;
    AttentionWeights weights;
    TT_TRY(weights.query, linear("attn_q", h.query_length(), d, input_bias));
    TT_TRY(weights.key, linear("attn_k", h.kv_length(), d, input_bias));
    TT_TRY(weights.value, linear("attn_v", h.kv_length(), d, input_bias));
    TT_TRY(weights.output, linear("attn_output", d, h.query_length(), output_bias));
    return weights;
}

Result<AttentionWeights> LayerLoader::fused_attention(Bias bias) const {
    const Hyperparameters& h = hyperparameters_;
    const uint64_t row_counts[] = {h.query_length(), h.kv_length(), h.kv_length()};
    TT_TRY(auto inputs, fused("attn_qkv", row_counts, h.embedding_length, bias));
    AttentionWeights weights;
    weights.query = std::move(inputs[0]);
    weights.key = std::move(inputs[1]);
    weights.value = std::move(inputs[2]);
    TT_TRY(weights.output, linear("attn_output", h.embedding_length, h.query_length(), bias));
    return weights;
}

Result<FeedForwardWeights> LayerLoader::gated_feed_forward(Activation activation) const {
    const uint32_t d = hyperparameters_.embedding_length;
    const uint32_t length = hyperparameters_.feed_forward_length;
    FeedForwardWeights weights;
    weights.activation = activation;
    TT_TRY(weights.gate, linear("ffn_gate", length, d, Bias::none));
    TT_TRY(weights.up, linear("ffn_up", length, d, Bias::none));
    TT_TRY(weights.down, linear("ffn_down", d, length, Bias::none));
    return weights;
}

Result<ExpertWeights> LayerLoader::experts() const {
    const uint32_t count = hyperparameters_.experts.count;
    const uint32_t length = hyperparameters_.experts.feed_forward_length;
    const uint32_t d = hyperparameters_.embedding_length;
    ExpertWeights weights;
    TT_TRY(weights.router, loader_.matrix(prefix_ + "ffn_gate_inp.weight", count, d));
    TT_TRY(weights.gate, loader_.experts(prefix_ + "ffn_gate_exps.weight", count, length, d));
    TT_TRY(weights.up, loader_.experts(prefix_ + "ffn_up_exps.weight", count, length, d));
    TT_TRY(weights.down, loader_.experts(prefix_ + "ffn_down_exps.weight", count, d, length));
    return weights;
}

}  // namespace teetee::model
