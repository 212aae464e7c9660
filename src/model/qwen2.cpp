// SPDX-License-Identifier: Apache-2.0
#include "model/blocks.hpp"

// Qwen2 and Qwen2.5 (Yang et al. 2024): Llama's blocks with biases on queries, keys and values. The
// rotation turns the halves of a head; the smaller models tie their output to the embedding.

namespace teetee::model {
namespace {

struct Layer {
    Norm attention_norm;
    AttentionWeights attention;
    Norm feed_forward_norm;
    FeedForwardWeights feed_forward;

    static Result<Layer> load(const LayerLoader& from) {
        Layer layer;
        TT_TRY(layer.attention_norm, from.norm("attn_norm"));
        TT_TRY(layer.attention, from.attention(Bias::required, Bias::none));
        TT_TRY(layer.feed_forward_norm, from.norm("ffn_norm"));
        TT_TRY(layer.feed_forward, from.gated_feed_forward(Activation::silu));
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

Result<std::unique_ptr<Decoder>> load_qwen2(const DecoderContext& context, WeightLoader& loader) {
    return LayerStack<Layer>::load(context, loader);
}

}  // namespace teetee::model
