// SPDX-License-Identifier: Apache-2.0
#include "model/blocks.hpp"

// Qwen3 (Yang et al. 2025): Qwen2's blocks without biases, with an RMS norm over every head of
// queries and keys before the rotation, and a head length of its own. Qwen3-MoE (architecture
// qwen3moe) has experts in place of the feed-forward.

namespace teetee::model {
namespace {

struct Layer {
    Norm attention_norm;
    AttentionWeights attention;
    Norm feed_forward_norm;
    FeedForwardWeights feed_forward;  // or
    ExpertWeights experts;

    static Result<Layer> load(const LayerLoader& from) {
        const uint32_t head_dim = from.hyperparameters().head_dim;
        Layer layer;
        TT_TRY(layer.attention_norm, from.norm("attn_norm"));
        TT_TRY(layer.attention, from.attention(Bias::none, Bias::none));
        TT_TRY(layer.attention.query_norm, from.norm("attn_q_norm", head_dim));
        TT_TRY(layer.attention.key_norm, from.norm("attn_k_norm", head_dim));
        TT_TRY(layer.feed_forward_norm, from.norm("ffn_norm"));
        if (from.hyperparameters().experts.count > 0) {
            TT_TRY(layer.experts, from.experts());
        } else {
            TT_TRY(layer.feed_forward, from.gated_feed_forward(Activation::silu));
        }
        return layer;
    }

    void run(Blocks& blocks, uint32_t cache_layer, float* hidden) const {
        constexpr uint32_t no_window = 0;
        blocks.add(hidden, blocks.attention(attention, cache_layer, no_window,
                                            blocks.normalise(attention_norm, hidden)));
        const auto& normed = blocks.normalise(feed_forward_norm, hidden);
        blocks.add(hidden, experts.router.empty() ? blocks.feed_forward(feed_forward, normed)
                                                  : blocks.experts(experts, normed));
    }
};

}  // namespace

Result<std::unique_ptr<Decoder>> load_qwen3(const DecoderContext& context, WeightLoader& loader) {
    return LayerStack<Layer>::load(context, loader);
}

}  // namespace teetee::model
