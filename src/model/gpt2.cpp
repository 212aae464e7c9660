// SPDX-License-Identifier: Apache-2.0
#include "model/blocks.hpp"

// GPT-2 (Radford et al. 2019): layer norms, biases everywhere, attention without rotation
// (positions are learned and added to the embedding), and a feed-forward of GELU without a gate.

namespace teetee::model {
namespace {

struct Layer {
    Norm attention_norm;
    AttentionWeights attention;
    Norm feed_forward_norm;
    FeedForwardWeights feed_forward;

    static Result<Layer> load(const LayerLoader& from) {
        const uint32_t d = from.hyperparameters().embedding_length;
        const uint32_t length = from.hyperparameters().feed_forward_length;
        Layer layer;
        TT_TRY(layer.attention_norm, from.norm("attn_norm"));
        TT_TRY(layer.attention, from.fused_attention(Bias::required));
        TT_TRY(layer.feed_forward_norm, from.norm("ffn_norm"));
        layer.feed_forward.activation = Activation::gelu;
        TT_TRY(layer.feed_forward.up, from.linear("ffn_up", length, d, Bias::required));
        TT_TRY(layer.feed_forward.down, from.linear("ffn_down", d, length, Bias::required));
        return layer;
    }

    void run(Blocks& blocks, uint32_t cache_layer, float* hidden) const {
        constexpr uint32_t no_window = 0;
        blocks.add(hidden, blocks.attention(attention, cache_layer, no_window,
                                            blocks.normalise(attention_norm, hidden)));
        blocks.add(hidden,
                   blocks.feed_forward(feed_forward, blocks.normalise(feed_forward_norm, hidden)));
    }
};

}  // namespace

Result<std::unique_ptr<Decoder>> load_gpt2(const DecoderContext& context, WeightLoader& loader) {
    return LayerStack<Layer>::load(context, loader);
}

}  // namespace teetee::model
