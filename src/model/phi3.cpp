// SPDX-License-Identifier: Apache-2.0
#include "model/blocks.hpp"

// Phi-3, 3.5 and 4-mini (Abdin et al. 2024): Llama's blocks with queries, keys and values in one
// matrix, gate and up in another, a rotation of halves, and a sliding window.

namespace teetee::model {
namespace {

struct Layer {
    Norm attention_norm;
    AttentionWeights attention;
    Norm feed_forward_norm;
    FeedForwardWeights feed_forward;
    uint32_t window = 0;

    static Result<Layer> load(const LayerLoader& from) {
        const Hyperparameters& h = from.hyperparameters();
        const uint64_t gate_and_up[] = {h.feed_forward_length, h.feed_forward_length};
        Layer layer;
        layer.window = h.window;
        TT_TRY(layer.attention_norm, from.norm("attn_norm"));
        TT_TRY(layer.attention, from.fused_attention(Bias::none));
        TT_TRY(layer.feed_forward_norm, from.norm("ffn_norm"));
        TT_TRY(auto fused, from.fused("ffn_up", gate_and_up, h.embedding_length, Bias::none));
        layer.feed_forward.gate = std::move(fused[0]);
        layer.feed_forward.up = std::move(fused[1]);
        TT_TRY(layer.feed_forward.down,
               from.linear("ffn_down", h.embedding_length, h.feed_forward_length, Bias::none));
        return layer;
    }

    void run(Blocks& blocks, uint32_t cache_layer, float* hidden) const {
        blocks.add(hidden, blocks.attention(attention, cache_layer, window,
                                            blocks.normalise(attention_norm, hidden)));
        blocks.add(hidden,
                   blocks.feed_forward(feed_forward, blocks.normalise(feed_forward_norm, hidden)));
    }
};

}  // namespace

Result<std::unique_ptr<Decoder>> load_phi3(const DecoderContext& context, WeightLoader& loader) {
    return LayerStack<Layer>::load(context, loader);
}

}  // namespace teetee::model
