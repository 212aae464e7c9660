// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/attention.hpp"
#include "model/decoder.hpp"
#include "model/rope.hpp"
#include "model/weights.hpp"
#include "tensor/matrix.hpp"
#include "tensor/ops.hpp"

// What architectures are made of. An architecture's file says which tensors its layers have, and
// in which order these blocks run; the blocks own the scratch memory and do the arithmetic.
namespace teetee::model {

struct Norm {
    std::vector<float> weight;
    std::vector<float> bias;  // layer norm only
};

/// `name` goes before ".weight" and ".bias". Errors: those of WeightLoader.
Result<Norm> load_norm(NormKind kind, const std::string& name, uint32_t length,
                       WeightLoader& loader);
/// RMS norm, or layer norm where there is a bias; then `out` must not be `values`.
void normalise_row(const Norm& norm, float epsilon, const float* values, float* out);

struct Linear {
    tensor::PackedMatrix weight;
    std::vector<float> bias;  // empty: none
};

struct AttentionWeights {
    Linear query;               // (heads * head_dim, embedding)
    Linear key;                 // (kv_heads * head_dim, embedding)
    Linear value;               // (kv_heads * head_dim, embedding)
    Linear output;              // (embedding, heads * head_dim)
    Norm query_norm, key_norm;  // (head_dim), of every head before its rotation; empty: none
};

enum class Activation { silu, gelu };

struct FeedForwardWeights {
    Activation activation = Activation::silu;
    Linear gate;  // (feed_forward, embedding); empty: the activation is of `up` itself
    Linear up;    // (feed_forward, embedding)
    Linear down;  // (embedding, feed_forward)
};

/// SwiGLU experts of which each row uses some.
struct ExpertWeights {
    tensor::PackedMatrix router;                 // (experts, embedding)
    std::vector<tensor::PackedMatrix> gate, up;  // (expert_feed_forward, embedding) each
    std::vector<tensor::PackedMatrix> down;      // (embedding, expert_feed_forward) each
};

enum class Bias { none, optional, required };

/// Takes the tensors of one layer: `name` is what follows "blk.N." and goes before ".weight" or
/// ".bias". Errors: those of WeightLoader.
class LayerLoader {
  public:
    LayerLoader(const Hyperparameters& hyperparameters, uint32_t layer, WeightLoader& loader)
        : hyperparameters_(hyperparameters),
          layer_(layer),
          prefix_("blk." + std::to_string(layer) + "."),
          loader_(loader) {}

    const Hyperparameters& hyperparameters() const { return hyperparameters_; }
    uint32_t layer() const { return layer_; }  // counted from the model's first

    /// Of the architecture's kind; over the embedding unless a length is given.
    Result<Norm> norm(const std::string& name) const;
    Result<Norm> norm(const std::string& name, uint32_t length) const;
    Result<Linear> linear(const std::string& name, uint64_t rows, uint64_t columns,
                          Bias bias) const;
    /// One tensor whose rows are several linears, one below the other.
    Result<std::vector<Linear>> fused(const std::string& name, std::span<const uint64_t> row_counts,
                                      uint64_t columns, Bias bias) const;

    /// attn_q, attn_k, attn_v and attn_output.
    Result<AttentionWeights> attention(Bias input_bias, Bias output_bias) const;
    /// attn_qkv and attn_output.
    Result<AttentionWeights> fused_attention(Bias bias) const;
    /// ffn_gate, ffn_up and ffn_down.
    Result<FeedForwardWeights> gated_feed_forward(Activation activation) const;
    /// ffn_gate_inp, ffn_gate_exps, ffn_up_exps and ffn_down_exps.
    Result<ExpertWeights> experts() const;

    /// Error: architecture_unsupported naming a tensor of this layer that was not taken.
    Result<void> ensure_all_taken() const { return loader_.ensure_all_taken(prefix_); }

  private:
    const Hyperparameters& hyperparameters_;
    uint32_t layer_;
    std::string prefix_;
    WeightLoader& loader_;
};

/// The arithmetic of the blocks on a batch. Matrices of activations are (rows of the batch,
/// length); what a function returns stays valid until the next call of the same function.
class Blocks {
  public:
    Blocks(const DecoderContext& context, tensor::RopeTable rope)
        : context_(context), rope_(std::move(rope)) {}

    /// Before the layers run over a batch.
    void begin(std::span<const DecoderRow> rows);

    std::vector<float>& normalise(const Norm& norm, const float* values);
    /// RMS norm only.
    void normalise_in_place(const Norm& norm, std::vector<float>& values);
    /// Scale and soft-cap are the model's; `window` is 0 in a layer that sees everything.
    std::vector<float>& attention(const AttentionWeights& weights, uint32_t cache_layer,
                                  uint32_t window, const std::vector<float>& input);
    std::vector<float>& feed_forward(const FeedForwardWeights& weights,
                                     const std::vector<float>& input);
    std::vector<float>& experts(const ExpertWeights& weights, const std::vector<float>& input);
    void add(float* hidden, const std::vector<float>& update);

  private:
    struct Projection {
        const Linear& linear;
        std::vector<float>& out;
    };
    struct Choice {
        uint32_t expert = 0;
        float weight = 0.0F;
    };

    void normalise_rows(const Norm& norm, const float* values, size_t row_count, float* out);
    void assign(const std::vector<float>& input, size_t row_count);
    void multiply(const tensor::PackedMatrix& matrix, size_t row_count, std::vector<float>& out);
    /// Of the same activations, in one parallel loop.
    void apply(std::initializer_list<Projection> projections);
    /// Norm, if there is one, and rotation of one row's heads.
    void prepare_heads(const Norm& norm, size_t row, uint32_t head_count, float* heads) const;
    void activate(Activation activation, bool is_gated);
    void choose_experts();
    void run_expert(const ExpertWeights& weights, uint32_t expert, const std::vector<float>& input,
                    std::vector<float>& out);

    DecoderContext context_;
    tensor::RopeTable rope_;
    std::span<const DecoderRow> rows_;
    tensor::Activations activations_;
    std::vector<tensor::Product> products_;
    std::vector<std::vector<float>> rotations_;  // a row each
    std::vector<float> normed_, query_, key_, value_, attended_;
    std::vector<float> gate_, up_, update_;
    std::vector<float> router_, gathered_, expert_out_;
    std::vector<Choice> choices_;  // (rows, used experts), by expert
    std::vector<size_t> gathered_rows_;
    std::vector<float> gathered_weights_;
};

/// The layers of an architecture, one after the other. Layer is the architecture's struct with
///   static Result<Layer> load(const LayerLoader&);
///   void run(Blocks&, uint32_t cache_layer, float* hidden) const;
template <class Layer>
class LayerStack final : public Decoder {
  public:
    static Result<std::unique_ptr<Decoder>> load(const DecoderContext& context,
                                                 WeightLoader& loader) {
        TT_TRY(auto rope, load_rope(context.hyperparameters, loader));
        auto stack = std::make_unique<LayerStack>(context, std::move(rope));
        for (uint32_t i = context.layers.begin; i < context.layers.end; ++i) {
            const LayerLoader layer_loader(context.hyperparameters, i, loader);
            TT_TRY(auto layer, Layer::load(layer_loader));
            TT_CHECK(layer_loader.ensure_all_taken());
            stack->layers_.push_back(std::move(layer));
        }
        return std::unique_ptr<Decoder>(std::move(stack));
    }

    LayerStack(const DecoderContext& context, tensor::RopeTable rope)
        : blocks_(context, std::move(rope)) {}

    void forward(std::span<const DecoderRow> rows, float* hidden) override {
        if (rows.empty()) return;
        blocks_.begin(rows);
        for (uint32_t i = 0; i < layers_.size(); ++i) layers_[i].run(blocks_, i, hidden);
    }

  private:
    Blocks blocks_;
    std::vector<Layer> layers_;
};

}  // namespace teetee::model
