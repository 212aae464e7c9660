// SPDX-License-Identifier: Apache-2.0
#include "model/blocks.hpp"

// Llama (Touvron et al. 2023): pre-norm blocks of grouped-query attention with rotary positions and
// a SwiGLU feed-forward. Llama 2 and 3, TinyLlama, Mistral (Jiang et al. 2023) and SmolLM share it;
// Mixtral (Jiang et al. 2024) has experts in place of the feed-forward.

namespace teetee::model {
namespace {

struct Layer {
    Norm attention_norm;
    AttentionWeights attention;
    Norm feed_forward_norm;
    FeedForwardWeights feed_forward;  // or
    ExpertWeights experts;
    uint32_t window = 0;

    static Result<Layer> load(const LayerLoader& from) {
        Layer layer;
        layer.window = from.hyperparameters().window;
        TT_TRY(layer.attention_norm, from.norm("attn_norm"));
        TT_TRY(layer.attention, from.attention(Bias::optional, Bias::optional));
        TT_TRY(layer.feed_forward_norm, from.norm("ffn_norm"));
        if (from.hyperparameters().experts.count > 0) {
            TT_TRY(layer.experts, from.experts());
        } else {
            TT_TRY(layer.feed_forward, from.gated_feed_forward(Activation::silu));
        }
        return layer;
    }

    void run(Blocks& blocks, uint32_t cache_layer, float* hidden) const {
        const auto& attended = blocks.attention(attention, cache_layer, window,
                                                blocks.normalise(attention_norm, hidden));
        blocks.add(hidden, attended);
        const auto& normed = blocks.normalise(feed_forward_norm, hidden);
        blocks.add(hidden, experts.router.empty() ? blocks.feed_forward(feed_forward, normed)
                                                  : blocks.experts(experts, normed));
    }
};

}  // namespace

Result<std::unique_ptr<Decoder>> load_llama(const DecoderContext& context, WeightLoader& loader) {
    return LayerStack<Layer>::load(context, loader);
}

}  // namespace teetee::model
