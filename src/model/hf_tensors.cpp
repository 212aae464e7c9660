// SPDX-License-Identifier: Apache-2.0
#include "model/hf_tensors.hpp"

#include <charconv>
#include <span>

namespace teetee::model {
namespace {

/// A name without ".weight" or ".bias", and behind the layer's number.
struct Renaming {
    std::string_view hf;
    std::string_view gguf;
    HfTransform transform = HfTransform::none;
};

constexpr Renaming outer_names[] = {
    {"model.embed_tokens", "token_embd"}, {"model.norm", "output_norm"}, {"lm_head", "output"}};

constexpr Renaming attention_names[] = {
    {"self_attn.q_proj", "attn_q"},      {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},      {"self_attn.o_proj", "attn_output"},
    {"self_attn.q_norm", "attn_q_norm"}, {"self_attn.k_norm", "attn_k_norm"},
    {"self_attn.qkv_proj", "attn_qkv"},  {"input_layernorm", "attn_norm"}};

constexpr Renaming feed_forward_names[] = {{"post_attention_layernorm", "ffn_norm"},
                                           {"mlp.gate_proj", "ffn_gate"},
                                           {"mlp.up_proj", "ffn_up"},
                                           {"mlp.down_proj", "ffn_down"},
                                           {"mlp.gate_up_proj", "ffn_up"},
                                           {"mlp.gate", "ffn_gate_inp"},
                                           {"block_sparse_moe.gate", "ffn_gate_inp"}};

constexpr Renaming gemma2_names[] = {{"post_attention_layernorm", "post_attention_norm"},
                                     {"pre_feedforward_layernorm", "ffn_norm"},
                                     {"post_feedforward_layernorm", "post_ffw_norm"},
                                     {"mlp.gate_proj", "ffn_gate"},
                                     {"mlp.up_proj", "ffn_up"},
                                     {"mlp.down_proj", "ffn_down"}};

// Behind the expert's number.
constexpr Renaming expert_names[] = {{"gate_proj", "ffn_gate_exps"}, {"w1", "ffn_gate_exps"},
                                     {"up_proj", "ffn_up_exps"},     {"w3", "ffn_up_exps"},
                                     {"down_proj", "ffn_down_exps"}, {"w2", "ffn_down_exps"}};

constexpr Renaming gpt2_outer_names[] = {{"wte", "token_embd"},
                                         {"wpe", "position_embd"},
                                         {"ln_f", "output_norm"},
                                         {"lm_head", "output"}};

constexpr Renaming gpt2_names[] = {{"ln_1", "attn_norm"},
                                   {"attn.c_attn", "attn_qkv", HfTransform::transpose},
                                   {"attn.c_proj", "attn_output", HfTransform::transpose},
                                   {"ln_2", "ffn_norm"},
                                   {"mlp.c_fc", "ffn_up", HfTransform::transpose},
                                   {"mlp.c_proj", "ffn_down", HfTransform::transpose}};

const Renaming* find(std::span<const Renaming> names, std::string_view name) {
    for (const Renaming& renaming : names)
        if (renaming.hf == name) return &renaming;
    return nullptr;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

/// A number with a dot behind it, below `count`.
std::optional<uint32_t> take_number(std::string_view& text, uint32_t count) {
    uint32_t number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto digits = static_cast<size_t>(end - text.data());
    const bool is_plain = digits == 1 || !text.starts_with('0');
    if (failed != std::errc() || !is_plain || digits >= text.size() || *end != '.' ||
        number >= count) {
        return std::nullopt;
    }
    text.remove_prefix(digits + 1);
    return number;
}

const Renaming* find_in_layer(HfFamily family, std::string_view name) {
    if (family == HfFamily::gpt2) return find(gpt2_names, name);
    if (const Renaming* found = find(attention_names, name)) return found;
    if (family == HfFamily::gemma2) return find(gemma2_names, name);
    return find(feed_forward_names, name);
}

/// Buffers of older checkpoints that are no weights.
bool is_buffer(HfFamily family, std::string_view name) {
    if (family != HfFamily::gpt2) return name.ends_with(".rotary_emb.inv_freq");
    return name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias");
}

HfTransform transform_of(HfFamily family, const HfPlace& place, const Renaming& renaming,
                         std::string_view ending) {
    const bool is_llama = family == HfFamily::llama || family == HfFamily::mixtral;
    if (is_llama && renaming.gguf == "attn_q") return HfTransform::permute_query;
    if (is_llama && renaming.gguf == "attn_k") return HfTransform::permute_key;
    if (family == HfFamily::gemma2 && place.gguf_name.ends_with("_norm"))
        return HfTransform::add_one;
    return ending == ".bias" ? HfTransform::none : renaming.transform;
}

}  // namespace

Result<std::optional<HfPlace>> place_of(const HfConfig& config, std::string_view name) {
    const bool is_gpt2 = config.family == HfFamily::gpt2;
    const auto unknown = [&] {
        return fail(ErrorCode::architecture_unsupported,
                    "tensor " + quote_foreign(name) + " is not known in " + config.architecture);
    };
    if (is_buffer(config.family, name)) return std::optional<HfPlace>();
    std::string_view rest = name;
    const std::string_view ending = rest.ends_with(".bias") ? ".bias" : ".weight";
    if (!rest.ends_with(ending)) return unknown();
    rest.remove_suffix(ending.size());
    if (is_gpt2) take_prefix(rest, "transformer.");

    HfPlace place;
    const Renaming* renaming = is_gpt2 ? find(gpt2_outer_names, rest) : find(outer_names, rest);
    if (renaming == nullptr) {
        if (!take_prefix(rest, is_gpt2 ? "h." : "model.layers.")) return unknown();
        const auto layer = take_number(rest, config.layer_count);
        if (!layer) return unknown();
        place.gguf_name = "blk." + std::to_string(*layer) + ".";
        if (take_prefix(rest, "mlp.experts.") || take_prefix(rest, "block_sparse_moe.experts.")) {
            place.expert = take_number(rest, config.expert_count);
            renaming = place.expert && ending == ".weight" ? find(expert_names, rest) : nullptr;
        } else {
            renaming = find_in_layer(config.family, rest);
        }
        if (renaming == nullptr) return unknown();
    } else if (renaming->gguf == "output" && config.ties_output) {
        return std::optional<HfPlace>();
    }
    place.gguf_name += renaming->gguf;
    place.transform = transform_of(config.family, place, *renaming, ending);
    place.gguf_name += ending;
    return std::optional(std::move(place));
}

}  // namespace teetee::model
