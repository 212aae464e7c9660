// SPDX-License-Identifier: Apache-2.0
#include "model/blocks.hpp"

// Gemma 2 (Gemma Team 2024): an RMS norm before and after attention and feed-forward, GeGLU, soft
// caps on scores and logits, and a sliding window in every other layer, beginning with the first.
// Embeddings are scaled by the root of their length, and the output is tied to them.

namespace teetee::model {
namespace {

struct Layer {
    Norm attention_norm, post_attention_norm;
    AttentionWeights attention;
    Norm feed_forward_norm, post_feed_forward_norm;
    FeedForwardWeights feed_forward;
    uint32_t window = 0;

    static Result<Layer> load(const LayerLoader& from) {
        Layer layer;
        layer.window = from.layer() % 2 == 0 ? from.hyperparameters().window : 0;
        TT_TRY(layer.attention_norm, from.norm("attn_norm"));
        TT_TRY(layer.attention, from.attention(Bias::none, Bias::none));
        TT_TRY(layer.post_attention_norm, from.norm("post_attention_norm"));
        TT_TRY(layer.feed_forward_norm, from.norm("ffn_norm"));
        TT_TRY(layer.feed_forward, from.gated_feed_forward(Activation::gelu));
        TT_TRY(layer.post_feed_forward_norm, from.norm("post_ffw_norm"));
        return layer;
    }

    void run(Blocks& blocks, uint32_t cache_layer, float* hidden) const {
        auto& attended = blocks.attention(attention, cache_layer, window,
                                          blocks.normalise(attention_norm, hidden));
        blocks.normalise_in_place(post_attention_norm, attended);
        blocks.add(hidden, attended);
        auto& fed = blocks.feed_forward(feed_forward, blocks.normalise(feed_forward_norm, hidden));
        blocks.normalise_in_place(post_feed_forward_norm, fed);
        blocks.add(hidden, fed);
    }
};

}  // namespace

Result<std::unique_ptr<Decoder>> load_gemma2(const DecoderContext& context, WeightLoader& loader) {
    return LayerStack<Layer>::load(context, loader);
}

}  // namespace teetee::model
