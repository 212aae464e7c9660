// SPDX-License-Identifier: Apache-2.0
#include "model/hyperparameters.hpp"

#include <algorithm>
#include <cmath>

#include "model/key_reader.hpp"
#include "model/limits.hpp"

namespace teetee::model {
namespace {

// The largest published models stay far below these; products of any two fit 64 bits.
constexpr uint32_t length_max = 1u << 17;
constexpr uint32_t head_count_max = 1024;
constexpr uint32_t context_length_max = 1u << 24;
constexpr uint32_t vocabulary_size_max = 1u << 24;
constexpr Bounds<float> epsilon_bounds = {1e-20F, 1.0F};
// Angles are positions times powers of the base: below 1 they leave the range of sin_cos_f64.
constexpr Bounds<float> rope_base_bounds = {1.0F, 1e15F};
constexpr Bounds<float> rope_factor_bounds = {1.0F, 1e6F};
constexpr Bounds<float> attention_factor_bounds = {1e-3F, 1e3F};
constexpr Bounds<float> beta_bounds = {1e-3F, 1e6F};
constexpr Bounds<float> scale_bounds = {1e-6F, 1e3F};
constexpr Bounds<float> softcap_bounds = {0.0F, 1e6F};

enum class Experts { none, optional, required };

/// What tells architectures apart before any key is read.
struct Traits {
    std::string_view name;
    RopeKind rope = RopeKind::halves;
    NormKind norm = NormKind::rms;
    bool has_window = false;
    bool has_softcaps = false;
    bool scales_embedding = false;  // by the root of its length
    Experts experts = Experts::none;
};

constexpr Traits architectures[] = {
    {.name = "llama",
     .rope = RopeKind::adjacent,
     .has_window = true,  // Mistral
     .experts = Experts::optional},
    {.name = "qwen2"},
    {.name = "qwen3"},
    {.name = "qwen3moe", .experts = Experts::required},
    {.name = "gemma2", .has_window = true, .has_softcaps = true, .scales_embedding = true},
    {.name = "phi3", .has_window = true},
    {.name = "gpt2", .rope = RopeKind::none, .norm = NormKind::layer},
};

Result<const Traits*> traits_of(const Gguf& gguf) {
    TT_TRY(const auto architecture, gguf.string("general.architecture"));
    if (!architecture) {
        return fail(ErrorCode::architecture_unsupported, "general.architecture is missing");
    }
    std::string names;
    for (const Traits& traits : architectures) {
        if (traits.name == *architecture) return &traits;
        names += (names.empty() ? "" : ", ") + std::string(traits.name);
    }
    return fail(ErrorCode::architecture_unsupported,
                "have " + quote_foreign(*architecture) + ", need one of " + names);
}

Result<void> read_heads(KeyReader& reader, Hyperparameters& h) {
    TT_TRY(h.head_count, reader.u32("attention.head_count", {1, head_count_max}));
    TT_TRY(h.kv_head_count,
           reader.u32("attention.head_count_kv", {1, head_count_max}, h.head_count));
    if (h.head_count % h.kv_head_count != 0) {
        return fail(ErrorCode::hyperparameter_invalid,
                    std::to_string(h.head_count) + " heads do not divide into " +
                        std::to_string(h.kv_head_count) + " KV heads");
    }
    if (!reader.has("attention.key_length") && h.embedding_length % h.head_count != 0) {
        return fail(ErrorCode::hyperparameter_invalid,
                    "embedding length " + std::to_string(h.embedding_length) +
                        " does not divide into " + std::to_string(h.head_count) + " heads");
    }
    TT_TRY(h.head_dim, reader.u32("attention.key_length", {1, head_dim_max},
                                  h.embedding_length / h.head_count));
    TT_CHECK(reader.u32("attention.value_length", {h.head_dim, h.head_dim}, h.head_dim));
    h.attention_scale = 1.0F / std::sqrt(static_cast<float>(h.head_dim));
    return {};
}

Result<RopeHyperparameters::Scaling> read_scaling_type(KeyReader& reader) {
    using Scaling = RopeHyperparameters::Scaling;
    TT_TRY(const auto type, reader.string("rope.scaling.type"));
    if (type == "none") return Scaling::none;
    if (type == "yarn") return Scaling::yarn;
    if (type == "longrope") return Scaling::longrope;
    // A factor without a type is the older way to say linear; it is 1 where nothing is scaled.
    if (!type || type == "linear") return Scaling::linear;
    return reader.invalid("rope.scaling.type",
                          "have " + quote_foreign(*type) + ", need none, linear, yarn or longrope");
}

Result<void> read_rope(KeyReader& reader, Hyperparameters& h) {
    RopeHyperparameters& rope = h.rope;
    if (rope.kind == RopeKind::none) return {};
    TT_TRY(rope.dimensions, reader.u32("rope.dimension_count", {2, h.head_dim}, h.head_dim));
    if (rope.dimensions % 2 != 0) return reader.invalid("rope.dimension_count", "must be even");
    TT_TRY(rope.base, reader.f32("rope.freq_base", rope_base_bounds, 10000.0F));
    TT_TRY(rope.scaling, read_scaling_type(reader));
    TT_TRY(rope.factor, reader.f32("rope.scale_linear", rope_factor_bounds, 1.0F));
    TT_TRY(rope.factor, reader.f32("rope.scaling.factor", rope_factor_bounds, rope.factor));
    TT_TRY(rope.original_context_length, reader.u32("rope.scaling.original_context_length",
                                                    {1, context_length_max}, h.context_length));
    TT_TRY(rope.attention_factor,
           reader.f32("rope.scaling.attn_factor", attention_factor_bounds, 1.0F));
    reader.ignore("rope.scaling.finetuned");
    if (rope.scaling == RopeHyperparameters::Scaling::none && rope.factor != 1.0F) {
        return reader.invalid("rope.scaling.factor", "need 1 where rope.scaling.type is none");
    }
    if (rope.scaling != RopeHyperparameters::Scaling::yarn) return {};
    TT_TRY(rope.beta_fast, reader.f32("rope.scaling.yarn_beta_fast", beta_bounds, 32.0F));
    TT_TRY(rope.beta_slow, reader.f32("rope.scaling.yarn_beta_slow", beta_bounds, 1.0F));
    TT_CHECK(reader.f32("rope.scaling.yarn_ext_factor", {1.0F, 1.0F}, 1.0F));
    TT_CHECK(reader.f32("rope.scaling.yarn_attn_factor", {1.0F, 1.0F}, 1.0F));
    if (!(rope.beta_fast > rope.beta_slow)) {
        return reader.invalid("rope.scaling.yarn_beta_fast", "must be above yarn_beta_slow");
    }
    if (!(rope.base > 1.0F)) {
        return reader.invalid("rope.freq_base", "must be above 1 for yarn");
    }
    return {};
}

Result<void> read_softcaps(KeyReader& reader, Hyperparameters& h) {
    // Google's 27B model scales by its embedding instead of its head, and most files do not say.
    constexpr uint32_t layers_of_27b = 46;
    const float root_of = h.layer_count == layers_of_27b && h.embedding_length >= h.head_count
                              ? static_cast<float>(h.embedding_length / h.head_count)
                              : static_cast<float>(h.head_dim);
    TT_TRY(h.attention_scale,
           reader.f32("attention.scale", scale_bounds, 1.0F / std::sqrt(root_of)));
    TT_TRY(h.attention_softcap, reader.f32("attn_logit_softcapping", softcap_bounds));
    TT_TRY(h.output_softcap, reader.f32("final_logit_softcapping", softcap_bounds));
    return {};
}

Result<void> read_experts(KeyReader& reader, Experts kind, Hyperparameters& h) {
    ExpertHyperparameters& experts = h.experts;
    const bool required = kind == Experts::required;
    if (kind != Experts::none) {
        TT_TRY(experts.count,
               reader.u32("expert_count", {required ? 1u : 0u, expert_count_max}, 0u));
    }
    if (experts.count == 0) {
        if (kind == Experts::optional) {
            TT_CHECK(reader.u32("expert_used_count", {0, 0}, 0u));
        }
        TT_TRY(h.feed_forward_length, reader.u32("feed_forward_length", {1, length_max}));
        return {};
    }
    TT_TRY(experts.used_count, reader.u32("expert_used_count", {1, experts.count}));
    // Mixtral's experts have the length of a dense layer; qwen3moe says theirs apart.
    if (required) {
        TT_TRY(experts.feed_forward_length,
               reader.u32("expert_feed_forward_length", {1, length_max}));
        reader.ignore("feed_forward_length");
    } else {
        TT_TRY(h.feed_forward_length, reader.u32("feed_forward_length", {1, length_max}));
        TT_TRY(experts.feed_forward_length,
               reader.u32("expert_feed_forward_length", {1, length_max}, h.feed_forward_length));
    }
    TT_TRY(const auto normalises, reader.boolean("expert_weights_norm"));
    experts.normalises_weights = normalises.value_or(true);
    constexpr uint32_t softmax = 1;
    TT_CHECK(reader.u32("expert_gating_func", {softmax, softmax}, softmax));
    return {};
}

}  // namespace

Result<Hyperparameters> hyperparameters_from(const Gguf& gguf) {
    TT_TRY(const Traits* traits, traits_of(gguf));
    Hyperparameters h;
    h.architecture = traits->name;
    h.norm = traits->norm;
    h.rope.kind = traits->rope;
    TT_TRY(const auto name, gguf.string("general.name"));
    h.name = name.value_or("");
    if (!is_utf8(h.name))
        return fail(ErrorCode::hyperparameter_invalid, "general.name is not UTF-8");
    KeyReader reader(gguf, h.architecture);
    reader.ignore("vocab_size");          // the embedding's rows say it
    reader.ignore("tensor_data_layout");  // a remark on the file's origin
    TT_TRY(h.context_length, reader.u32("context_length", {1, context_length_max}));
    TT_TRY(h.embedding_length, reader.u32("embedding_length", {1, length_max}));
    TT_TRY(h.layer_count, reader.u32("block_count", {1, layer_count_max}));
    TT_CHECK(read_heads(reader, h));
    TT_CHECK(read_experts(reader, traits->experts, h));
    TT_TRY(h.norm_epsilon, reader.f32(h.norm == NormKind::rms ? "attention.layer_norm_rms_epsilon"
                                                              : "attention.layer_norm_epsilon",
                                      epsilon_bounds));
    TT_CHECK(read_rope(reader, h));
    if (traits->has_window) {
        // Gemma's files mean a window even when they do not say so; then how long is a guess.
        const auto fallback = traits->has_softcaps ? std::nullopt : std::optional(0u);
        TT_TRY(h.window, reader.u32("attention.sliding_window", {0, UINT32_MAX}, fallback));
    }
    if (traits->has_softcaps) TT_CHECK(read_softcaps(reader, h));
    if (traits->scales_embedding) {
        h.embedding_scale = std::sqrt(static_cast<float>(h.embedding_length));
    }
    TT_CHECK(reader.ensure_all_read());
    if (const GgufTensor* embedding = gguf.find_tensor("token_embd.weight")) {
        if (embedding->dimensions.size() != 2 || embedding->dimensions[1] > vocabulary_size_max) {
            return fail(ErrorCode::tensor_shape_wrong, "token_embd.weight is not a matrix");
        }
        h.vocabulary_size = static_cast<uint32_t>(embedding->dimensions[1]);
    }
    return h;
}

Result<void> ensure_fits(const Vocabulary& vocabulary, const Hyperparameters& hyperparameters) {
    if (vocabulary.tokens.size() <= hyperparameters.vocabulary_size) return {};
    return fail(ErrorCode::vocabulary_invalid,
                "have " + std::to_string(vocabulary.tokens.size()) + " tokens, the embedding has " +
                    std::to_string(hyperparameters.vocabulary_size) + " rows");
}

}  // namespace teetee::model
